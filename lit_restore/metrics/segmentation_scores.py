"""The figures of segmentation in Lightning's loops, of all pixels of all pictures."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from lit_restore.metrics.segmentation import (
    check_ignored,
    confusion_matrix,
    dice,
    iou,
    mean_present,
    pixel_accuracy,
    predicted_classes,
)


class SegmentationScores(Metric):
    """Intersection over union, Dice coefficient and pixel accuracy.

    It keeps the confusion matrix, which sums over batches and processes: figures are of all pixels
    together, not means over pictures. A class that is nowhere, neither in the truth nor in the
    prediction, has NaN and no part in the means; without any pixel, all is NaN.

    Args:
        num_classes: Channels of the logits; 1 tells background and foreground apart, and has
            figures of both.
        class_names: One for each class, two for ``num_classes=1``. None: ``background`` and
            ``foreground``, or ``class_0`` and so on.
        ignore_index: What the truth says of pixels that do not count, as padding; None: all do.
        threshold: For one channel, the least probability of the foreground that decides for it.
        **kwargs: Options of ``torchmetrics.Metric``.

    Raises:
        ValueError: If there is no class, their names are of another number or not different, what
            is ignored is a class, or the threshold is outside 0 .. 1.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    confusion: Tensor

    def __init__(
        self,
        num_classes: int,
        class_names: Sequence[str] | None = None,
        ignore_index: int | None = 255,
        threshold: float = 0.5,
        **kwargs: Any,
    ) -> None:
        if num_classes < 1:
            raise ValueError(f"num_classes must be 1 or more, got {num_classes}")
        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold must be a probability, in 0 .. 1, got {threshold}")
        told_apart = max(2, num_classes)
        check_ignored(ignore_index, told_apart)
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.class_names = _names(class_names, num_classes)
        self.ignore_index = ignore_index
        self.threshold = threshold
        empty = torch.zeros(told_apart, told_apart, dtype=torch.int64)
        self.add_state("confusion", empty, dist_reduce_fx="sum")

    def update(self, logits: Tensor, classes: Tensor) -> None:
        """Add a batch.

        Args:
            logits: Shape (N, num_classes, H, W).
            classes: Shape (N, H, W), integers.

        Raises:
            ValueError: If shapes do not fit, or a class is unknown.
        """
        if logits.ndim != 4 or logits.shape[1] != self.num_classes:
            raise ValueError(
                f"logits must have shape (N, {self.num_classes}, H, W), got {tuple(logits.shape)}"
            )
        prediction = predicted_classes(logits, self.threshold)
        self.confusion += confusion_matrix(
            prediction, classes, len(self.confusion), self.ignore_index
        )

    def compute(self) -> dict[str, Tensor]:
        """Give the figures of all pixels so far.

        Returns:
            Scalars, float32, in 0 .. 1 or NaN: ``miou``, ``pixel_accuracy`` and ``dice``, the first
            and last of which are means over classes; then ``iou_<name>`` and ``dice_<name>`` of
            each class.
        """
        each = {"iou": iou(self.confusion), "dice": dice(self.confusion)}
        figures = {
            "miou": mean_present(each["iou"]),
            "pixel_accuracy": pixel_accuracy(self.confusion),
            "dice": mean_present(each["dice"]),
        }
        for kind, values in each.items():
            figures |= {
                f"{kind}_{name}": value
                for name, value in zip(self.class_names, values, strict=True)
            }
        return {name: value.float() for name, value in figures.items()}


def _names(given: Sequence[str] | None, num_classes: int) -> tuple[str, ...]:
    if given is None and num_classes == 1:
        return ("background", "foreground")
    if given is None:
        return tuple(f"class_{index}" for index in range(num_classes))
    names = tuple(given)
    if len(names) != max(2, num_classes) or len(set(names)) < len(names):
        raise ValueError(
            f"expected {max(2, num_classes)} different class names for num_classes={num_classes}, "
            f"got {names}"
        )
    return names
