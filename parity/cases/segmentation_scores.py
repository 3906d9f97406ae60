"""Scores of segmentation: of every class, and their means."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from lit_restore.metrics import confusion_matrix, dice, iou, mean_present, pixel_accuracy
from lit_restore.metrics.segmentation import predicted_classes
from parity.arrays import Draw
from parity.case import Case, Tensors
from parity.layout import to_torch

_SIZE = (2, 9, 13)
_CLASSES = 4
_FLOAT32 = "Keras computes it in float32 whatever it is given, and adds 1e-7 to denominators"


def scores(t: Tensors, count: int, ignored: int | None) -> Tensors:
    """iou, mean_present, dice and pixel_accuracy; 0 of a class that is nowhere."""
    return _of(_confusion(t, count, ignored))


def _of(confusion: Tensor) -> Tensors:
    return {
        "output": iou(confusion).nan_to_num(0.0),
        "mean": mean_present(iou(confusion)).reshape(1),
        "dice": dice(confusion).nan_to_num(0.0),
        "accuracy": pixel_accuracy(confusion).reshape(1),
    }


def _confusion(t: Tensors, count: int, ignored: int | None) -> Tensor:
    likeliest = predicted_classes(to_torch(t["logits"]))
    return confusion_matrix(likeliest, t["classes"].floor().long(), count, ignored)


def of_pictures(t: Tensors, count: int, ignored: int | None) -> Tensors:
    """The mean of each picture's scores."""
    pictures = [
        scores({name: value[index : index + 1] for name, value in t.items()}, count, ignored)
        for index in range(_SIZE[0])
    ]
    return {name: torch.stack([one[name] for one in pictures]).mean(dim=0) for name in pictures[0]}


def mean_of_all(t: Tensors, count: int, ignored: int | None) -> Tensors:
    """A class that is nowhere enters the mean, as 0."""
    found = scores(t, count, ignored)
    return found | {"mean": found["output"].mean().reshape(1)}


def recall(t: Tensors, count: int, ignored: int | None) -> Tensors:
    """Of each class, the share of its true pixels that was found."""
    confusion = _confusion(t, count, ignored)
    found = confusion.diagonal() / confusion.sum(dim=1).clamp(min=1)
    return scores(t, count, ignored) | {"output": found, "mean": found.mean().reshape(1)}


def ignored_too(t: Tensors, count: int, ignored: int | None) -> Tensors:
    """Ignored pixels are of the first class."""
    classes = t["classes"] * (t["classes"].floor() != ignored)
    return scores(t | {"classes": classes}, count, None)


def _case(name: str, classes: int = _CLASSES, count: int = _CLASSES) -> Case:
    ignored = classes - 1 if classes > _CLASSES else None
    about: dict[str, Any] = {"count": count, "ignored": ignored}
    wrong = {"means of pictures": of_pictures, "recall": recall}
    if count > _CLASSES:
        wrong["mean of all classes"] = mean_of_all
    if ignored:
        wrong["ignored is the first class"] = ignored_too
    return Case(
        name=f"metric/segmentation/{name}",
        inputs={
            "logits": Draw((*_SIZE, _CLASSES), kind="constant"),
            "classes": Draw(_SIZE, 0.0, float(classes), kind="constant"),
        },
        ours=partial(scores, **about),
        reference="segmentation_losses.scores",
        settings=about,
        wrong={what: partial(function, **about) for what, function in wrong.items()},
        terms=2 * 9 * 13,
        precision="float32",
        accepted=_FLOAT32,
    )


CASES = (
    _case("classes"),
    _case("a_class_that_is_nowhere", count=_CLASSES + 1),
    _case("ignored", classes=_CLASSES + 1),
)
