"""The features of VGG as a whole, thin."""

from collections.abc import Callable
from functools import partial
from typing import Literal

from torch import nn

from lit_restore.models import VGGFeatures
from parity.case import Case
from parity.network import Network, network_case

_WIDTHS = (4, 5, 6, 7, 8)


def _averaged(build: Callable[[], nn.Module]) -> nn.Module:
    """Average pooling, as style transfer sometimes has it."""
    network = build()
    for path, module in list(network.named_modules()):
        if isinstance(module, nn.MaxPool2d):
            network.set_submodule(path, nn.AvgPool2d(2))
    return network


def _before_relu(build: Callable[[], nn.Module]) -> nn.Module:
    network = build()
    layers = list(network.named_modules())
    network.set_submodule(layers[-1][0], nn.Identity())
    return network


def _case(depth: Literal[16, 19], inputs: Literal["caffe", "raw"]) -> Case:
    layer = "block5_conv3" if depth == 16 else "block5_conv4"
    build = partial(VGGFeatures, depth, layer, inputs, _WIDTHS)
    other = partial(VGGFeatures, depth, layer, "imagenet", _WIDTHS)
    size = (2, 35, 50)
    return network_case(
        f"vgg{depth}/{inputs}",
        Network(build, size),
        "vgg.features",
        wrong={
            "average pooling": Network(partial(_averaged, build), size),
            "before the ReLU": Network(partial(_before_relu, build), size),
            "torchvision's pixels": Network(other, size),
        },
        settings={"depth": depth, "widths": list(_WIDTHS), "inputs": inputs},
    )


CASES = (_case(16, "caffe"), _case(19, "raw"))
