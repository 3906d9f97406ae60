"""Soft Dice loss: how little the predicted and the true region of each class overlap."""

from typing import Literal

import torch
from torch import Tensor, nn

from lit_restore.losses._pixel_classes import IGNORED, prepare

Absent = Literal["skip", "count"]


def dice_loss(
    logits: Tensor,
    classes: Tensor,
    weights: Tensor | None = None,
    ignore_index: int | None = IGNORED,
    smooth: float = 1.0,
    include_background: bool = False,
    absent: Absent = "skip",
) -> Tensor:
    """1 less the Dice coefficient of probabilities and truth, averaged over classes.

    A class's coefficient is ``(2 * sum(p * t) + smooth) / (sum(p) + sum(t) + smooth)``; the sums
    are over all pixels of the batch together, so a picture that barely shows a class does not
    decide about it. A pixel of weight 2 counts in them as two pixels do.

    Args:
        logits: Shape (N, C, H, W): of a sigmoid if C is 1, of a softmax if not.
        classes: Shape (N, H, W), integers.
        weights: Shape (N, H, W), 0 or more; None: 1 everywhere.
        ignore_index: Pixels of this class do not count; None: all do.
        smooth: In pixels; keeps the quotient and its slope small where a class is rare.
        include_background: Whether class 0 is one of the averaged. If not, one channel is judged
            by its foreground alone.
        absent: What becomes of a class that the batch's truth lacks: the mean leaves it out
            (``"skip"``), or holds it against the network wherever it is predicted (``"count"``).

    Returns:
        A scalar in 0 .. 1; 0, with a gradient of 0, where no class counts.

    Raises:
        ValueError: If shapes do not fit, a class is unknown, or an option has no such value.

    Source:
        Milletari et al., "V-Net", 3DV 2016, https://arxiv.org/abs/1606.04797, section 3, whose
        denominator has squares of the probabilities, where this has the probabilities.
    """
    _check_options(smooth, absent)
    logits, classes, valid = prepare(logits, classes, weights, ignore_index)
    counted = valid.to(logits.dtype)
    if weights is not None:
        counted = weights.to(logits.dtype).where(valid, 0)
    found = _probabilities(logits)
    numbers = torch.arange(found.shape[1], device=classes.device).view(-1, 1, 1)
    true = (classes[:, None] == numbers).to(found.dtype)
    first = 0 if include_background else 1
    found, true = found[:, first:] * counted[:, None], true[:, first:]
    overlap, truth = _pooled(found * true), _pooled(true * counted[:, None])
    losses = 1 - (2 * overlap + smooth) / (_pooled(found) + truth + smooth)
    averaged = (truth > 0) | (absent == "count")
    return losses.where(averaged, 0).sum() / averaged.sum().clamp(min=1)


class DiceLoss(nn.Module):
    """``dice_loss`` as a module.

    Args:
        ignore_index: Pixels of this class do not count; None: all do.
        smooth: In pixels; keeps the quotient and its slope small where a class is rare.
        include_background: Whether class 0 is one of the averaged.
        absent: Whether the mean leaves out (``"skip"``) or keeps (``"count"``) a class that the
            batch's truth lacks.

    Raises:
        ValueError: If an option has no such value.
    """

    def __init__(
        self,
        ignore_index: int | None = IGNORED,
        smooth: float = 1.0,
        include_background: bool = False,
        absent: Absent = "skip",
    ) -> None:
        super().__init__()
        _check_options(smooth, absent)
        self.ignore_index = ignore_index
        self.smooth = smooth
        self.include_background = include_background
        self.absent: Absent = absent

    def forward(self, logits: Tensor, classes: Tensor, weights: Tensor | None = None) -> Tensor:
        """Compare logits (N, C, H, W) with classes (N, H, W); returns a scalar."""
        return dice_loss(
            logits,
            classes,
            weights,
            self.ignore_index,
            self.smooth,
            self.include_background,
            self.absent,
        )


def _probabilities(logits: Tensor) -> Tensor:
    """Turn logits to the probabilities of all classes, shape (N, K, H, W) with K at least 2."""
    if logits.shape[1] == 1:
        return torch.cat([(-logits).sigmoid(), logits.sigmoid()], 1)
    return logits.softmax(1)


def _pooled(values: Tensor) -> Tensor:
    return values.sum(dim=(0, 2, 3))


def _check_options(smooth: float, absent: str) -> None:
    if not smooth > 0:
        raise ValueError(f"smooth must be above 0, got {smooth}")
    if absent not in ("skip", "count"):
        raise ValueError(f"absent must be 'skip' or 'count', got {absent!r}")
