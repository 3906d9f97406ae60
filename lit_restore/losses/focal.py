"""Focal loss: cross-entropy in which pixels that are right already count less."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lit_restore.losses._pixel_classes import (
    IGNORED,
    check_class_weights,
    check_number_of_weights,
    entropies,
    mean_over_valid,
    prepare,
)


def focal_loss(
    logits: Tensor,
    classes: Tensor,
    weights: Tensor | None = None,
    gamma: float = 2.0,
    class_weights: Sequence[float] | None = None,
    ignore_index: int | None = IGNORED,
) -> Tensor:
    """Mean over all pixels of ``-(1 - p)**gamma * log(p)``, p the true class's probability.

    With ``gamma=0`` it is ``segmentation_cross_entropy``, and the mean is that one's; the paper,
    which finds objects, divides by the number of those instead. ``class_weights`` are its alpha.

    Args:
        logits: Shape (N, C, H, W): of a sigmoid if C is 1, of a softmax if not.
        classes: Shape (N, H, W), integers.
        weights: Shape (N, H, W), multiplied in; None: 1 everywhere.
        gamma: How much less a pixel counts that is right; 0 or more.
        class_weights: One for each class, the background's first.
        ignore_index: Pixels of this class do not count; None: all do.

    Returns:
        A scalar; 0, with a gradient of 0, where no pixel counts.

    Raises:
        ValueError: If shapes do not fit, a class is unknown or has no weight, or ``gamma`` is
            negative.

    Source:
        Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017,
        https://arxiv.org/abs/1708.02002, section 3.
    """
    _check_gamma(gamma)
    check_number_of_weights(class_weights, logits)
    logits, classes, valid = prepare(logits, classes, weights, ignore_index)
    entropy = entropies(logits, classes)
    # Kept off 0, where a power below 1 has no finite slope.
    wrong = (-torch.expm1(-entropy)).clamp(min=torch.finfo(entropy.dtype).tiny)
    values = wrong**gamma * entropy
    return mean_over_valid(values, classes, valid, class_weights, weights)


class FocalLoss(nn.Module):
    """``focal_loss`` as a module.

    Args:
        gamma: How much less a pixel counts that is right; 0 or more.
        class_weights: One for each class, the background's first; None: all count alike.
        ignore_index: Pixels of this class do not count; None: all do.

    Raises:
        ValueError: If ``gamma`` or a class weight is negative, or all class weights are 0.
    """

    def __init__(
        self,
        gamma: float = 2.0,
        class_weights: Sequence[float] | None = None,
        ignore_index: int | None = IGNORED,
    ) -> None:
        super().__init__()
        _check_gamma(gamma)
        self.gamma = gamma
        self.class_weights = check_class_weights(class_weights)
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, classes: Tensor, weights: Tensor | None = None) -> Tensor:
        """Compare logits (N, C, H, W) with classes (N, H, W); returns a scalar."""
        return focal_loss(
            logits, classes, weights, self.gamma, self.class_weights, self.ignore_index
        )


def _check_gamma(gamma: float) -> None:
    if not gamma >= 0:
        raise ValueError(f"gamma must be 0 or more, got {gamma}")
