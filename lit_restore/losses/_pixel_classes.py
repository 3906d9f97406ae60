"""What the losses of classes per pixel share: their checks, their entropy and their mean."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from lit_restore.losses._wide import wide

IGNORED = 255
"""The class that padding and unlabelled pixels have in label images."""


def prepare(
    logits: Tensor, classes: Tensor, weights: Tensor | None, ignore_index: int | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Check a batch, and take out of it what is ignored.

    Args:
        logits: Shape (N, C, H, W).
        classes: Shape (N, H, W), integers.
        weights: Shape (N, H, W), or None.
        ignore_index: The class of pixels that do not count, or None.

    Returns:
        Logits in at least float32, and 0 where ignored, so that nothing flows back there; classes
        as int64, 0 where ignored; and bool of shape (N, H, W), True where a pixel counts.

    Raises:
        ValueError: If shapes do not fit, the classes are no integers, or one is no class of these
            logits.
    """
    _check_shapes(logits, classes, weights)
    valid = torch.ones_like(classes, dtype=torch.bool)
    if ignore_index is not None:
        valid = classes != ignore_index
    known = classes.where(valid, 0).long()
    _check_range(known, num_classes(logits), ignore_index)
    return wide(logits).where(valid[:, None], 0), known, valid


def num_classes(logits: Tensor) -> int:
    """Tell how many classes logits are of: one channel tells two apart."""
    return max(2, logits.shape[1])


def entropies(logits: Tensor, classes: Tensor) -> Tensor:
    """Give minus the logarithm of the true class's probability, at each pixel.

    Args:
        logits: Shape (N, C, H, W): of a sigmoid if C is 1, of a softmax over C if not.
        classes: Shape (N, H, W), int64.

    Returns:
        Shape (N, H, W), 0 or more.
    """
    if logits.shape[1] == 1:
        truth = classes.to(logits.dtype)
        return F.binary_cross_entropy_with_logits(logits[:, 0], truth, reduction="none")
    # Not F.cross_entropy, which on maps has no deterministic version on a GPU.
    return -logits.log_softmax(1).gather(1, classes[:, None])[:, 0]


def mean_over_valid(
    values: Tensor,
    classes: Tensor,
    valid: Tensor,
    class_weights: Sequence[float] | None = None,
    weights: Tensor | None = None,
) -> Tensor:
    """Average over the pixels that count: ``sum(w_class * w_pixel * value) / sum(w_class)``.

    Args:
        values: Shape (N, H, W).
        classes: The same shape, int64.
        valid: The same shape, bool.
        class_weights: One of each class; None: 1.
        weights: Of each pixel, the same shape; None: 1. No part of the denominator.

    Returns:
        A scalar; 0, with a gradient of 0, where nothing counts.
    """
    share = valid.to(values.dtype)
    if class_weights is not None:
        share = share * values.new_tensor(class_weights)[classes]
    each = values * share
    if weights is not None:
        each = each * weights.to(values.dtype).where(valid, 0)
    total = share.sum()
    return each.sum() / total.where(total > 0, 1)


def check_class_weights(class_weights: Sequence[float] | None) -> tuple[float, ...] | None:
    """Keep weights of classes as plain numbers.

    Raises:
        ValueError: If there are less than two, one is negative, or all are 0.
    """
    if class_weights is None:
        return None
    kept = tuple(float(weight) for weight in class_weights)
    if len(kept) < 2 or not all(weight >= 0 for weight in kept) or not any(kept):
        raise ValueError(
            "expected two or more class weights (background first) of 0 or more, and one above 0; "
            f"got {kept}"
        )
    return kept


def check_number_of_weights(class_weights: Sequence[float] | None, logits: Tensor) -> None:
    """Check that each class has a weight.

    Raises:
        ValueError: If not.
    """
    count = num_classes(logits)
    if class_weights is not None and len(class_weights) != count:
        raise ValueError(
            f"expected {count} class weights for logits of {logits.shape[1]} channel(s), "
            f"got {len(class_weights)}"
        )


def _check_shapes(logits: Tensor, classes: Tensor, weights: Tensor | None) -> None:
    if logits.ndim != 4:
        raise ValueError(f"logits must have shape (N, C, H, W), got {tuple(logits.shape)}")
    expected = (len(logits), *logits.shape[2:])
    if classes.shape != expected:
        raise ValueError(f"classes must have the shape {expected}, got {tuple(classes.shape)}")
    if classes.is_floating_point() or classes.is_complex():
        raise ValueError(f"classes must be integers, got {classes.dtype}")
    if weights is not None and weights.shape != expected:
        raise ValueError(f"weights must have the shape {expected}, got {tuple(weights.shape)}")


def _check_range(known: Tensor, count: int, ignore_index: int | None) -> None:
    if ignore_index is not None and 0 <= ignore_index < count:
        raise ValueError(f"ignore_index must be none of the {count} classes, got {ignore_index}")
    wrong = (known < 0) | (known >= count)
    if wrong.any():
        ignored = "" if ignore_index is None else f", or {ignore_index} where ignored"
        raise ValueError(
            f"classes must be in 0 .. {count - 1}{ignored}; got {int(known[wrong][0])}"
        )
