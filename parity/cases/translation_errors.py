"""Ways to err about the networks of pix2pix, CycleGAN and DCGAN; each makes a wrong one."""

from collections.abc import Callable
from functools import partial
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.models import (
    DCGANDiscriminator,
    DCGANGenerator,
    PatchDiscriminator,
    UNetGenerator,
)
from lit_restore.nn import StdInstanceNorm2d, same_padding
from parity.case import Tensors
from parity.network import Network

Build = Callable[..., nn.Module]

CONVS = (nn.Conv2d, nn.ConvTranspose2d)
NORMS = (nn.BatchNorm2d, nn.InstanceNorm2d, nn.GroupNorm, StdInstanceNorm2d)
_FAINT = (DCGANGenerator, DCGANDiscriminator)  # maps so faint that float32 does not show it
_OTHER = {"instance": "std_instance", "std_instance": "instance"}


def of_norms(build: Build, training: bool) -> dict[str, Build]:
    """Make what can go wrong where a network normalises."""
    module = build()
    norm = str(module.norm)
    eps = 1e-5 if module.style == "keras" else 1e-3
    wrong: dict[str, Build] = {"another epsilon": partial(with_other, build, "eps", eps)}
    if norm in _OTHER:
        wrong["the other instance formula"] = partial(build, norm=_OTHER[norm])
    if norm == "batch" and training and not isinstance(module, _FAINT):
        wrong["Bessel's correction"] = partial(with_other, build, "bessel", True)
    if norm == "batch" and hasattr(module, "norm_mode") and not training:
        other = "running" if module.norm_mode == "batch" else "batch"
        wrong["other statistics"] = partial(build, norm_mode=other)
    return wrong


def with_other(build: Build, name: str, value: float | bool) -> nn.Module:
    """Set an attribute of every layer that normalises."""
    network = build()
    for module in network.modules():
        if isinstance(module, NORMS):
            setattr(module, name, value)
    return network


def padded_before(network: Network, t: Tensors) -> Tensors:
    """SAME padding whose odd pixel lies at the top and at the left."""
    with patch("lit_restore.nn.conv.same_padding", lambda *about: same_padding(*about)[::-1]):
        return network(t)


class SkipsAsTheyAre(UNetGenerator):
    """The encoder's maps are joined with the small values that LeakyReLU leaves below 0."""

    def forward(self, image: Tensor) -> Tensor:
        """Translate pictures."""
        x, skips = image, []
        for level in self.encoder:
            x = F.leaky_relu(level(x), self.slope)
            skips.append(x)
        x = skips.pop().relu()
        for level in self.decoder:
            x = torch.cat([level(x), skips.pop()], dim=1)
        output: Tensor = self.head(x)
        return output.tanh()


class ConditionLast(PatchDiscriminator):
    """The picture is joined before what it was made from."""

    def _joined(self, image: Tensor, condition: Tensor | None) -> Tensor:
        joined = super()._joined(image, condition)
        return torch.cat([image, joined[:, : -image.shape[1]]], dim=1)


def active_after_the_sum(build: Build) -> nn.Module:
    """Blocks end in ReLU, as those of the first residual networks."""
    network = build()
    for block in network.get_submodule("body").children():
        block.register_forward_hook(lambda module, given, output: output.relu())
    return network


def padded_as(mode: str, build: Build) -> nn.Module:
    """The border is made up in another way."""
    network = build()
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.padding_mode == "reflect":
            module.padding_mode = mode  # type: ignore[assignment]
    return network


def same_at_stride_2(build: Build) -> nn.Module:
    """Zeros only after the map, as SAME has them at stride 2 and even sizes."""
    network = build()
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
            module.padding = (0, 0)
            module.register_forward_pre_hook(lambda _, given: (F.pad(given[0], (0, 1, 0, 1)),))
    return network


def padded_alike(build: Build) -> nn.Module:
    """Both pixels of zeros lie at the end."""
    network = build()
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.stride == (1, 1):
            module.padding = (0, 0)
            module.register_forward_pre_hook(lambda _, given: (F.pad(given[0], (0, 2, 0, 2)),))
    return network


def cropped_at_the_end(build: Build) -> nn.Module:
    """What a transposed convolution makes too much is taken from the end, as SAME does."""
    network = build()
    for module in network.modules():
        if isinstance(module, nn.ConvTranspose2d):
            module.padding = module.output_padding = (0, 0)
            module.register_forward_hook(lambda _, given, output: output[..., :-1, :-1])
    return network


def shifted(build: Build) -> nn.Module:
    """The picture lies a pixel aside, as if the last layer were cropped elsewhere."""
    network = build()
    head = network.get_submodule("head")
    head.register_forward_hook(lambda _, given, output: output.roll((1, 1), dims=(2, 3)))
    return network
