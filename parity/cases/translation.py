"""Trainings of pix2pix, CycleGAN and DCGAN, thin, from equal weights, by Keras's Adam."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from lit_restore.losses import AdversarialLoss
from lit_restore.models import (
    DCGANDiscriminator,
    DCGANGenerator,
    PatchDiscriminator,
    ResNetGenerator,
    UNetGenerator,
)
from lit_restore.optim import KerasAdam
from lit_restore.tasks import CycleGANTask, DCGANTask, Pix2PixTask
from parity.arrays import Draw
from parity.case import Case, Ours
from parity.cases.translation_errors import ConditionLast
from parity.cases.translation_networks import NOTES, PAPER, SLOPE, in_keras
from parity.network import Network, terms
from parity.turns import (
    GANTask,
    Turns,
    both_ways,
    generator_first,
    judged_before,
    judges_swapped,
)

Builds = dict[str, Callable[[], nn.Module]]
Kind = Literal["bce", "lsgan"]

_SIZE = (2, 24, 16)
_PICTURES = Draw((*_SIZE, 3), 0.0, 1.0)
_CRITERIA = {"lsgan": "mse", "bce": "bce"}
_ADAM = partial(KerasAdam, lr=2e-4, betas=(0.5, 0.999))
_OURS: dict[str, Any] = {"g_optimizer": _ADAM, "d_optimizer": _ADAM, "channels_last": False}
_TORCHS = partial(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999), eps=1e-7)
_DEFAULT = partial(KerasAdam, lr=2e-4)

# Without the notes' dead biases: of their gradients, which are 0, Adam makes steps of the rounding.
_NOTES_U = partial(UNetGenerator, **NOTES | {"dead_biases": False}, widths=(2, 3, 4))
_PAPER_U = partial(UNetGenerator, **PAPER, widths=(2, 3, 4))
_CYCLE_U = partial(_PAPER_U, norm="instance")
# For one step: in twenty it makes 1e-8 of a rounding error, the U-Net stays below 1e-14.
_RESNET = partial(ResNetGenerator, width=1, blocks=1, style="keras")
_DISCRIMINATOR = partial(PatchDiscriminator, width=2, layers=2, slope=SLOPE, style="keras")
_PAPER_D = partial(_DISCRIMINATOR, padding="one", norm="batch")
_CYCLE_D = partial(_DISCRIMINATOR, padding="one")


class AlwaysReal(AdversarialLoss):
    """Calls fakes real, as the notes' ``fake = np.ones`` does."""

    def forward(self, logits: Tensor, real: bool) -> Tensor:
        """Cost the scores."""
        return super().forward(logits, True)


def made(make: Callable[..., GANTask], builds: Builds, **options: Any) -> GANTask:
    """Make a task with networks of its own, by their roles."""
    return make(**{role: build() for role, build in builds.items()}, **{**_OURS, **options})


def _changed(ours: Turns, **options: Any) -> Turns:
    return replace(ours, task=partial(ours.task, **options))


def _wrong(ours: Turns, kind: Kind) -> dict[str, Ours]:
    """Ways that every such training can go wrong."""
    other = AdversarialLoss("bce" if kind == "lsgan" else "lsgan")
    wrong: dict[str, Ours] = {
        "the generator first": replace(ours, take=generator_first),
        "fakes called real": _changed(ours, adversarial=AlwaysReal(kind)),
        "the other criterion": _changed(ours, adversarial=other),
        "torch's Adam": _changed(ours, g_optimizer=_TORCHS, d_optimizer=_TORCHS),
        "another beta": _changed(ours, g_optimizer=_DEFAULT, d_optimizer=_DEFAULT),
        "generators learn by both losses": replace(ours, take=both_ways),
        "another share": _changed(ours, d_weight=0.75),
    }
    if any(isinstance(module, nn.BatchNorm2d) for module in ours.task().modules()):
        wrong["statistics moved once more"] = replace(ours, take=judged_before)
    return wrong


def _case(
    name: str,
    ours: Turns,
    inputs: dict[str, Draw],
    networks: dict[str, Network],
    wrong: dict[str, Ours],
    **settings: Any,
) -> Case:
    weights = {
        f"{role}.{leaf}": one
        for role, network in networks.items()
        for leaf, one in network.weights().items()
    }
    drawn = {what: replace(one, kind="constant") for what, one in (inputs | weights).items()}
    count = "one_step" if ours.steps == 1 else f"{ours.steps}_steps"
    return Case(
        name=f"trajectory/{name}/{count}",
        inputs=drawn,
        ours=ours,
        reference=f"translation.{name.partition('/')[0]}",
        settings={**settings, "steps": ours.steps},
        wrong=wrong,
        gates32=("output",),
        terms=max(terms(network) for network in networks.values()),
        depth=2 * sum(len(network.layers) for network in networks.values()) * ours.steps,
    )


