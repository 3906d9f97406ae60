"""Losses with one value per picture."""

from collections.abc import Callable

from torch import Tensor

from lit_restore.losses import l1_loss, l2_loss
from parity.arrays import Draw
from parity.case import Case, Ours
from parity.layout import to_torch


def pair(function: Callable[[Tensor, Tensor], Tensor]) -> Ours:
    """Call ``function(prediction, target)`` with both in PyTorch's layout."""
    return lambda t: {"output": function(to_torch(t["prediction"]), to_torch(t["target"]))}


def _over_batch(loss: Callable[[Tensor, Tensor], Tensor]) -> Ours:
    return pair(lambda prediction, target: loss(prediction, target).mean().expand(len(target)))


def _over_width(prediction: Tensor, target: Tensor) -> Tensor:
    return (prediction - target).abs().mean(dim=(1, 2)).sum(dim=1)


def _root(prediction: Tensor, target: Tensor) -> Tensor:
    return l2_loss(prediction, target).sqrt()


_PAIR = {
    "prediction": Draw((2, 5, 7, 3), 0.0, 1.0),
    "target": Draw((2, 5, 7, 3), 0.0, 1.0, kind="constant"),
}

CASES = (
    Case(
        name="loss/absolute",
        inputs=_PAIR,
        ours=pair(l1_loss),
        reference="losses.absolute",
        wrong={
            "mean over the batch": _over_batch(l1_loss),
            "sum over the width": pair(_over_width),
        },
        terms=5 * 7 * 3,
    ),
    Case(
        name="loss/squared",
        inputs=_PAIR,
        ours=pair(l2_loss),
        reference="losses.squared",
        wrong={"mean over the batch": _over_batch(l2_loss), "its root": pair(_root)},
        terms=5 * 7 * 3,
    ),
)
