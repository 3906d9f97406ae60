"""Ways to err about networks of segmentation and of classes; each makes a wrong one."""

from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import patch

from torch import Tensor, nn

from lit_restore.nn import ConvNormAct
from parity.case import Ours, Tensors
from parity.mutants import Concatenations

Build = Callable[..., nn.Module]


def of_norms(build: Build, training: bool) -> dict[str, Build]:
    """Make what can go wrong where a network normalises."""
    modules = list(build().modules())
    norms = [one for one in modules if isinstance(one, nn.BatchNorm2d)]
    if not norms:
        return {}
    other = 1e-5 if norms[0].eps > 1e-4 else 1e-3
    wrong: dict[str, Build] = {"another epsilon": partial(with_other, build, "eps", other)}
    if any(isinstance(one, ConvNormAct) for one in modules):
        wrong["ReLU and BatchNorm exchanged"] = partial(reordered, build)
    if training:
        wrong["Bessel's correction"] = partial(with_other, build, "bessel", True)
    return wrong


def with_other(build: Build, name: str, value: float | bool) -> nn.Module:
    """Set an attribute of every layer that normalises."""
    network = build()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            setattr(module, name, value)
    return network


def reordered(build: Build) -> nn.Module:
    """ReLU and BatchNorm change places, and no bias goes or comes."""
    network = build()
    for module in network.modules():
        if hasattr(module, "order") and hasattr(module, "norm"):
            module.order = "cna" if module.order == "can" else "can"
    return network


def joined_backwards(ours: Ours, t: Tensors) -> Tensors:
    """The parts of the first concatenation are in the opposite order."""
    with Concatenations(0):
        return ours(t)


def mean_pooling(build: Build) -> nn.Module:
    """Means in place of maxima."""
    network = build()
    for name, module in list(network.named_children()):
        if isinstance(module, nn.MaxPool2d):
            size, stride = _number(module.kernel_size), _number(module.stride)
            setattr(network, name, nn.AvgPool2d(size, stride, _number(module.padding)))
    return network


def _number(value: Any) -> int:
    return int(value)


def from_corners(build: Build) -> nn.Module:
    """Maps are enlarged from corner to corner."""
    network = build()
    for module in network.modules():
        if isinstance(module, nn.Upsample):
            module.align_corners = True
    return network


def cropped_at_the_end(ours: Ours, t: Tensors) -> Tensors:
    """Of a skip the rows and columns at its end are left out, in place of those around."""
    with patch("lit_restore.models.unet._centre", _corner):
        return ours(t)


def _corner(skip: Tensor, enlarged: Tensor) -> Tensor:
    height, width = enlarged.shape[-2:]
    return skip[..., :height, :width]
