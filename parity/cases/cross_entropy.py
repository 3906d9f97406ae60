"""Cross-entropies: of hidden logits, of raw probabilities, of classes."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from lit_restore.losses import probability_bce_loss
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.layout import to_torch

_SHAPE = (2, 5, 7, 3)
_CLASSES = 4


def with_logits(t: Tensors) -> Tensors:
    """F.binary_cross_entropy_with_logits; per pixel."""
    labels = (t["target"] > 0.5).to(t["prediction"].dtype)
    loss = F.binary_cross_entropy_with_logits(t["prediction"], labels, reduction="none")
    return {"output": loss.mean(dim=3)}


def of_sigmoid(t: Tensors, lowest: float = 0.0) -> Tensors:
    """F.binary_cross_entropy of a sigmoid, kept off 0 and 1 by ``lowest``; per pixel."""
    labels = (t["target"] > 0.5).to(t["prediction"].dtype)
    likely = t["prediction"].sigmoid().clamp(lowest, 1 - lowest)
    return {"output": F.binary_cross_entropy(likely, labels, reduction="none").mean(dim=3)}


def of_probabilities(t: Tensors, epsilon: float = 1e-7) -> Tensors:
    """probability_bce_loss."""
    prediction, target = to_torch(t["prediction"]), to_torch(t["target"])
    return {"output": probability_bce_loss(prediction, (target > 0.5).to(prediction), epsilon)}


def in_float32(function: Ours, t: Tensors) -> Tensors:
    """Compute in float32 whatever comes."""
    return function({name: value.float() for name, value in t.items()})


def of_probabilities_by_torch(t: Tensors) -> Tensors:
    """F.binary_cross_entropy, which stops the logarithm at -100."""
    prediction, target = t["prediction"].clamp(0, 1), (t["target"] > 0.5).to(t["prediction"])
    loss = F.binary_cross_entropy(prediction, target, reduction="none")
    return {"output": loss.mean(dim=(1, 2, 3))}


def epsilon_in_logarithm(t: Tensors) -> Tensors:
    """Keras 2's formula."""
    likely, target = t["prediction"].clamp(1e-7, 1 - 1e-7), t["target"] > 0.5
    loss = -torch.where(target, (likely + 1e-7).log(), (1 - likely + 1e-7).log())
    return {"output": loss.mean(dim=(1, 2, 3))}


def of_classes(t: Tensors) -> Tensors:
    """F.cross_entropy of a map and its classes; pixels in the order of (N, H, W)."""
    loss = F.cross_entropy(to_torch(t["prediction"]), _classes(t), reduction="none")
    return {"output": loss.reshape(-1)}


def softmax_twice(t: Tensors) -> Tensors:
    """F.cross_entropy of what went through softmax already."""
    return of_classes(t | {"prediction": t["prediction"].softmax(dim=-1)})


def not_permuted(t: Tensors) -> Tensors:
    """A map in PyTorch's layout, reshaped as if the channels came last."""
    rows = to_torch(t["prediction"]).reshape(-1, _CLASSES)
    return {"output": F.cross_entropy(rows, _classes(t).reshape(-1), reduction="none")}


def clipped(t: Tensors) -> Tensors:
    """The documented formula, on probabilities clipped at 1e-7."""
    likely = t["prediction"].softmax(dim=-1).clamp(1e-7, 1 - 1e-7)
    picked = likely.gather(3, _classes(t)[..., None])
    return {"output": -picked.log().reshape(-1)}


def _classes(t: Tensors) -> Tensor:
    return t["classes"].long()


_LOGITS = {
    "prediction": Draw(_SHAPE, -60.0, 60.0),
    "target": Draw(_SHAPE, 0.0, 1.0, kind="constant"),
}
_WRONG_LOGITS: dict[str, Ours] = {
    "torch's BCELoss of the sigmoid": of_sigmoid,
    "clipped probabilities": partial(of_sigmoid, lowest=1e-7),
}

CASES = (
    Case(
        name="loss/sigmoid_cross_entropy",
        inputs=_LOGITS,
        ours=with_logits,
        reference="losses.sigmoid_cross_entropy",
        wrong=_WRONG_LOGITS,
        terms=3,
    ),
    Case(
        name="loss/probability_cross_entropy",
        inputs=_LOGITS | {"prediction": Draw(_SHAPE, 0.0, 1.0)},
        ours=of_probabilities,
        reference="losses.probability_cross_entropy",
        settings={"dtype": ""},
        wrong={"taken for logits": lambda t: {"output": with_logits(t)["output"].mean((1, 2))}},
        terms=5 * 7 * 3,
    ),
    Case(
        name="loss/probability_cross_entropy/clipped",
        inputs=_LOGITS | {"prediction": Draw(_SHAPE, -0.2, 1.2)},
        ours=partial(in_float32, of_probabilities),
        reference="losses.probability_cross_entropy",
        settings={"dtype": "float32"},
        wrong={
            "torch's BCELoss": partial(in_float32, of_probabilities_by_torch),
            "epsilon in the logarithm": partial(in_float32, epsilon_in_logarithm),
            "another epsilon": partial(in_float32, partial(of_probabilities, epsilon=1e-6)),
        },
        terms=5 * 7 * 3,
        precision="float32",
        accepted="1 - 1e-7 is another number in float32, which is what training clips at",
    ),
    Case(
        name="loss/sparse_cross_entropy",
        inputs={
            "prediction": Draw((2, 5, 7, _CLASSES), -30.0, 30.0),
            "classes": Draw((2, 5, 7), 0.0, float(_CLASSES), kind="constant"),
        },
        ours=of_classes,
        reference="losses.sparse_cross_entropy",
        wrong={
            "not permuted": not_permuted,
            "softmax twice": softmax_twice,
            "clipped probabilities": clipped,
        },
        terms=_CLASSES,
    ),
)
