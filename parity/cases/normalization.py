"""The four normalisations of the notes; images of small contrast, which show the epsilon."""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from lit_restore.nn import ChannelLayerNorm2d, KerasBatchNorm2d, StdInstanceNorm2d
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.layout import to_keras, to_torch

_SHAPE = (2, 5, 7, 6)
_IMAGE = {"image": Draw(_SHAPE, -0.3, 0.1)}
_AFFINE = {"gamma": Draw((6,), 0.5, 1.5), "beta": Draw((6,))}
_MOVING = {
    "moving_mean": Draw((6,), kind="constant"),
    "moving_variance": Draw((6,), 0.002, 0.02, kind="constant"),
}


def batch_norm(
    t: Tensors, training: bool, eps: float = 1e-3, momentum: float = 0.01, bessel: bool = False
) -> Tensors:
    """KerasBatchNorm2d with the arrays' weights, and its statistics afterwards."""
    layer = KerasBatchNorm2d(len(t["gamma"]), eps, momentum, bessel).train(training)
    mean, variance = t["moving_mean"].clone(), t["moving_variance"].clone()
    weights = {"weight": t["gamma"], "bias": t["beta"]}
    states = {"running_mean": mean, "running_var": variance}
    output = functional_call(layer, weights | states, to_torch(t["image"]))
    return {"output": to_keras(output), "moving_mean": mean, "moving_variance": variance}


def one_pass(t: Tensors) -> Tensors:
    """The variance as the mean square less the squared mean."""
    right = batch_norm(t, training=True)
    image = t["image"]
    mean = image.mean(dim=(0, 1, 2))
    variance = (image.square().mean(dim=(0, 1, 2)) - mean.square()).clamp_min(0)
    output = (image - mean) / (variance + 1e-3).sqrt() * t["gamma"] + t["beta"]
    return right | {"output": output}


def layer(make: Callable[[int], nn.Module], t: Tensors) -> Tensors:
    """A layer that is made for so many channels, with the arrays' weights if there are any."""
    image = to_torch(t["image"])
    weights = {"weight": t["gamma"], "bias": t["beta"]} if "gamma" in t else {}
    module = make(image.shape[1]).to(image.dtype)
    return {"output": to_keras(functional_call(module, weights, image))}


def contributed(t: Tensors) -> Tensors:
    """StdInstanceNorm2d."""
    return layer(partial(StdInstanceNorm2d, affine=True), t)


def interleaved(t: Tensors, groups: int) -> Tensors:
    """Group normalisation whose groups take every so many channels, not neighbours."""
    image = to_torch(t["image"])
    order = torch.arange(image.shape[1]).reshape(groups, -1).T.reshape(-1)
    normal = F.group_norm(image[:, order], groups, eps=1e-3)[:, order.argsort()]
    return {"output": to_keras(normal * t["gamma"][:, None, None] + t["beta"][:, None, None])}


def over_width(t: Tensors) -> Tensors:
    """Layer normalisation of each row, PyTorch's last axis."""
    image = to_torch(t["image"])
    normal = F.layer_norm(image, image.shape[-1:], eps=1e-3)
    return {"output": to_keras(normal * t["gamma"][:, None, None] + t["beta"][:, None, None])}


def _instance(eps: float, affine: bool = False) -> Ours:
    return partial(layer, partial(nn.InstanceNorm2d, eps=eps, affine=affine))


def _group(groups: int, eps: float) -> Ours:
    return partial(layer, lambda channels: nn.GroupNorm(groups, channels, eps))


def _batch_norm_case(training: bool) -> Case:
    ours = partial(batch_norm, training=training)
    wrong: dict[str, Ours] = {"torch's epsilon": partial(ours, eps=1e-5)}
    if training:
        wrong["torch's momentum"] = partial(ours, momentum=0.1)
        wrong["Keras's momentum"] = partial(ours, momentum=0.99)
        wrong["Bessel's correction"] = partial(ours, bessel=True)
    else:
        wrong["in training mode"] = partial(ours, training=True)
    return Case(
        name=f"layer/batch_norm/{'train' if training else 'eval'}",
        inputs=_IMAGE | _AFFINE | _MOVING,
        ours=ours,
        reference="normalization.batch_norm",
        settings={"training": training},
        wrong=wrong,
        terms=2 * 5 * 7,
        depth=3,
    )


_FAR = 1000


CASES = (
    *(_batch_norm_case(training) for training in (False, True)),
    Case(
        name="layer/batch_norm/train_mean_1000",
        inputs={"image": Draw(_SHAPE, _FAR - 1.0, _FAR + 1.0)} | _AFFINE | _MOVING,
        ours=partial(batch_norm, training=True),
        reference="normalization.batch_norm",
        settings={"training": True},
        wrong={"variance in one pass": one_pass},
        terms=2 * 5 * 7,
        depth=3 * 2 * _FAR,  # the mean is rounded, and is so many times the deviation
    ),
    Case(
        name="layer/batch_norm/train_fused",
        inputs=_IMAGE | _AFFINE | _MOVING,
        ours=partial(batch_norm, training=True, bessel=True),
        reference="normalization.fused_batch_norm",
        wrong={"no Bessel's correction": partial(batch_norm, training=True)},
        terms=2 * 5 * 7,
        depth=3,
        precision="float32",
        accepted="TensorFlow's fused kernel takes float32 only",
    ),
    Case(
        name="layer/instance_norm",
        inputs=_IMAGE,
        ours=_instance(1e-3),
        reference="normalization.instance_norm",
        wrong={
            "torch's epsilon": _instance(1e-5),
            "deviation plus epsilon": partial(layer, StdInstanceNorm2d),
            "over the batch": lambda t: layer(lambda n: nn.BatchNorm2d(n, 1e-3), t),
        },
        terms=5 * 7,
        depth=3,
    ),
    Case(
        name="layer/instance_norm/contributed",
        inputs=_IMAGE | _AFFINE,
        ours=contributed,
        reference="normalization.contributed_instance_norm",
        wrong={"root of variance plus epsilon": _instance(1e-3, affine=True)},
        terms=2 * 5 * 7,
        depth=3,
    ),
    *(
        Case(
            name=f"layer/group_norm/g{groups}",
            inputs=_IMAGE | _AFFINE,
            ours=_group(groups, 1e-3),
            reference="normalization.group_norm",
            settings={"groups": groups},
            wrong={
                "torch's epsilon": _group(groups, 1e-5),
                "other groups": _group(1, 1e-3),
                **({"interleaved": partial(interleaved, groups=groups)} if groups < 6 else {}),
            },
            terms=max(2 * 5 * 7, 5 * 7 * 6 // groups),
            depth=3,
        )
        for groups in (2, 3, 6)
    ),
    Case(
        name="layer/layer_norm",
        inputs=_IMAGE | _AFFINE,
        ours=partial(layer, ChannelLayerNorm2d),
        reference="normalization.layer_norm",
        wrong={
            "torch's epsilon": partial(layer, partial(ChannelLayerNorm2d, eps=1e-5)),
            "over the width": over_width,
            "over the whole image": _group(1, 1e-3),
        },
        terms=2 * 5 * 7,
        depth=3,
    ),
)
