"""The features of VGG as a whole, thin."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from torch import nn

from lit_restore.models import VGGFeatures
from parity.case import Case
from parity.network import Network, network_case

_WIDTHS = (4, 5, 6, 7, 8)


def _before_relu(build: Callable[[], nn.Module]) -> nn.Module:
    network = build()
    layers = list(network.named_modules())
    network.set_submodule(layers[-1][0], nn.Identity())
    return network


def _case(
    name: str,
    depth: Literal[16, 19],
    inputs: Literal["caffe", "raw"],
    pool: Literal["max", "average"] = "max",
) -> Case:
    layer = "block5_conv3" if depth == 16 else "block5_conv4"
    settings: dict[str, Any] = {"depth": depth, "widths": list(_WIDTHS), "inputs": inputs}
    build = partial(VGGFeatures, depth, layer, inputs, _WIDTHS, pool=pool)
    other = partial(VGGFeatures, depth, layer, "imagenet", _WIDTHS, pool=pool)
    pooled: Literal["max", "average"] = "average" if pool == "max" else "max"
    size = (2, 35, 50)
    return network_case(
        f"vgg{depth}/{name}",
        Network(build, size),
        "vgg.features",
        wrong={
            f"{pooled} pooling": Network(partial(build, pool=pooled), size),
            "before the ReLU": Network(partial(_before_relu, build), size),
            "torchvision's pixels": Network(other, size),
        },
        settings=settings if pool == "max" else settings | {"pool": pool},
    )


CASES = (
    _case("caffe", 16, "caffe"),
    _case("raw", 19, "raw"),
    _case("average_pooling", 19, "caffe", "average"),
)
