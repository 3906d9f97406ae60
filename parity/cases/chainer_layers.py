"""Normalisation, activations and enlarging as Chainer does them; laid out as PyTorch's."""

from functools import partial

import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from lit_restore.nn import KerasBatchNorm2d, UpsampleConcatConv2d
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.cases.chainer_windows import chainer_case, on_image

_IMAGE = (2, 3, 6, 9)
_EPS, _MOMENTUM = 2e-5, 0.1


def normalise(
    t: Tensors,
    training: bool,
    eps: float = _EPS,
    momentum: float = _MOMENTUM,
    bessel: bool = True,
) -> Tensors:
    """KerasBatchNorm2d with Chainer's constants and running variance."""
    layer = KerasBatchNorm2d(t["image"].shape[1], eps, momentum, bessel).train(training)
    kept = {name: t[name].clone() for name in ("running_mean", "running_var")}
    weights = {name: t[name] for name in ("weight", "bias")}
    return {"output": functional_call(layer, weights | kept, (t["image"],))} | kept


def interpolate(t: Tensors, **options: object) -> Tensors:
    """F.interpolate."""
    return {"output": F.interpolate(t["image"], **options)}  # type: ignore[arg-type]


def upsample_concat(t: Tensors, scale: int, folded: bool = True) -> Tensors:
    """UpsampleConcatConv2d."""
    low, skip, weight = t["low"], t["skip"], t["weight"]
    widths = low.shape[1], skip.shape[1], len(weight)
    layer = UpsampleConcatConv2d(*widths, weight.shape[-1], scale, folded)
    return {"output": functional_call(layer, {"weight": weight, "bias": t["bias"]}, (low, skip))}


def joined_backwards(t: Tensors, scale: int) -> Tensors:
    """The two maps in the other order on the channel axis."""
    return upsample_concat(t | {"weight": t["weight"].roll(t["skip"].shape[1], dims=1)}, scale)


def _norm(training: bool) -> Case:
    ours = partial(normalise, training=training)
    wrong: dict[str, Ours] = {
        "Keras's epsilon": partial(ours, eps=1e-3),
        "PyTorch's epsilon": partial(ours, eps=1e-5),
    }
    if training:
        wrong["biased running variance"] = partial(ours, bessel=False)
        wrong["Keras's momentum"] = partial(ours, momentum=0.01)
        wrong["decay as momentum"] = partial(ours, momentum=0.9)
    return chainer_case(
        name=f"layer/chainer_batch_norm/{'train' if training else 'eval'}",
        inputs={
            "image": Draw(_IMAGE),
            "weight": Draw((3,), 0.5, 1.5),
            "bias": Draw((3,)),
            "running_mean": Draw((3,), kind="constant"),
            # Small, since epsilon is: else float32 could not tell it from PyTorch's.
            "running_var": Draw((3,), 0.02, 0.06, kind="constant"),
        },
        ours=ours,
        reference="layers.batch_norm",
        settings={"training": training},
        wrong=wrong,
        terms=2 * 6 * 9,
        depth=2,
    )


def _pointwise(name: str, layer: nn.Module, wrong: dict[str, nn.Module]) -> Case:
    return chainer_case(
        name=f"layer/chainer_{name}",
        inputs={"image": Draw(_IMAGE)},
        ours=on_image(layer),
        reference=f"layers.{name}",
        wrong={what: on_image(one) for what, one in wrong.items()},
    )


def _unpool(scale: int) -> Case:
    return chainer_case(
        name=f"layer/chainer_unpool/x{scale}",
        inputs={"image": Draw(_IMAGE)},
        ours=partial(interpolate, scale_factor=float(scale), mode="nearest"),
        reference="layers.unpool",
        settings={"scale": scale},
        wrong={"bilinear": partial(interpolate, scale_factor=float(scale), mode="bilinear")},
        terms=scale**2,
    )


def _resize(height: int, width: int) -> Case:
    ours = partial(interpolate, size=(height, width), mode="bilinear", align_corners=True)
    return chainer_case(
        name=f"layer/chainer_resize/{height}x{width}",
        inputs={"image": Draw(_IMAGE)},
        ours=ours,
        reference="layers.resize",
        settings={"height": height, "width": width},
        wrong={
            "half pixels": partial(ours, align_corners=False),
            "nearest": partial(interpolate, size=(height, width), mode="nearest"),
        },
        terms=4 * height * width // (6 * 9) + 4,
        precision="float32",
        accepted="Chainer resizes in float32 alone",
    )


def _upsample_concat(scale: int, folded: bool) -> Case:
    return chainer_case(
        name=f"layer/chainer_upsample_concat_conv/k3_x{scale}{'' if folded else '_plain'}",
        inputs={
            "low": Draw((2, 5, 3, 4)),
            "skip": Draw((2, 6, 3 * scale, 4 * scale)),
            "weight": Draw((7, 11, 3, 3)),
            "bias": Draw((7,)),
        },
        ours=partial(upsample_concat, scale=scale, folded=folded),
        reference="layers.upsample_concat_conv",
        settings={"scale": scale},
        wrong={"joined backwards": partial(joined_backwards, scale=scale)},
        terms=max(9 * 11, 2 * 12 * scale**2),
        depth=2,
    )


CASES = (
    _norm(training=False),
    _norm(training=True),
    _pointwise("relu", nn.ReLU(), {"LeakyReLU": nn.LeakyReLU()}),
    _pointwise(
        "leaky_relu",
        nn.LeakyReLU(0.2),
        {"PyTorch's slope": nn.LeakyReLU(), "Keras's slope": nn.LeakyReLU(0.3)},
    ),
    _pointwise("dropout", nn.Dropout(0.5).eval(), {"training": nn.Dropout(0.5)}),
    _unpool(2),
    _unpool(3),
    _resize(13, 16),
    _resize(12, 18),
    _upsample_concat(2, folded=True),
    _upsample_concat(4, folded=True),
    _upsample_concat(2, folded=False),
)