def _networks(builds: Builds) -> dict[str, Network]:
    return {role: Network(build, _SIZE, training=True) for role, build in builds.items()}


def _pix2pix(name: str, generator: Any, discriminator: Any, kind: Kind, steps: int) -> Case:
    discriminator = partial(discriminator, condition_channels=3)
    builds: Builds = {"generator": generator, "discriminator": discriminator}
    make = partial(made, Pix2PixTask, adversarial=AdversarialLoss(kind))
    ours = Turns(partial(make, builds), steps=steps)
    last = partial(ConditionLast, **discriminator.keywords)
    wrong: dict[str, Ours] = {
        "another weight": _changed(ours, l1_weight=10.0),
        "condition last": replace(ours, task=partial(make, builds | {"discriminator": last})),
    }
    return _case(
        f"pix2pix/{name}",
        ours,
        {"input": _PICTURES, "target": _PICTURES},
        _networks(builds),
        _wrong(ours, kind) | wrong,
        generator=in_keras(generator()),
        discriminator=in_keras(discriminator()),
        criterion=_CRITERIA[kind],
        pixel=100.0,
        share=0.5,
    )


def _cyclegan(
    name: str, generator: Any, discriminator: Any, update: str, identity: float, steps: int
) -> Case:
    builds: Builds = dict.fromkeys(("g_ab", "g_ba"), generator)
    builds |= dict.fromkeys(("d_a", "d_b"), discriminator)
    share = 1.0 if update == "apart" else 0.5
    make = partial(made, CycleGANTask, builds, pool_size=0, discriminator_update=update)
    ours = Turns(partial(make, d_weight=share, identity_weight=identity), steps=steps)
    other = "together" if update == "apart" else "apart"
    wrong: dict[str, Ours] = {
        "no identity": _changed(ours, identity_weight=0.0),
        "weights swapped": _changed(ours, cycle_weight=identity, identity_weight=10.0),
        "twice the validity": _changed(ours, adversarial_weight=2.0),
        "the other update": _changed(ours, discriminator_update=other),
        "discriminators swapped": replace(ours, take=judges_swapped),
    }
    return _case(
        f"cyclegan/{name}",
        ours,
        {"a": _PICTURES, "b": _PICTURES},
        _networks(builds),
        _wrong(ours, "lsgan") | wrong,
        generator=in_keras(generator()),
        discriminator=in_keras(discriminator()),
        update=update,
        weights=[1.0, 10.0, identity],
        share=share,
    )


def _dcgan(steps: int) -> Case:
    options: dict[str, Any] = {"size": 16, "width": 2, "style": "keras"}
    generator = partial(DCGANGenerator, latent_size=5, **options)
    discriminator = partial(DCGANDiscriminator, slope=SLOPE, **options)
    builds: Builds = {"generator": generator, "discriminator": discriminator}
    ours = Turns(partial(made, DCGANTask, builds), steps=steps)
    networks = {
        "generator": Network(generator, (4,), training=True),
        "discriminator": Network(discriminator, (4, 16, 16), training=True),
    }
    return _case(
        "dcgan",
        ours,
        {"target": Draw((4, 16, 16, 3), 0.0, 1.0), "latent": Draw((4, 5))},
        networks,
        _wrong(ours, "bce"),
        generator=in_keras(generator()),
        discriminator=in_keras(discriminator()),
        criterion="bce",
        share=1.0,
    )


CASES = (
    *(_pix2pix("notes", _NOTES_U, _DISCRIMINATOR, "lsgan", steps) for steps in (1, 20)),
    *(_pix2pix("paper", _PAPER_U, _PAPER_D, "bce", steps) for steps in (1, 20)),
    *(_cyclegan("notes", _NOTES_U, _DISCRIMINATOR, "apart", 2.0, steps) for steps in (1, 20)),
    _cyclegan("paper", _RESNET, _CYCLE_D, "together", 5.0, steps=1),
    _cyclegan("paper_unet", _CYCLE_U, _CYCLE_D, "together", 5.0, steps=20),
    *(_dcgan(steps) for steps in (1, 5)),
)
