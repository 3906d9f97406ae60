"""Training steps and inference of the mosaic U-Nets, against Keras and against a plain port."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from benchmarks import keras_side, torch_side
from benchmarks.process import Contender, Step, Timing, interleave
from benchmarks.report import Figure, Report

WARM_UP = 2
OURS, NO_MALLOC, NAIVE = "ours", "ours, allocator untouched", "plain PyTorch"
RECIPES = {OURS: torch_side.OURS, NO_MALLOC: torch_side.NO_MALLOC, NAIVE: torch_side.NAIVE}


@dataclass(frozen=True)
class Race:
    """One piece of work, done in PyTorch with each of ``RECIPES``, and in Keras.

    Attributes:
        title: What is done.
        torch: Sets up the work in PyTorch; takes ``recipe``.
        naive_target: Of ours against plain PyTorch.
        keras: The same work in Keras; the fastest form is the reference.
        keras_target: Of ours against that.
        steps: In each round.
    """

    title: str
    torch: Callable[..., Step]
    naive_target: float | None = None
    keras: Sequence[Contender] = ()
    keras_target: float | None = None
    steps: int = 10

    def contenders(self) -> list[Contender]:
        """Those whose framework is installed, ours first."""
        ours = [
            Contender(name, partial(self.torch, recipe=recipe)) for name, recipe in RECIPES.items()
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
            Contender("Keras, predict_on_batch", keras_side.predict_on_batch),
        ),
        1.4,
        steps=20,
    ),
    Race(
        "inference by MosaicUNet, 32 pictures of 64x64",
        partial(torch_side.inference, network="full"),
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
    figures = [
        _figure(timings, NAIVE, race.naive_target),
        _figure(timings, NO_MALLOC, None),
    ]
    keras = [each.name for each in race.keras if each.name in timings]
    if keras:
        fastest = min(keras, key=lambda name: _median_cpu(timings[name]))
        figures += [
            _figure(timings, name, race.keras_target if name == fastest else None) for name in keras
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
