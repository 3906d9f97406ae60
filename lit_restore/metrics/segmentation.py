"""How well predicted classes of pixels agree with the true ones, from one table of counts.

The table is the confusion matrix, ``confusion[true, predicted]`` in pixels, of all pictures, and so
a figure is of all pixels of a class together, however they are spread over pictures. That of a
class that is nowhere, neither in the truth nor in the prediction, is NaN.
"""

import torch
from torch import Tensor


def predicted_classes(logits: Tensor, threshold: float = 0.5) -> Tensor:
    """Decide for a class at each pixel.

    Args:
        logits: Shape (N, C, H, W): of a sigmoid if C is 1, of a softmax if not.
        threshold: The least probability of the foreground from which on it is decided for; of one
            channel only. Of several, the likeliest class is.

    Returns:
        Shape (N, H, W), int64.

    Raises:
        ValueError: If the logits have another number of dimensions.
    """
    if logits.ndim != 4:
        raise ValueError(f"logits must have shape (N, C, H, W), got {tuple(logits.shape)}")
    if logits.shape[1] > 1:
        return logits.argmax(1)
    wide = logits[:, 0].to(torch.promote_types(logits.dtype, torch.float32))
    return (wide.sigmoid() >= threshold).long()


def confusion_matrix(
    prediction: Tensor, classes: Tensor, num_classes: int, ignore_index: int | None = 255
) -> Tensor:
    """Count how often each class was taken for which.

    Args:
        prediction: Any shape, int64, in 0 .. ``num_classes`` - 1.
        classes: The same shape, integers in that range, or ``ignore_index``.
        num_classes: At least 2.
        ignore_index: What the truth says of pixels that do not count; None: all do.

    Returns:
        Shape (num_classes, num_classes), int64: rows are the truth, columns the prediction.

    Raises:
        ValueError: If shapes differ, classes are no integers or unknown, or ``ignore_index`` is one
            of them.
    """
    if prediction.shape != classes.shape:
        raise ValueError(
            "prediction and classes must have the same shape, got "
            f"{tuple(prediction.shape)} and {tuple(classes.shape)}"
        )
    if prediction.is_floating_point() or classes.is_floating_point():
        raise ValueError(f"classes must be integers, got {prediction.dtype} and {classes.dtype}")
    check_ignored(ignore_index, num_classes)
    if ignore_index is not None:
        valid = classes != ignore_index
        prediction, classes = prediction[valid], classes[valid]
    _check_range("predicted", prediction, num_classes)
    _check_range("true", classes, num_classes)
    pairs = classes.long() * num_classes + prediction.long()
    counts = torch.bincount(pairs.flatten(), minlength=num_classes**2)
    return counts.view(num_classes, num_classes)


def iou(confusion: Tensor) -> Tensor:
    """Give each class's intersection over union (Jaccard index): ``TP / (TP + FP + FN)``.

    Args:
        confusion: Shape (K, K); rows are the truth.

    Returns:
        Shape (K,), float64, in 0 .. 1 or NaN.
    """
    right, either = _right_and_sum(confusion)
    return right / (either - right)


def dice(confusion: Tensor) -> Tensor:
    """Give each class's Dice coefficient (F1): ``2 TP / (2 TP + FP + FN)``.

    Args:
        confusion: Shape (K, K); rows are the truth.

    Returns:
        Shape (K,), float64, in 0 .. 1 or NaN.
    """
    right, both = _right_and_sum(confusion)
    return 2 * right / both


def foreground_dice(confusion: Tensor) -> Tensor:
    """Give the Dice coefficient of the foreground at the pixels where the truth is foreground.

    Foreground is every class but 0. Only there counted, nothing can be predicted falsely, and the
    coefficient is ``2 TP / (2 TP + FN)``: a function of the recall alone, which a network that
    calls all foreground maximises. It says something only beside a figure that such a network
    fails, such as ``foreground_rand_score`` or ``dice(confusion)[1]``, the plain one.

    Args:
        confusion: Shape (K, K); rows are the truth.

    Returns:
        A scalar, float64, in 0 .. 1, or NaN without any foreground.
    """
    found = confusion[1:, 1:].sum().double()
    missed = confusion[1:, 0].sum()
    return 2 * found / (2 * found + missed)


def pixel_accuracy(confusion: Tensor) -> Tensor:
    """Give the share of pixels whose class was found.

    Args:
        confusion: Shape (K, K); rows are the truth.

    Returns:
        A scalar, float64, in 0 .. 1, or NaN without any pixel.
    """
    return confusion.diagonal().sum().double() / confusion.sum()


def mean_present(values: Tensor) -> Tensor:
    """Average over classes, without those that are nowhere.

    Args:
        values: Shape (K,), NaN where a class is nowhere.

    Returns:
        A scalar, NaN if all are.
    """
    return values.nanmean()


def check_ignored(ignore_index: int | None, num_classes: int) -> None:
    """Check that what is ignored is no class.

    Raises:
        ValueError: If it is one.
    """
    if ignore_index is not None and 0 <= ignore_index < num_classes:
        raise ValueError(
            f"ignore_index must be none of the {num_classes} classes, got {ignore_index}"
        )


def _check_range(name: str, classes: Tensor, num_classes: int) -> None:
    wrong = (classes < 0) | (classes >= num_classes)
    if wrong.any():
        raise ValueError(
            f"{name} classes must be in 0 .. {num_classes - 1}, got {int(classes[wrong][0])}"
        )


def _right_and_sum(confusion: Tensor) -> tuple[Tensor, Tensor]:
    """Give each class's found pixels, and the sum of its true and its predicted ones."""
    sums = confusion.sum(1) + confusion.sum(0)
    return confusion.diagonal().double(), sums.double()
