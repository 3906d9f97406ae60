"""The mosaic U-Nets as a whole: that of the notes, and the one that we train."""

from functools import partial
from typing import Any, Literal

from torch import nn

from lit_restore.models import MosaicUNet, SmallMosaicUNet
from lit_restore.nn import KerasBatchNorm2d, PixelShuffleUpsample
from parity.case import Case, Tensors
from parity.network import Network, network_case


def small(symmetric: bool = False, folded: bool = True) -> nn.Module:
    """The notes' network; or with PyTorch's padding in its strided convolution."""
    network = SmallMosaicUNet(folded)
    if symmetric:
        network.encoder = nn.Conv2d(3, 64, 5, stride=4, padding=2)  # type: ignore[assignment]
    return network


def full(
    skip: Literal["concat", "add"], squeeze_excite: bool, output: Literal["residual", "sigmoid"]
) -> nn.Module:
    """MosaicUNet with Keras's BatchNorm."""
    return KerasBatchNorm2d.convert(
        MosaicUNet(
            widths=_WIDTHS,
            dilations=(1, 2),
            skip=skip,
            squeeze_excite=squeeze_excite,
            output=output,
        )
    )


def _shuffled_otherwise(build: partial[nn.Module]) -> nn.Module:
    network = build()
    for module in network.modules():
        if isinstance(module, PixelShuffleUpsample):
            module.order = "tensorflow"
    return network


def _epsilon_of_torch(build: partial[nn.Module]) -> nn.Module:
    network = build()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-5
    return network


def _joined_backwards(network: Network, layer: str, last: int, t: Tensors) -> Tensors:
    """The maps before ``layer`` in the other order; ``last`` is the second one's channels."""
    name = f"{layer}/kernel"
    return network(t | {name: t[name].roll(last, dims=2)})


def _small_case(folded: bool) -> Case:
    network = Network(partial(small, folded=folded), (2, 12, 20))
    return network_case(
        f"small_mosaic_unet{'' if folded else '/plain'}",
        network,
        "models.small_mosaic_unet",
        wrong={
            "skip joined backwards": partial(_joined_backwards, network, "decoder", 64),
            "input joined backwards": partial(_joined_backwards, network, "head", 3),
            "symmetric padding": Network(partial(small, True, folded), (2, 12, 20)),
        },
    )


def _full_case(training: bool, **options: Any) -> Case:
    build = partial(full, **options)
    size = (2, 16, 24)
    return network_case(
        f"mosaic_unet/{options['output']}_{'train' if training else 'eval'}",
        Network(build, size, training),
        "models.mosaic_unet",
        wrong={
            "another shuffle": Network(partial(_shuffled_otherwise, build), size, training),
            "torch's epsilon": Network(partial(_epsilon_of_torch, build), size, training),
        },
        settings={"widths": list(_WIDTHS), **options},
    )


_WIDTHS = (32, 48)
_RESIDUAL: dict[str, Any] = {"skip": "add", "squeeze_excite": False, "output": "residual"}
_NOTES: dict[str, Any] = {"skip": "concat", "squeeze_excite": True, "output": "sigmoid"}

CASES = (
    *(_small_case(folded) for folded in (True, False)),
    *(
        _full_case(training, **options)
        for options in (_NOTES, _RESIDUAL)
        for training in (False, True)
    ),
)
