"""Tests of lit_restore.interop.translation_files: the authors' structure, built literally."""

import re
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lit_restore.interop import TorchFileError, load_third_party
from lit_restore.interop.translation_files import load_translation
from lit_restore.models import PatchDiscriminator, ResNetGenerator, UNetGenerator
from lit_restore.nn import set_norm_mode

Norm = Callable[[int], nn.Module]


def instance(width: int) -> nn.Module:
    return nn.InstanceNorm2d(width)


def tracked(width: int) -> nn.Module:
    """As early versions had it: statistics that are kept, and not used in testing."""
    return nn.InstanceNorm2d(width, track_running_stats=True)


NORMS: dict[str, Norm] = {"batch": nn.BatchNorm2d, "instance": instance, "tracked": tracked}


class Skip(nn.Module):
    """A level of their U-Net, which hands its input on beside what it makes of it."""

    def __init__(self, outermost: bool, *layers: nn.Module) -> None:
        super().__init__()
        self.model = nn.Sequential(*layers)
        self.outermost = outermost

    def forward(self, x: Tensor) -> Tensor:
        made = self.model(x)
        # Their activation works in place, so that what is handed on has passed it.
        handed = nn.functional.leaky_relu(x, 0.2)
        return made if self.outermost else torch.cat([handed, made], 1)


class Whole(nn.Module):
    """Their networks hold everything in ``model``."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *images: Tensor) -> Tensor:
        return self.model(torch.cat(images[::-1], 1))


def their_unet(norm: Norm, bias: bool) -> nn.Module:
    def down(before: int, after: int, with_bias: bool = bias) -> nn.Module:
        return nn.Conv2d(before, after, 4, 2, 1, bias=with_bias)

    def up(before: int, after: int, with_bias: bool = bias) -> nn.Module:
        return nn.ConvTranspose2d(before, after, 4, 2, 1, bias=with_bias)

    def leaky() -> nn.Module:
        return nn.LeakyReLU(0.2)

    relu = nn.ReLU
    inner = Skip(False, leaky(), down(8, 10), relu(), up(10, 8), norm(8))
    drop = nn.Dropout(0.5)
    middle = Skip(False, leaky(), down(6, 8), norm(8), inner, relu(), up(16, 6), norm(6), drop)
    near = Skip(False, leaky(), down(4, 6), norm(6), middle, relu(), up(12, 4), norm(4))
    outer = Skip(True, down(3, 4), near, relu(), up(8, 2, with_bias=True), nn.Tanh())
    return Whole(outer)


class Block(nn.Module):
    """Their residual block."""

    def __init__(self, norm: Norm, bias: bool, dropout: bool) -> None:
        super().__init__()
        first = [nn.ReflectionPad2d(1), nn.Conv2d(16, 16, 3, bias=bias), norm(16), nn.ReLU()]
        second = [nn.ReflectionPad2d(1), nn.Conv2d(16, 16, 3, bias=bias), norm(16)]
        between = [nn.Dropout(0.5)] if dropout else []
        self.conv_block = nn.Sequential(*first, *between, *second)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


def their_resnet(norm: Norm, bias: bool, blocks: int = 2, dropout: bool = False) -> nn.Module:
    layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(3, 4, 7, bias=bias), norm(4)]
    for width in (4, 8):
        conv = nn.Conv2d(width, 2 * width, 3, 2, 1, bias=bias)
        layers += [nn.ReLU(), conv, norm(2 * width)]
    layers += [nn.ReLU(), *(Block(norm, bias, dropout) for _ in range(blocks))]
    for width in (16, 8):
        enlarge = nn.ConvTranspose2d(width, width // 2, 3, 2, 1, 1, bias=bias)
        layers += [enlarge, norm(width // 2), nn.ReLU()]
    return Whole(nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(4, 2, 7), nn.Tanh()))


def their_discriminator(norm: Norm, bias: bool, channels: int = 3) -> nn.Module:
    return Whole(
        nn.Sequential(
            *(nn.Conv2d(channels, 4, 4, 2, 1), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(4, 8, 4, 2, 1, bias=bias), norm(8), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(8, 16, 4, 1, 1, bias=bias), norm(16), nn.LeakyReLU(0.2)),
            nn.Conv2d(16, 1, 4, 1, 1),
        )
    )


BUILDERS: dict[str, tuple[Any, type[nn.Module]]] = {
    "unet": (their_unet, UNetGenerator),
    "resnet": (their_resnet, ResNetGenerator),
    "discriminator": (their_discriminator, PatchDiscriminator),
}


def saved(network: nn.Module, path: Path) -> nn.Module:
    """Give a network weights at which everything shows, and save it."""
    torch.manual_seed(0)
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) * 0.6 - 0.3 + 0.8 * name.endswith("running_var"))
    torch.save(network.state_dict(), path)
    return network.eval()


def assert_same(ours: nn.Module, theirs: nn.Module, *images: Tensor) -> None:
    """Both networks give the same in float64, and something that is not constant."""
    given = [image.double() for image in images]
    found, expected = ours.double()(*given), theirs.double()(*given)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)
    assert expected.std() > 0.05


@torch.no_grad()
@pytest.mark.parametrize("kind", BUILDERS)
@pytest.mark.parametrize("norm", NORMS)
def test_their_outputs_are_ours(kind: str, norm: str, tmp_path: Path) -> None:
    build, ours = BUILDERS[kind]
    theirs = saved(build(NORMS[norm], norm != "batch"), tmp_path / "net.pth")
    network = load_translation(tmp_path / "net.pth")
    assert type(network) is ours
    assert not network.training
    set_norm_mode(network, "running")
    image = torch.rand(2, 3, 32, 48) * 2 - 1
    for layer in theirs.modules():  # the authors test in training mode
        layer.training = isinstance(layer, nn.InstanceNorm2d)
    assert_same(network, theirs, image)


@torch.no_grad()
def test_batch_norm_is_tested_as_the_authors_do(tmp_path: Path) -> None:
    theirs = saved(their_unet(nn.BatchNorm2d, False), tmp_path / "net.pth")
    network = load_translation(tmp_path / "net.pth")
    image = torch.rand(2, 3, 32, 32) * 2 - 1
    for layer in theirs.modules():  # as in training, without dropout
        layer.training = isinstance(layer, nn.BatchNorm2d)
    assert_same(network, theirs, image)
    assert network.norm_mode == "batch"


@torch.no_grad()
def test_a_conditional_discriminator_reads_the_condition_first(tmp_path: Path) -> None:
    theirs = saved(their_discriminator(nn.BatchNorm2d, False, channels=7), tmp_path / "net.pth")
    network = load_translation(tmp_path / "net.pth")
    assert (network.in_channels, network.condition_channels) == (3, 4)
    image, condition = torch.rand(2, 3, 32, 32), torch.rand(2, 4, 32, 32)
    assert_same(network, theirs, image, condition)


@torch.no_grad()
@pytest.mark.parametrize(("blocks", "dropout"), [(0, False), (3, True), (9, False)])
def test_blocks_and_their_dropout_follow_from_the_file(
    blocks: int, dropout: bool, tmp_path: Path
) -> None:
    theirs = saved(their_resnet(instance, True, blocks, dropout), tmp_path / "net.pth")
    network = load_third_party("cyclegan", tmp_path / "net.pth")
    assert (network.blocks, network.dropout) == (blocks, 0.5 if dropout else 0.0)
    image = torch.rand(1, 3, 16, 16)
    assert_same(network, theirs, image)


def test_files_without_counted_batches_are_read(tmp_path: Path) -> None:
    saved(their_unet(nn.BatchNorm2d, False), tmp_path / "net.pth")
    state = torch.load(tmp_path / "net.pth", weights_only=True)
    old = {name: value for name, value in state.items() if "num_batches" not in name}
    assert len(old) < len(state)
    torch.save(old, tmp_path / "old.pth")
    new, found = (load_translation(tmp_path / name) for name in ("net.pth", "old.pth"))
    image = torch.rand(1, 3, 32, 32)
    assert torch.equal(new(image), found(image))


def change(state: dict[str, Tensor], what: str) -> None:
    """Break a U-Net's file."""
    match what:
        case "missing":
            del state["model.model.1.model.5.weight"]
        case "strange":
            state["model.model.1.model.9.weight"] = torch.zeros(2)
        case "shape":
            state["model.model.3.bias"] = torch.zeros(5)
        case "headless":
            del state["model.model.3.weight"], state["model.model.3.bias"]


