"""The residual networks of ImageNet as a whole: thin ones, and those that Keras itself builds."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from torch import nn

from lit_restore.models import ResNet
from parity.case import Case
from parity.cases import segmentation_errors as errors
from parity.network import Network, network_case

Build = Callable[..., nn.Module]

_DEAD = "BatchNorm takes away the bias of the convolution before it"


def _case(
    name: str, size: tuple[int, ...], training: bool = False, own: bool = False, **options: Any
) -> Case:
    """Make a network's case.

    Args:
        name: Without ``model/resnet/``.
        size: As ``Network`` has it.
        training: The mode.
        own: Whether Keras builds its own application.
        **options: Of the network.
    """
    given: dict[str, Any] = {"depths": (1, 2), "num_classes": 5, "style": "keras"}
    given |= {} if own else {"width": 2}
    build = partial(ResNet, **given | options)
    network = Network(build, size, training)
    module: Any = network.module
    names = "num_classes" if own else "block width stem style num_classes"
    settings = {name: getattr(module, name) for name in names.split()}
    wrong: dict[str, Build] = {
        "the stride in another convolution": partial(errors.strides_exchanged, build),
        "no ReLU after the sum": partial(errors.linear_sums, build),
        **errors.of_norms(build, training),
    }
    if module.stem == "imagenet":
        wrong["SAME in the stem"] = partial(errors.same_stem, build)
        wrong["mean pooling"] = partial(errors.mean_pooling, build)
    null = tuple(_null(network)) if training and module.style == "keras" else ()
    return network_case(
        f"resnet/{name}",
        network,
        f"residual_networks.{'application' if own else 'resnet'}",
        wrong={what: Network(one, size, training) for what, one in wrong.items()},
        settings={"depths": list(module.depths), **settings},
        null=null,
        accepted=_DEAD if null else "",
    )


def _null(network: Network) -> list[str]:
    """Name the biases of convolutions, each of which is followed by BatchNorm."""
    convs = [path for path, one in network.layers.items() if isinstance(one, nn.Conv2d)]
    return [f"{path}/bias" for path in convs]


def live() -> tuple[Case, ...]:
    """Make the case of ResNet50 as Keras has it; with one wrong variant, since each takes seconds.

    Gradients count in float64 alone: among so many features some are so near 0 that rounding
    decides whether ReLU passes them.
    """
    case = _case("resnet50", (1, 64, 96), own=True, depths=(3, 4, 6, 3))
    wrong = dict([next(iter(case.wrong.items()))])
    return (replace(case, wrong=wrong, gates32=("output",), mutants=dict),)


CASES = (
    _case("keras_application", (1, 32, 40), own=True, depths=(1, 1)),
    _case("keras_train", (3, 21, 30), True),
    _case("torch_style", (2, 21, 30), style="torch"),
    _case("torch_basic", (2, 21, 30), style="torch", block="basic"),
    _case("small_stem_train", (3, 9, 14), True, stem="small", block="basic"),
)
