"""SRCNN and ResNetSR as a whole."""

from collections.abc import Callable
from functools import partial
from typing import Literal

from torch import Tensor, nn

from lit_restore.models import SRCNN, ResNetSR
from lit_restore.nn import KerasBatchNorm2d
from parity.case import Case, Ours, Tensors
from parity.network import Network, network_case

_WIDTHS = (7, 5)
_SHAPE = {"width": 6, "depth": 2}


def _rotated(network: Network, t: Tensors) -> Tensors:
    """Kernels as Theano applies them, turned by 180 degrees."""
    return network({name: v.flip(0, 1) if name.endswith("/kernel") else v for name, v in t.items()})


def _replicated(build: Callable[[], nn.Module]) -> nn.Module:
    """The edge's pixels in place of zeros around the picture."""
    network = build()
    for name, one in network.named_children():
        if isinstance(one, nn.Conv2d):
            size = one.kernel_size[0]
            padded = nn.Conv2d(
                one.in_channels, one.out_channels, size, padding=size // 2, padding_mode="replicate"
            )
            setattr(network, name, padded)
    return network


def _with_last_relu(build: Callable[[], nn.Module]) -> nn.Module:
    network = build()
    network.register_forward_hook(lambda module, inputs, output: output.relu())
    return network


def _srcnn_case(
    kernel_sizes: tuple[int, int, int], padding: Literal["same", "valid"], channels: int
) -> Case:
    build = partial(SRCNN, channels, _WIDTHS, kernel_sizes, padding)
    size = (2, 17, 22)
    network = Network(build, size)
    wrong: dict[str, Ours] = {
        "kernels rotated": partial(_rotated, network),
        "ReLU after the last": Network(partial(_with_last_relu, build), size),
    }
    if padding == "same":
        wrong["edges replicated"] = Network(partial(_replicated, build), size)
    return network_case(
        f"srcnn/{'-'.join(map(str, kernel_sizes))}_{padding}",
        network,
        "super_resolution.srcnn",
        wrong=wrong,
        settings={"widths": list(_WIDTHS), "kernel_sizes": list(kernel_sizes), "padding": padding},
    )


class _WithoutLongSkip(ResNetSR):
    """Features do not go around the blocks."""

    def forward(self, image: Tensor) -> Tensor:
        """Take the long skip away again."""
        stem = self.stem(image).relu()
        self.blocks.register_forward_hook(lambda *call: call[2] - stem)
        return super().forward(image)


def _changed(build: Callable[[], nn.Module], name: str, value: float | bool) -> nn.Module:
    """BatchNorm with another setting."""
    network = build()
    for module in network.modules():
        if isinstance(module, KerasBatchNorm2d):
            setattr(module, name, value)
    return network


def _resnet_case(training: bool) -> Case:
    build = partial(ResNetSR, **_SHAPE)
    size = (2, 7, 10)
    wrong: dict[str, Ours] = {
        "torch's epsilon": Network(partial(_changed, build, "eps", 1e-5), size, training),
        "no long skip": Network(partial(_WithoutLongSkip, **_SHAPE), size, training),
    }
    about: dict[str, object] = {}
    if training:
        bessel = partial(_changed, build, "bessel", True)
        wrong["torch's running variance"] = Network(bessel, size, training)
        biases = [f"blocks.{block}.conv{index}/bias" for block in (0, 1) for index in (1, 2)]
        about["null"] = tuple(biases)
        about["accepted"] = "BatchNorm takes away the bias of the convolution before it"
    return network_case(
        f"resnet_sr/{'train' if training else 'eval'}",
        Network(build, size, training),
        "super_resolution.resnet_sr",
        wrong=wrong,
        settings=dict(_SHAPE),
        **about,
    )


CASES = (
    _srcnn_case((9, 1, 5), "same", 2),
    _srcnn_case((9, 3, 5), "valid", 3),
    *(_resnet_case(training) for training in (False, True)),
)
