"""Losses and scores of segmentation: of one channel, of classes, weighted, ignored."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.losses import DiceLoss, FocalLoss, SegmentationCrossEntropy
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.layout import to_torch

_SIZE = (2, 5, 7)
_PIXELS = 2 * 5 * 7
_CLASSES = 4
_IGNORED = _CLASSES  # the class after the last
_WEIGHTS = (0.25, 1.0, 2.0, 4.0)
_TINY = 1e-30

Loss = Callable[[Tensor, Tensor], Tensor]


def of_maps(loss: Loss, t: Tensors) -> Tensors:
    """Call a loss with logits (N, C, H, W), classes (N, H, W), and weights if there are some."""
    further = {"weights": t["weights"]} if "weights" in t else {}
    return _one(loss(to_torch(t["logits"]), _classes(t), **further))


def of_table(t: Tensors, permuted: bool) -> Tensors:
    """The notes' way: a row of logits for each pixel; F.cross_entropy of rows."""
    maps = to_torch(t["logits"])
    maps = maps.permute(0, 2, 3, 1) if permuted else maps
    return _one(F.cross_entropy(maps.reshape(-1, _CLASSES), _classes(t).reshape(-1)))


def squashed(loss: Loss, t: Tensors) -> Tensors:
    """A loss of what went through sigmoid, or softmax, already."""
    logits = t["logits"]
    twice = logits.sigmoid() if logits.shape[-1] == 1 else logits.softmax(dim=-1)
    return of_maps(loss, t | {"logits": twice})


def of_shares(t: Tensors, smoothing: float = 0.0) -> Tensors:
    """nn.CrossEntropyLoss of rows of logits with shares of the classes."""
    shares = t["shares"] / t["shares"].sum(dim=1, keepdim=True)
    return _one(nn.CrossEntropyLoss(label_smoothing=smoothing)(t["logits"], shares))


def of_likeliest(t: Tensors) -> Tensors:
    """The same of the class with the largest share alone."""
    return _one(nn.CrossEntropyLoss()(t["logits"], t["shares"].argmax(dim=1)))


def over_all(t: Tensors) -> Tensors:
    """Ignored pixels count in the mean, as 0."""
    valid = _classes(t) != _IGNORED
    return _one(_ignoring(to_torch(t["logits"]), _classes(t)) * valid.double().mean().to(_type(t)))


def ignored_as_first(t: Tensors) -> Tensors:
    """Ignored pixels are of the first class."""
    classes = _classes(t)
    return _one(SegmentationCrossEntropy()(to_torch(t["logits"]), classes * (classes != _IGNORED)))


def over_number(t: Tensors) -> Tensors:
    """What class weights make, divided by the number of pixels."""
    each = F.cross_entropy(
        to_torch(t["logits"]), _classes(t), _of_type(t, _WEIGHTS), reduction="none"
    )
    return _one(each.mean())


def over_weights(t: Tensors) -> Tensors:
    """What weights of pixels make, divided by their sum."""
    return _one(of_maps(_PLAIN, t)["output"] / t["weights"].mean())


def per_picture(t: Tensors) -> Tensors:
    """Dice of each picture, and the mean of them."""
    maps, classes = to_torch(t["logits"]), _classes(t)
    losses = [_dice(_TINY)(maps[i : i + 1], classes[i : i + 1]) for i in range(len(maps))]
    return _one(torch.stack(losses).mean())


def squares(t: Tensors) -> Tensors:
    """Dice over the squares of the probabilities, as V-Net has it."""
    likely = _likely(t["logits"])
    true = F.one_hot(_classes(t), 2 if likely.shape[-1] == 1 else _CLASSES).to(likely)
    true = true[..., 1:] if likely.shape[-1] == 1 else true
    sums = (likely.square() + true).sum(dim=(0, 1, 2))
    return _one((1 - 2 * (likely * true).sum(dim=(0, 1, 2)) / sums).mean())


def _likely(logits: Tensor) -> Tensor:
    return logits.sigmoid() if logits.shape[-1] == 1 else logits.softmax(dim=-1)


def _dice(smooth: float, **options: Any) -> DiceLoss:
    return DiceLoss(smooth=smooth, **{"include_background": True, "absent": "count", **options})


def _one(value: Tensor) -> Tensors:
    return {"output": value.reshape(1)}


def _classes(t: Tensors) -> Tensor:
    return t["classes"].floor().long()


def _type(t: Tensors) -> torch.dtype:
    return t["logits"].dtype


def _of_type(t: Tensors, values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values, dtype=_type(t))


_PLAIN = SegmentationCrossEntropy()
_ignoring = SegmentationCrossEntropy(ignore_index=_IGNORED)


