"""The networks of partial convolutions as a whole, and trained; fed with pictures and masks."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn

from lit_restore.models import PartialConvNet, PartialConvUNet
from lit_restore.nn import KerasBatchNorm2d, PartialConv2d, PartialUpConv2d, RegionNorm2d
from parity.case import Case, Ours, Tensors
from parity.network import Network, network_case
from parity.trajectory import trajectory_case

Build = Callable[[], nn.Module]

_SIZE = (2, 32, 40)
_SCALE = 0.1
_NET_WIDTHS = [6, 13, 26, 26, 13, 13, 3]
_UNET: dict[str, Any] = {"widths": (5, 7, 6), "kernel_sizes": (5, 3)}
_SLOPE = float(torch.tensor(0.2))  # Keras keeps slopes in float32


def _net(norm: Any, folded: bool | None = None) -> nn.Module:
    return _with_fold(PartialConvNet(norm, _SCALE), folded)


def _unet(norm: Any, formula: Any, folded: bool | None = None) -> nn.Module:
    """The paper's U-Net with Keras's BatchNorm and slope."""
    network = KerasBatchNorm2d.convert(PartialConvUNet(norm=norm, normalize=formula, **_UNET))
    for module in network.modules():
        if isinstance(module, nn.LeakyReLU):
            module.negative_slope = _SLOPE
    return _with_fold(network, folded)


def _with_fold(network: nn.Module, folded: bool | None) -> nn.Module:
    for module in network.modules():
        if isinstance(module, PartialUpConv2d):
            module.folded = folded
    return network


def _other_formula(build: Build) -> nn.Module:
    network = build()
    for module in network.modules():
        if isinstance(module, PartialConv2d):
            module.normalize = "count" if module.normalize == "coverage" else "coverage"
    return network


def _epsilon(build: Build) -> nn.Module:
    network = build()
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm2d, RegionNorm2d)):
            module.eps = 1e-4
    return network


def _mask_forgotten(network: Network, t: Tensors) -> Tensors:
    """Every pixel as if it were valid."""
    return network(t | {"mask": torch.ones_like(t["mask"])})


def _skips_unmasked(build: Build) -> nn.Module:
    """The skips' masks say that everything is valid."""
    network = build()
    for module in network.modules():
        if isinstance(module, PartialUpConv2d):
            module.register_forward_pre_hook(
                lambda layer, given: (*given[:3], torch.ones_like(given[3]))
            )
    return network


def _wrong(build: Build, training: bool, norm: str) -> dict[str, Ours]:
    def network(make: Build) -> Network:
        return Network(make, _SIZE, training, masked=True)

    wrong: dict[str, Ours] = {
        "the other formula": network(partial(_other_formula, build)),
        "mask forgotten": partial(_mask_forgotten, network(build)),
    }
    if norm != "none":
        wrong["another epsilon"] = network(partial(_epsilon, build))
    return wrong


def _net_case(norm: str, training: bool) -> Case:
    build = partial(_net, norm)
    return network_case(
        f"partial_conv_net/{norm}_{'train' if training else 'eval'}",
        Network(build, _SIZE, training, masked=True),
        "partial_convolutions.partial_conv_net",
        wrong=_wrong(build, training, norm),
        settings={"widths": _NET_WIDTHS, "norm": norm},
    )


def _unet_case(norm: str, formula: str, training: bool = False, folded: bool | None = None) -> Case:
    build = partial(_unet, norm, formula, folded)
    suffix = {None: "", True: "_folded", False: "_plain"}[folded]
    network = Network(build, _SIZE, training, masked=True)
    unmasked = Network(partial(_skips_unmasked, build), _SIZE, training, masked=True)
    return network_case(
        f"partial_conv_unet/{norm}_{formula}_{'train' if training else 'eval'}{suffix}",
        network,
        "partial_convolutions.partial_conv_unet",
        wrong={**_wrong(build, training, norm), "skips unmasked": unmasked},
        settings={
            "widths": list(_UNET["widths"]),
            "kernel_sizes": list(_UNET["kernel_sizes"]),
            "norm": norm,
            "formula": formula,
        },
    )


CASES = (
    *(_net_case("batch", training) for training in (False, True)),
    _net_case("region", training=True),
    *(_unet_case("batch", "coverage", training) for training in (False, True)),
    _unet_case("region", "coverage"),
    _unet_case("none", "coverage", folded=True),
    _unet_case("none", "count", folded=False),
    trajectory_case(
        "partial_conv_net/adam",
        Network(partial(_net, "batch"), _SIZE, masked=True),
        "partial_convolutions.partial_conv_net",
        "MeanAbsoluteError",
        settings={"widths": _NET_WIDTHS, "norm": "batch"},
    ),
)
