"""Races: training steps and inference in PyTorch, against Keras and against plain ports."""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median

from benchmarks import (
    keras_side,
    pconv_keras,
    pconv_torch,
    srgan_keras,
    srgan_torch,
    style_keras,
    style_torch,
    torch_side,
)
from benchmarks.process import Contender, Step, Timing, interleave
from benchmarks.report import Figure, Report

WARM_UP = 2
OURS, NO_MALLOC, NAIVE = "ours", "ours, allocator untouched", "plain PyTorch"
PREDICT = "Keras, predict_on_batch"
RECIPES = {OURS: torch_side.OURS, NO_MALLOC: torch_side.NO_MALLOC, NAIVE: torch_side.NAIVE}
PORTED = {OURS: torch_side.OURS, NO_MALLOC: torch_side.NO_MALLOC, NAIVE: None}
MASKED = {
    OURS: pconv_torch.GROUPS,
    NO_MALLOC: pconv_torch.GROUPS_NO_MALLOC,
    NAIVE: pconv_torch.PLAIN_DENSE,
    "dense masks, else as ours": pconv_torch.DENSE,
    "no masks, else as ours": pconv_torch.UNMASKED,
}


@dataclass(frozen=True)
class Race:
    """One piece of work, done in PyTorch with each of ``recipes``, and in Keras.

    Attributes:
        title: What is done.
        torch: Sets up the work in PyTorch; takes ``recipe``.
        naive_target: Of ours against plain PyTorch.
        keras: The same work in Keras.
        keras_target: Of ours against Keras.
        steps: In each round.
        recipes: By the contender's name: how it is done in PyTorch; None: by a plain port's code.
        reference: The form in Keras that ``keras_target`` is held against; None: the fastest.
    """

    title: str
    torch: Callable[..., Step]
    naive_target: float | None = None
    keras: Sequence[Contender] = ()
    keras_target: float | None = None
    steps: int = 10
    recipes: Mapping[str, torch_side.Recipe | None] = field(default_factory=RECIPES.copy)
    reference: str | None = None

    def contenders(self) -> list[Contender]:
        """Those whose framework is installed, ours first."""
        ours = [
            Contender(name, partial(self.torch, recipe=recipe))
            for name, recipe in self.recipes.items()
        ]
        return [*ours, *(self.keras if importlib.util.find_spec("tensorflow") else ())]


TRAINING = (
    Race(
        "training step of SmallMosaicUNet, 32 pictures of 64x64",
        partial(torch_side.training, network="small"),
        2.0,
        (
            Contender("Keras, tf.function", keras_side.training_function),
            Contender("Keras, train_on_batch", keras_side.train_on_batch),
        ),
        1.2,
    ),
    Race(
        "training step of MosaicUNet, 32 pictures of 64x64",
        partial(torch_side.training, network="full"),
        steps=4,
    ),
)
INFERENCE = (
    Race(
        "inference by SmallMosaicUNet, 32 pictures of 64x64",
        partial(torch_side.inference, network="small"),
        None,
        (
            Contender("Keras, tf.function", keras_side.inference_function),
            Contender(PREDICT, keras_side.predict_on_batch),
        ),
        1.4,
        steps=20,
    ),
    Race(
        "inference by MosaicUNet, 32 pictures of 64x64",
        partial(torch_side.inference, network="full"),
    ),
)
SRGAN = (
    Race(
        "training step of SRGAN's generator (5 blocks), 8 pictures, 24 to 96 pixels",
        srgan_torch.generator_training,
        None,
        (
            Contender("Keras, tf.function", srgan_keras.generator_function),
            Contender("Keras, train_on_batch", srgan_keras.generator_on_batch),
        ),
        1.15,
        steps=2,
        recipes=PORTED,
    ),
    Race(
        "x4 inference by SRGAN's generator (5 blocks), a tile of 160 pixels",
        srgan_torch.inference,
        None,
        (
            Contender("Keras, tf.function", srgan_keras.inference_function),
            Contender(PREDICT, srgan_keras.predict_on_batch),
        ),
        1.5,
        steps=2,
        recipes=PORTED,
        reference=PREDICT,
    ),
    Race(
        "whole step of SRGAN with VGG19, 8 pictures of 96 pixels",
        srgan_torch.gan_training,
        None,
        (Contender("Keras, tf.function", srgan_keras.gan_function),),
        1.0,
        steps=1,
        recipes=PORTED,
    ),
    Race(
        "training step of SRResNet (16 blocks), 16 pictures, 24 to 96 pixels",
        srgan_torch.resnet_training,
        steps=1,
        recipes=PORTED,
    ),
)
PARTIAL = (
    Race(
        "training step of a U-Net of partial convolutions, 4 pictures of 128x128",
        pconv_torch.unet_training,
        1.3,
        steps=1,
        recipes=MASKED,
    ),
    Race(
        "inference by a U-Net of partial convolutions, 4 pictures of 128x128",
        pconv_torch.unet_inference,
        2.0,
        steps=2,
        recipes=MASKED,
    ),
    Race(
        "training step of the notes' PartialConvNet, 8 pictures of 128x128",
        pconv_torch.notes_training,
        None,
        (
            Contender("Keras, tf.function", pconv_keras.training_function),
            Contender("Keras, train_on_batch", pconv_keras.train_on_batch),
        ),
        1.0,
        steps=1,
        recipes=PORTED,
    ),
)
STYLE = (
    Race(
        "loss and gradient of style transfer with VGG19, a picture of 256x256",
        style_torch.evaluation,
        None,
        (Contender("Keras, tf.function", style_keras.evaluation),),
        2.5,
        steps=1,
        recipes=PORTED,
    ),
)


def run(race: Race, rounds: int, threads: int) -> Report:
    """Hold a race.

    Args:
        race: Which.
        rounds: That count, after the warm-up.
        threads: Of each contender.
    """
    timings = interleave(race.contenders(), rounds, WARM_UP, race.steps, threads)
    lines = [_line(name, rounds_) for name, rounds_ in timings.items()]
    others = (name for name in race.recipes if name not in (OURS, NAIVE))
    figures = [
        _figure(timings, NAIVE, race.naive_target),
        *(_figure(timings, name, None) for name in others),
    ]
    keras = [each.name for each in race.keras if each.name in timings]
    if keras:
        fastest = min(keras, key=lambda name: _median_cpu(timings[name]))
        held = race.reference or fastest
        figures += [
            _figure(timings, name, race.keras_target if name == held else None) for name in keras
        ]
    elif race.keras:
        lines.append("Keras: not measured, since TensorFlow is not installed")
    return Report(f"{race.title}, {threads} thread(s)", lines, figures)


def _figure(timings: dict[str, list[Timing]], name: str, target: float | None) -> Figure:
    pairs = zip(timings[name], timings[OURS], strict=True)
    values = [theirs.cpu / ours.cpu for theirs, ours in pairs]
    return Figure(f"processor time, {name} / ours", values, target)


def _line(name: str, timings: Sequence[Timing]) -> str:
    cpu, wall = _median_cpu(timings), median(timing.wall for timing in timings)
    return f"{name:<30}{1000 * cpu:8.1f} ms processor{1000 * wall:8.1f} ms clock"


def _median_cpu(timings: Sequence[Timing]) -> float:
    return median(timing.cpu for timing in timings)