@pytest.mark.parametrize(
    ("what", "message"),
    [("missing", "nothing for decoder.2.conv.weight"), ("strange", "no place for model.model.1.m"),
     ("shape", "head.bias must have shape (2,), got (5,)"),
     ("headless", "nothing for head.weight")],
)  # fmt: skip
def test_a_file_that_is_not_whole_is_refused(what: str, message: str, tmp_path: Path) -> None:
    state = their_unet(nn.BatchNorm2d, False).state_dict()
    change(state, what)
    torch.save(OrderedDict(state), tmp_path / "net.pth")
    with pytest.raises(TorchFileError, match=re.escape(message)):
        load_third_party("pix2pix", tmp_path / "net.pth")


@pytest.mark.parametrize(
    "names", [("conv.weight",), ("model.model.0.weight",), ("model.0.weight",), ("model.1.weight",)]
)
def test_a_file_of_something_else_is_refused(names: tuple[str, ...], tmp_path: Path) -> None:
    torch.save({name: torch.zeros(4, 3, 4, 4) for name in names}, tmp_path / "net.pth")
    with pytest.raises(TorchFileError, match=r"net\.pth"):
        load_translation(tmp_path / "net.pth")


def test_a_scale_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="do not enlarge them, got scale=2"):
        load_third_party("pix2pix", tmp_path / "net.pth", 2)
