"""Ways to err about networks of segmentation and of classes; each makes a wrong one."""

from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import patch

from torch import Tensor, nn

from lit_restore.models.resnet import _Residual
from lit_restore.nn import ConvNormAct, pad_same
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
        if isinstance(module, ConvNormAct):
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


def strides_exchanged(build: Build) -> nn.Module:
    """A block halves the map in its second convolution where it should in its first, or so."""
    network = build()
    for block in network.modules():
        if isinstance(block, _Residual):
            first: Any = block.get_submodule("conv1")
            second: Any = block.get_submodule("conv2")
            first.stride, second.stride = second.stride, first.stride
    return network


def linear_sums(build: Build) -> nn.Module:
    """No ReLU follows a block's sum."""
    network = build()
    for block in network.modules():
        if isinstance(block, _Residual):
            block.__class__ = type("Linear", (_Linear, type(block)), {})
    return network


class _Linear(_Residual):
    def forward(self, x: Tensor) -> Tensor:
        """Change features, add them to the shortcut."""
        return self.change(x) + (x if self.downsample is None else self.downsample(x))


def same_stem(build: Build) -> nn.Module:
    """The first convolution pads as SAME does: of an even size a pixel less before."""
    network = build()
    conv: Any = network.get_submodule("conv1")
    conv.padding = (0, 0)
    size, stride = conv.kernel_size[0], conv.stride[0]
    conv.register_forward_pre_hook(lambda _, given: (pad_same(given[0], size, stride),))
    return network


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
