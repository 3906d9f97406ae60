"""The losses of segmentation as Chainer does them, with ignored pixels, and its Adam."""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import Adam, Optimizer

from lit_restore.losses import SegmentationCrossEntropy
from lit_restore.optim import KerasAdam
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.cases.chainer_windows import chainer_case

_COUNT, _CLASSES, _HEIGHT, _WIDTH = 2, 4, 5, 7
_PIXELS = _COUNT * _HEIGHT * _WIDTH
_STEPS = 40
# A sum of powers of 2 each: so float32 has them, and KerasAdam, which rounds them, too.
_BETAS = (0.875, 1 - 2**-10)
_RATE = 2**-10


def ignoring(t: Tensors) -> Tensors:
    """SegmentationCrossEntropy; of the sigmoid if there is but one channel."""
    classes = t["classes"].floor().long().reshape(_COUNT, _HEIGHT, _WIDTH)
    return {"output": SegmentationCrossEntropy(ignore_index=-1)(t["scores"], classes)}


def softmax(t: Tensors, ignored: int = -1, reduction: str = "mean") -> Tensors:
    """F.cross_entropy; a mean over all pixels where ``reduction`` is ``"sum"``."""
    classes = t["classes"].floor().long()
    if ignored != -1:
        classes = classes.clamp(min=0)
    loss = F.cross_entropy(t["scores"], classes, ignore_index=ignored, reduction=reduction)
    return {"output": loss / _PIXELS if reduction == "sum" else loss}


def reshaped(t: Tensors) -> Tensors:
    """The scores made a table without moving the classes last."""
    table = t["scores"].reshape(-1, _CLASSES)
    return {
        "output": F.cross_entropy(table, t["classes"].floor().long().reshape(-1), ignore_index=-1)
    }


def over_all(t: Tensors) -> Tensors:
    """F.binary_cross_entropy_with_logits, a mean over all pixels, ignored ones, too."""
    classes = t["classes"].floor()
    valid = (classes >= 0).to(classes.dtype)
    return {"output": F.binary_cross_entropy_with_logits(t["scores"], classes.clamp(min=0), valid)}


def twice_squashed(t: Tensors) -> Tensors:
    """The sigmoid's result taken for scores."""
    return ignoring(t | {"scores": t["scores"].sigmoid()})


def steps(t: Tensors, make: Callable[[list[nn.Parameter]], Optimizer]) -> Tensors:
    """Where the parameter is after each step, from its start."""
    parameter = nn.Parameter(t["start"].clone())
    optimizer = make([parameter])
    places = []
    for gradient in t["gradients"]:
        parameter.grad = gradient
        optimizer.step()
        places.append(parameter.detach() - t["start"])
    return {"output": torch.stack(places)}


def _adam_case(scale: float) -> Case:
    def with_class(kind: Callable[..., Optimizer], eps: float = 1e-8) -> Ours:
        return partial(steps, make=partial(kind, lr=_RATE, betas=_BETAS, eps=eps))

    return chainer_case(
        name=f"optimizer/chainer_adam/{scale:.0e}",
        inputs={
            "start": Draw((3, 5), -1e-4, 1e-4, kind="constant"),
            "gradients": Draw((_STEPS, 3, 5), -scale, scale, kind="constant"),
        },
        ours=with_class(KerasAdam),
        reference="losses.adam",
        settings={"beta1": _BETAS[0], "beta2": _BETAS[1], "lr": _RATE},
        wrong={"PyTorch's Adam": with_class(Adam), "Keras's epsilon": with_class(KerasAdam, 1e-7)},
        terms=_STEPS,
        depth=2,
    )


CASES = (
    chainer_case(
        name="loss/chainer_softmax_cross_entropy",
        inputs={
            "scores": Draw((_COUNT, _CLASSES, _HEIGHT, _WIDTH), -3.0, 3.0),
            "classes": Draw((_COUNT, _HEIGHT, _WIDTH), -1.0, _CLASSES, kind="constant"),
        },
        ours=ignoring,
        reference="losses.softmax_cross_entropy",
        wrong={
            "ignored pixels are the first class": partial(softmax, ignored=-100),
            "mean over all pixels": partial(softmax, reduction="sum"),
            "table without moving the classes": reshaped,
        },
        terms=_PIXELS,
        depth=2,
    ),
    chainer_case(
        name="loss/chainer_sigmoid_cross_entropy",
        inputs={
            "scores": Draw((_COUNT, 1, _HEIGHT, _WIDTH), -3.0, 3.0),
            "classes": Draw((_COUNT, 1, _HEIGHT, _WIDTH), -1.0, 2.0, kind="constant"),
        },
        ours=ignoring,
        reference="losses.sigmoid_cross_entropy",
        wrong={
            "mean over all pixels": over_all,
            "sigmoid twice": twice_squashed,
        },
        terms=_PIXELS,
    ),
    *(_adam_case(scale) for scale in (1e-4, 1e-6, 1e-8)),
)
