"""The small mosaic U-Net as a whole."""

from functools import partial

from torch import Tensor, nn
from torch.func import functional_call

from lit_restore.models import SmallMosaicUNet
from parity.arrays import Draw
from parity.case import Case, Tensors
from parity.layout import kernel_to_torch, to_keras, to_torch

_SHAPES = {
    "encoder": (5, 5, 3, 64),
    "bottom": (3, 3, 64, 128),
    "decoder": (5, 5, 192, 64),
    "head": (3, 3, 67, 3),
}


def unet(t: Tensors, folded: bool = True, symmetric: bool = False) -> Tensors:
    """SmallMosaicUNet with the arrays' weights; its layers before activation, too."""
    network = SmallMosaicUNet(folded)
    if symmetric:
        network.encoder = nn.Conv2d(3, 64, 5, stride=4, padding=2)  # type: ignore[assignment]
    layers: Tensors = {}
    for name, module in network.named_children():
        module.register_forward_hook(partial(_keep, layers, name))
    weights = {f"{name}.weight": kernel_to_torch(t[f"{name}/kernel"]) for name in _SHAPES}
    weights |= {f"{name}.bias": t[f"{name}/bias"] for name in _SHAPES}
    output = functional_call(network, weights, to_torch(t["image"]))
    return layers | {"output": to_keras(output)}


def joined_backwards(t: Tensors, layer: str, last: int) -> Tensors:
    """The maps before ``layer`` in the other order; ``last`` is the second one's channels."""
    name = f"{layer}/kernel"
    return unet(t | {name: t[name].roll(last, dims=2)})


def _keep(layers: Tensors, name: str, module: nn.Module, inputs: object, output: Tensor) -> None:
    layers[name] = to_keras(output.clone())  # what follows may overwrite it


def _draws() -> dict[str, Draw]:
    draws = {"image": Draw((2, 12, 20, 3), 0.0, 1.0)}
    for name, shape in _SHAPES.items():
        limit = (3 / (shape[0] * shape[1] * shape[2])) ** 0.5
        draws[f"{name}/kernel"] = Draw(shape, -limit, limit)
        draws[f"{name}/bias"] = Draw(shape[-1:], -0.5, 0.5)
    return draws


CASES = tuple(
    Case(
        name=f"model/small_mosaic_unet{'' if folded else '/plain'}",
        inputs=_draws(),
        ours=partial(unet, folded=folded),
        reference="models.small_mosaic_unet",
        wrong={
            "skip joined backwards": partial(joined_backwards, layer="decoder", last=64),
            "input joined backwards": partial(joined_backwards, layer="head", last=3),
            "symmetric padding": partial(unet, symmetric=True),
        },
        terms=5 * 5 * 192,
        depth=4,
    )
    for folded in (True, False)
)
