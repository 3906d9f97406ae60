"""Tests of lit_restore.metrics.segmentation_scores."""

import pytest
import torch
from sklearn.metrics import f1_score, jaccard_score
from torch import Tensor
from torchmetrics.classification import BinaryJaccardIndex, MulticlassJaccardIndex

from lit_restore.metrics import SegmentationScores


def pictures(num_classes: int) -> tuple[Tensor, Tensor]:
    """Five pictures: logits that lean to the truth, and the truth, whose first rows are ignored."""
    generator = torch.Generator().manual_seed(num_classes)
    truth = torch.randint(max(2, num_classes), (5, 9, 8), generator=generator)
    logits = torch.randn(5, num_classes, 9, 8, generator=generator)
    if num_classes == 1:
        logits += truth[:, None] - 0.5
    else:
        logits += torch.nn.functional.one_hot(truth, num_classes).movedim(-1, 1)
    truth[:, :2] = 255
    return logits, truth


def by_batches(metric: SegmentationScores, pair: tuple[Tensor, Tensor], size: int) -> None:
    for batch in zip(*(one.split(size) for one in pair), strict=True):
        metric.update(*batch)


@pytest.mark.parametrize("num_classes", [1, 2, 4])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_figures_are_scikit_learns_of_all_pixels_together(num_classes: int, size: int) -> None:
    metric, (logits, truth) = SegmentationScores(num_classes), pictures(num_classes)
    by_batches(metric, (logits, truth), size)
    found = logits[:, 0] > 0 if num_classes == 1 else logits.argmax(1)
    flat = truth[truth != 255].numpy(), found[truth != 255].long().numpy()
    each = jaccard_score(*flat, average=None), f1_score(*flat, average=None)
    figures = {name: value.item() for name, value in metric.compute().items()}
    assert figures["miou"] == pytest.approx(each[0].mean(), rel=1e-6)
    assert figures["dice"] == pytest.approx(each[1].mean(), rel=1e-6)
    assert figures["pixel_accuracy"] == pytest.approx((flat[0] == flat[1]).mean(), rel=1e-6)
    for kind, values in zip(("iou", "dice"), each, strict=True):
        named = [figures[f"{kind}_{name}"] for name in metric.class_names]
        assert named == pytest.approx(values.tolist(), rel=1e-6)


def test_the_mean_over_classes_is_torchmetrics_too() -> None:
    logits, truth = pictures(4)
    metric, theirs = SegmentationScores(4), MulticlassJaccardIndex(4, ignore_index=255)
    metric.update(logits, truth)
    torch.testing.assert_close(metric.compute()["miou"], theirs(logits, truth))
    logits, truth = pictures(1)
    binary, theirs_binary = SegmentationScores(1), BinaryJaccardIndex(ignore_index=255)
    binary.update(logits, truth)
    expected = theirs_binary(logits[:, 0], truth)
    torch.testing.assert_close(binary.compute()["iou_foreground"], expected)


def test_the_mean_over_pictures_is_another_figure() -> None:
    logits, truth = pictures(4)
    metric = SegmentationScores(4)
    metric.update(logits, truth)
    together, each = metric.compute()["miou"], []
    for n in range(5):
        metric.reset()
        metric.update(logits[[n]], truth[[n]])
        each.append(metric.compute()["miou"])
    assert abs(torch.stack(each).mean() - together) > 1e-3


def test_figures_are_named_after_the_classes() -> None:
    metric = SegmentationScores(3, ["background", "akahara", "madara"])
    metric.update(*pictures(3))
    assert list(metric.compute()) == [
        "miou", "pixel_accuracy", "dice",
        "iou_background", "iou_akahara", "iou_madara",
        "dice_background", "dice_akahara", "dice_madara",
    ]  # fmt: skip
    assert SegmentationScores(1).class_names == ("background", "foreground")
    assert SegmentationScores(2).class_names == ("class_0", "class_1")
    assert all(value.shape == () for value in metric.compute().values())
    assert all(value.dtype == torch.float32 for value in metric.compute().values())


def test_a_class_that_is_nowhere_is_nan_and_in_no_mean() -> None:
    logits, truth = pictures(3)
    logits[:, 2] = -100
    metric = SegmentationScores(3)
    metric.update(logits, truth.where(truth != 2, 0))
    figures = metric.compute()
    assert figures["iou_class_2"].isnan()
    expected = (figures["iou_class_0"] + figures["iou_class_1"]) / 2
    torch.testing.assert_close(figures["miou"], expected)


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_without_pixels_all_is_nan() -> None:
    assert all(value.isnan() for value in SegmentationScores(3).compute().values())


def test_the_threshold_is_a_probability() -> None:
    logits, truth = pictures(1)
    shares = []
    for threshold in (0.2, 0.5, 0.8):
        metric = SegmentationScores(1, threshold=threshold)
        metric.update(logits, truth)
        valid = truth != 255
        assert metric.confusion[:, 1].sum() == (logits.sigmoid()[:, 0] >= threshold)[valid].sum()
        shares.append(int(metric.confusion[:, 1].sum()))
    assert shares[0] > shares[1] > shares[2]


def test_two_processes_add_up_to_one() -> None:
    logits, truth = pictures(3)
    first, second, both = (SegmentationScores(3) for _ in range(3))
    first.update(logits[:2], truth[:2])
    second.update(logits[2:], truth[2:])
    both.update(logits, truth)
    assert first._reductions["confusion"].__name__ == "dim_zero_sum"
    assert torch.equal(first.confusion + second.confusion, both.confusion)


def test_a_reset_forgets() -> None:
    metric = SegmentationScores(3)
    metric.update(*pictures(3))
    metric.reset()
    assert metric.confusion.sum() == 0


def test_what_does_not_fit_is_refused() -> None:
    metric = SegmentationScores(3)
    with pytest.raises(ValueError, match=r"\(N, 3, H, W\), got \(5, 4, 9, 8\)"):
        metric.update(*pictures(4))
    with pytest.raises(ValueError, match=r"true classes must be in 0 \.\. 2, got 3"):
        metric.update(pictures(3)[0], pictures(4)[1])
    for arguments, message in (
        ({"num_classes": 0}, "num_classes must be 1 or more"),
        ({"num_classes": 1, "class_names": ["newt"]}, "expected 2 different class names"),
        ({"num_classes": 3, "class_names": ["a", "b", "b"]}, "expected 3 different class names"),
        ({"num_classes": 1, "threshold": 1.5}, "must be a probability"),
        ({"num_classes": 1, "ignore_index": 1}, "none of the 2 classes, got 1"),
        ({"num_classes": 300}, "none of the 300 classes, got 255"),
    ):
        with pytest.raises(ValueError, match=message):
            SegmentationScores(**arguments)
