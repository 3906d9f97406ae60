"""Tests of benchmarks.gan_plain, its steps and the library's: they do the same work."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmarks import gan_plain, gan_plain_steps, gan_torch
from benchmarks.process import Step
from lit_restore.models import (
    DCGANDiscriminator,
    DCGANGenerator,
    PatchDiscriminator,
    ResNetGenerator,
    UNetGenerator,
)
from lit_restore.tasks import CycleGANTask, DCGANTask, Pix2PixTask

ADAM: Any = gan_torch._adam(None)
WIDTHS = (4, 6, 8)
NOTES: dict[str, Any] = dict(gan_torch.NOTES) | {"widths": WIDTHS}
KINDS = (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d)


def _same_weights(plain: nn.Module, ours: nn.Module) -> None:
    """Give ours the plain network's parameters; biases only where ours has any."""
    pairs = zip(_layers(plain), _layers(ours), strict=True)
    for theirs, mine in pairs:
        state = theirs.state_dict()
        mine.load_state_dict({name: state[name] for name in mine.state_dict()})


def _layers(network: nn.Module) -> list[nn.Module]:
    """List what has parameters, kind by kind, since networks keep norms in lists of their own."""
    modules = list(network.modules())
    return [module for kind in KINDS for module in modules if isinstance(module, kind)]


def _pictures(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def _unets() -> tuple[nn.Module, nn.Module]:
    return gan_plain.unet(WIDTHS), UNetGenerator(**NOTES)


def _patches(condition_channels: int = 0) -> tuple[nn.Module, nn.Module]:
    plain = gan_plain.patch_discriminator(3 + condition_channels, 4)
    ours = PatchDiscriminator(width=4, condition_channels=condition_channels, style="keras")
    return plain, ours


def _from_noise() -> tuple[nn.Module, nn.Module]:
    return gan_plain.dcgan_generator(5, 4), DCGANGenerator(5, width=4, style="keras")


def _of_noise() -> tuple[nn.Module, nn.Module]:
    return gan_plain.dcgan_discriminator(4), DCGANDiscriminator(width=4, style="keras")


def _resnets() -> tuple[nn.Module, nn.Module]:
    """Padding differs at stride 2, where the library's is TensorFlow's; the output does not."""
    ours = ResNetGenerator(width=4, blocks=2, padding="same", style="keras")
    return gan_plain.resnet(2, 4), ours


@pytest.mark.parametrize(
    ("pair", "shape"),
    [
        (_unets, (1, 3, 32, 48)),
        (_patches, (2, 3, 32, 32)),
        (_from_noise, (3, 5)),
        (_of_noise, (3, 3, 64, 64)),
    ],
)
def test_a_plain_network_is_ours(
    pair: Callable[[], tuple[nn.Module, nn.Module]], shape: tuple[int, ...]
) -> None:
    plain, ours = (network.double() for network in pair())
    _same_weights(plain, ours)
    image = _pictures(*shape).double()
    torch.testing.assert_close(ours(image), plain(image), rtol=1e-9, atol=1e-9)


def test_the_plain_resnet_is_as_large_as_ours() -> None:
    plain, ours = _resnets()
    image = _pictures(1, 3, 16, 24)
    sizes = [gan_torch.sizes({"generator": one}, one(image)) for one in (plain, ours)]
    assert sizes[0] == sizes[1]
    assert [len(_layers(one)) for one in (plain, ours)] == [10, 10]


def _pix2pix() -> tuple[list[tuple[nn.Module, nn.Module]], Step, Step]:
    pairs = [_unets(), _patches(3)]
    (plain, ours), (plain_d, ours_d) = pairs
    a, b = _pictures(2, 1, 3, 32, 32)
    task = Pix2PixTask(ours, ours_d, g_optimizer=ADAM, d_optimizer=ADAM)
    mine = gan_torch.by_turns(task, {"input": a, "target": b})
    return pairs, gan_plain_steps.pix2pix_step(plain, plain_d, a, b), mine


def _cyclegan() -> tuple[list[tuple[nn.Module, nn.Module]], Step, Step]:
    pairs = [_unets(), _unets(), _patches(), _patches()]
    a, b = _pictures(2, 1, 3, 32, 32)
    plain = tuple(pair[0] for pair in pairs)
    task = CycleGANTask(
        *(pair[1] for pair in pairs), pool_size=0, g_optimizer=ADAM, d_optimizer=ADAM
    )
    mine = gan_torch.by_turns(task, {"a": a, "b": b})
    return pairs, gan_plain_steps.cyclegan_step(plain, a, b), mine  # type: ignore[arg-type]


def _dcgan() -> tuple[list[tuple[nn.Module, nn.Module]], Step, Step]:
    pairs = [_from_noise(), _of_noise()]
    (plain, ours), (plain_d, ours_d) = pairs
    real = _pictures(3, 3, 64, 64)
    task = DCGANTask(ours, ours_d, g_optimizer=ADAM, d_optimizer=ADAM)
    mine = gan_torch.by_turns(task, {"target": real})
    return pairs, gan_plain_steps.dcgan_step(plain, plain_d, real, 5), mine


@pytest.mark.parametrize("build", [_pix2pix, _cyclegan, _dcgan])
def test_a_plain_step_moves_all_kernels_as_the_tasks_step_does(
    build: Callable[[], tuple[list[tuple[nn.Module, nn.Module]], Step, Step]],
) -> None:
    pairs, plain_step, step = build()
    for plain, ours in pairs:
        _same_weights(plain, ours)
    before = copy.deepcopy([plain for plain, _ in pairs])
    for take in (plain_step, step):
        torch.manual_seed(0)  # of DCGAN's noise
        take()
    for (plain, ours), old in zip(pairs, before, strict=True):
        for theirs, mine, was in zip(*map(_layers, (plain, ours, old)), strict=True):
            moved, expected = mine.weight - was.weight, theirs.weight - was.weight
            assert expected.abs().max() > 1e-4  # Adam's first step is the rate
            assert (moved - expected).abs().mean() < 0.02 * expected.abs().mean()


def test_without_a_recipe_the_networks_are_plain_ones() -> None:
    assert isinstance(gan_torch.generator("unet", None), gan_plain.UNet)
    assert isinstance(gan_torch.generator("unet", gan_torch.Recipe()), UNetGenerator)