def _case(
    name: str,
    reference: str,
    loss: Loss,
    wrong: Mapping[str, Ours],
    channels: int = _CLASSES,
    limit: float = 3.0,
    classes: int = 0,
    **about: Any,
) -> Case:
    """Make a loss's case.

    Args:
        name: Without ``loss/``.
        reference: A function of ``segmentation_losses``.
        loss: Of maps.
        wrong: Ways to err beside logits that are none.
        channels: Of the logits.
        limit: Of the logits.
        classes: How many there are, with the ignored one; 0: as many as channels tell apart.
        **about: Further fields of the case, and ``weighted`` for weights of pixels.
    """
    inputs = {
        "logits": Draw((*_SIZE, channels), -limit, limit),
        "classes": Draw(_SIZE, 0.0, float(classes or max(channels, 2)), kind="constant"),
    }
    if about.pop("weighted", False):
        inputs["weights"] = Draw(_SIZE, 0.5, 4.0, kind="constant")
    return Case(
        name=f"loss/{name}",
        inputs=inputs,
        ours=partial(of_maps, loss),
        reference=f"segmentation_losses.{reference}",
        wrong={"squashed before": partial(squashed, loss), **wrong},
        **{"terms": _PIXELS, "depth": 2, **about},
    )


_SIGMOID_WRONG: dict[str, Ours] = {
    "foreground and background exchanged": lambda t: of_maps(
        lambda logits, classes: _PLAIN(-logits, classes), t
    ),
    "a sum": lambda t: {"output": _PIXELS * of_maps(_PLAIN, t)["output"]},
}
_SOFTMAX_WRONG: dict[str, Ours] = {"not permuted": partial(of_table, permuted=False)}

CASES = (
    _case("segmentation/sigmoid", "sigmoid_cross_entropy", _PLAIN, _SIGMOID_WRONG, 1, limit=60.0),
    _case(
        "segmentation/raw_tensorflow_sigmoid",
        "raw_sigmoid_cross_entropy",
        _PLAIN,
        _SIGMOID_WRONG,
        1,
        limit=60.0,
    ),
    _case(
        "segmentation/weighted_pixels",
        "weighted_cross_entropy",
        _PLAIN,
        {"divided by the weights": over_weights},
        weighted=True,
    ),
    _case("segmentation/softmax", "softmax_cross_entropy", _PLAIN, _SOFTMAX_WRONG, limit=30.0),
    _case(
        "segmentation/raw_tensorflow_softmax",
        "raw_softmax_cross_entropy",
        _PLAIN,
        _SOFTMAX_WRONG,
        limit=30.0,
    ),
    _case(
        "segmentation/ignored",
        "softmax_cross_entropy",
        _ignoring,
        {"mean over all pixels": over_all, "ignored is the first class": ignored_as_first},
        classes=_CLASSES + 1,
        settings={"ignored": _IGNORED},
    ),
    _case(
        "segmentation/class_weights",
        "softmax_cross_entropy",
        SegmentationCrossEntropy(_WEIGHTS),
        {"mean over the number": over_number, "unweighted": partial(of_maps, _PLAIN)},
        settings={"class_weights": list(_WEIGHTS)},
    ),
    _case(
        "segmentation/class_weights_ignored",
        "softmax_cross_entropy",
        SegmentationCrossEntropy(_WEIGHTS, _IGNORED),
        {"unweighted": partial(of_maps, _ignoring)},
        classes=_CLASSES + 1,
        settings={"class_weights": list(_WEIGHTS), "ignored": _IGNORED},
    ),
    *(
        _case(
            f"focal/{name}_gamma{gamma:g}",
            "focal",
            FocalLoss(gamma),
            {
                "cross-entropy": partial(of_maps, _PLAIN),
                "another gamma": partial(of_maps, FocalLoss(gamma + 0.5)),
            },
            channels,
            settings={"gamma": gamma},
            depth=4,
        )
        for name, channels in (("sigmoid", 1), ("softmax", _CLASSES))
        for gamma in (0.5, 2.0)
    ),
    *(
        _case(
            f"dice/{name}",
            "dice",
            _dice(_TINY, include_background=channels > 1),
            {"each picture alone": per_picture, "squares": squares}
            | ({"no background": partial(of_maps, DiceLoss(smooth=_TINY))} if channels > 1 else {}),
            channels,
            settings={"epsilon": _TINY},
            depth=4,
        )
        for name, channels in (("sigmoid", 1), ("softmax", _CLASSES))
    ),
    _case(
        "dice/smooth",
        "dice",
        _dice(2.0),
        {"another constant": partial(of_maps, _dice(1.0))},
        settings={"epsilon": _TINY, "right": 1},
        depth=4,
    ),
    Case(
        name="loss/soft_cross_entropy",
        inputs={
            "logits": Draw((6, _CLASSES), -5.0, 5.0),
            "shares": Draw((6, _CLASSES), 0.0, 1.0, kind="constant"),
        },
        ours=of_shares,
        reference="segmentation_losses.soft_cross_entropy",
        wrong={
            "the likeliest class": of_likeliest,
            "smoothed": partial(of_shares, smoothing=0.01),
        },
        terms=6 * _CLASSES,
        depth=2,
    ),
)
