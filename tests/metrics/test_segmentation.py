"""Tests of lit_restore.metrics.segmentation."""

import math

import pytest
import torch
from sklearn.metrics import confusion_matrix as sklearn_confusion
from sklearn.metrics import f1_score, jaccard_score
from torch import Tensor

from lit_restore.metrics import (
    confusion_matrix,
    dice,
    foreground_dice,
    iou,
    mean_present,
    pixel_accuracy,
    predicted_classes,
)


def pair(classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """A prediction that is right two times in three, and the truth."""
    generator = torch.Generator().manual_seed(seed)
    truth = torch.randint(classes, (3, 11, 7), generator=generator)
    other = torch.randint(classes, truth.shape, generator=generator)
    return other.where(torch.rand(truth.shape, generator=generator) < 0.4, truth), truth


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_figures_are_scikit_learns(classes: int) -> None:
    prediction, truth = pair(classes)
    flat = truth.flatten().numpy(), prediction.flatten().numpy()
    confusion = confusion_matrix(prediction, truth, classes)
    assert confusion.tolist() == sklearn_confusion(*flat).tolist()
    assert iou(confusion).tolist() == pytest.approx(jaccard_score(*flat, average=None))
    assert dice(confusion).tolist() == pytest.approx(f1_score(*flat, average=None))
    accuracy = (prediction == truth).double().mean().item()
    assert pixel_accuracy(confusion).item() == pytest.approx(accuracy)


def test_rows_are_the_truth_and_columns_the_prediction() -> None:
    confusion = confusion_matrix(torch.tensor([1, 1, 1]), torch.tensor([0, 2, 2]), 3)
    assert confusion.tolist() == [[0, 1, 0], [0, 0, 0], [0, 2, 0]]


def test_ignored_pixels_are_in_no_count_whatever_is_predicted_there() -> None:
    prediction, truth = pair(3)
    expected = confusion_matrix(prediction[1:], truth[1:], 3)
    truth[0] = 255
    prediction[0] = 99
    assert torch.equal(confusion_matrix(prediction, truth, 3), expected)
    assert torch.equal(confusion_matrix(prediction, truth.where(truth < 3, 7), 3, 7), expected)
    assert torch.equal(confusion_matrix(prediction, truth.to(torch.uint8), 3), expected)


def test_a_class_that_is_nowhere_is_nan_and_in_no_mean() -> None:
    confusion = confusion_matrix(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]), 3)
    for figure in (iou(confusion), dice(confusion)):
        assert figure.isnan().tolist() == [False, False, True]
        assert mean_present(figure).item() == pytest.approx(figure[:2].mean().item())
    only_predicted = confusion_matrix(torch.tensor([0, 2, 1]), torch.tensor([0, 1, 1]), 3)
    assert iou(only_predicted).tolist() == [1, 0.5, 0]


def test_without_any_pixel_all_is_nan() -> None:
    nothing = torch.zeros(3, 3, dtype=torch.int64)
    for figure in (iou(nothing), dice(nothing), pixel_accuracy(nothing), foreground_dice(nothing)):
        assert figure.isnan().all()
    assert mean_present(iou(nothing)).isnan()


def test_the_foregrounds_dice_is_the_plain_one_of_the_pixels_where_the_truth_is_foreground() -> (
    None
):
    prediction, truth = pair(2)
    inside = truth == 1
    restricted = confusion_matrix(prediction[inside], truth[inside], 2)
    confusion = confusion_matrix(prediction, truth, 2)
    assert foreground_dice(confusion) == dice(restricted)[1]
    assert foreground_dice(confusion) > dice(confusion)[1]
    (_, _), (missed, found) = confusion.tolist()
    assert foreground_dice(confusion).item() == pytest.approx(2 * found / (2 * found + missed))


def test_calling_all_foreground_is_what_only_the_restricted_dice_rewards() -> None:
    _, truth = pair(2)
    confusion = confusion_matrix(torch.ones_like(truth), truth, 2)
    assert foreground_dice(confusion) == 1
    assert dice(confusion)[1] < 0.75


def test_of_several_classes_all_but_the_first_are_foreground() -> None:
    prediction, truth = pair(4)
    several = foreground_dice(confusion_matrix(prediction, truth, 4))
    assert several == foreground_dice(confusion_matrix(prediction.sign(), truth.sign(), 2))


def test_of_several_channels_the_likeliest_is_predicted() -> None:
    logits = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(predicted_classes(logits), logits.softmax(1).argmax(1))
    assert torch.equal(predicted_classes(logits, threshold=0.9), logits.argmax(1))


@pytest.mark.parametrize(("threshold", "expected"), [(0.5, [0, 1, 1]), (0.9, [0, 0, 1])])
def test_one_channel_is_foreground_from_the_threshold_on(
    threshold: float, expected: list[int]
) -> None:
    logits = torch.tensor([-0.01, 0.0, 5.0]).view(1, 1, 1, 3)
    assert predicted_classes(logits, threshold).flatten().tolist() == expected


def test_half_precision_logits_are_not_rounded_across_the_threshold() -> None:
    """sigmoid(-0.003) is 0.49925, which bfloat16 rounds to 0.5."""
    logits = torch.full((1, 1, 1, 1), -0.003, dtype=torch.bfloat16)
    assert logits.sigmoid().item() == 0.5
    assert predicted_classes(logits).item() == 0


def test_what_cannot_be_counted_is_refused() -> None:
    prediction, truth = pair(3)
    with pytest.raises(ValueError, match=r"\(2, 11, 7\) and \(3, 11, 7\)"):
        confusion_matrix(prediction[1:], truth, 3)
    with pytest.raises(ValueError, match=r"true classes must be in 0 \.\. 2, got 4"):
        confusion_matrix(prediction, truth.where(truth < 2, 4), 3)
    with pytest.raises(ValueError, match=r"true classes must be in 0 \.\. 2, got 255"):
        confusion_matrix(prediction, truth.where(truth < 2, 255), 3, ignore_index=None)
    with pytest.raises(ValueError, match=r"predicted classes must be in 0 \.\. 2, got -1"):
        confusion_matrix(prediction.where(prediction < 2, -1), truth, 3)
    with pytest.raises(ValueError, match="must be integers"):
        confusion_matrix(prediction.float(), truth, 3)
    with pytest.raises(ValueError, match="none of the 3 classes, got 1"):
        confusion_matrix(prediction, truth, 3, ignore_index=1)
    with pytest.raises(ValueError, match=r"\(N, C, H, W\), got \(3, 11, 7\)"):
        predicted_classes(truth.float())
    assert math.isclose(pixel_accuracy(confusion_matrix(truth, truth, 3)).item(), 1)
