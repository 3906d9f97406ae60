"""Tests of lit_restore.losses.dice."""

import pytest
import torch
from torch import Tensor

from lit_restore.losses import DiceLoss, dice_loss
from lit_restore.losses.dice import Absent
from lit_restore.metrics import confusion_matrix, dice


def batch(channels: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(channels)
    logits = 2 * torch.randn(3, channels, 4, 5, generator=generator, dtype=torch.float64)
    return logits, torch.randint(max(2, channels), (3, 4, 5), generator=generator)


def certain(classes: Tensor, channels: int) -> Tensor:
    """Logits that leave no doubt; none on ignored pixels."""
    if channels == 1:
        return 200.0 * (2 * (classes[:, None] == 1).double() - 1)
    return torch.stack([200.0 * (classes == index).double() for index in range(channels)], 1)


def by_hand(found: Tensor, classes: Tensor, averaged: list[int], smooth: float = 1.0) -> float:
    """Loop over classes and pixels; found are probabilities (N, K, H, W)."""
    losses = []
    for index in averaged:
        overlap = total = 0.0
        for p, true in zip(found[:, index].flatten(), classes.flatten(), strict=True):
            if true != 255:
                overlap += float(p) * float(true == index)
                total += float(p) + float(true == index)
        losses.append(1 - (2 * overlap + smooth) / (total + smooth))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("smooth", [0.1, 1, 10])
def test_it_is_what_a_loop_over_classes_and_pixels_finds(smooth: float) -> None:
    logits, classes = batch(3)
    classes[0, 1] = 255
    found = logits.softmax(1)
    loss = DiceLoss(smooth=smooth)(logits, classes)
    assert loss.item() == pytest.approx(by_hand(found, classes, [1, 2], smooth), rel=1e-9)
    with_background = DiceLoss(smooth=smooth, include_background=True)(logits, classes)
    assert with_background.item() == pytest.approx(by_hand(found, classes, [0, 1, 2], smooth))


def test_one_channel_is_judged_by_its_foreground() -> None:
    logits, classes = batch(1)
    found = torch.cat([1 - logits.sigmoid(), logits.sigmoid()], 1)
    assert dice_loss(logits, classes).item() == pytest.approx(by_hand(found, classes, [1]))
    both = dice_loss(logits, classes, include_background=True)
    assert both.item() == pytest.approx(by_hand(found, classes, [0, 1]))


@pytest.mark.parametrize("channels", [1, 3])
def test_of_certain_predictions_it_is_1_less_the_metric(channels: int) -> None:
    _, classes = batch(channels)
    prediction = classes.roll(1, 2)
    loss = DiceLoss(smooth=1e-9)(certain(prediction, channels), classes)
    coefficients = dice(confusion_matrix(prediction, classes, max(2, channels)))
    assert loss.item() == pytest.approx(1 - coefficients[1:].mean().item())


@pytest.mark.parametrize("channels", [1, 3])
def test_the_truth_has_no_loss_and_its_opposite_nearly_all(channels: int) -> None:
    _, classes = batch(channels)
    assert dice_loss(certain(classes, channels), classes).item() == pytest.approx(0, abs=1e-9)
    wrong = dice_loss(certain((classes + 1) % max(2, channels), channels), classes)
    assert 0.9 < wrong.item() < 1


def test_sums_are_over_the_batch_so_however_pixels_are_spread_over_it() -> None:
    logits, classes = batch(3)
    together = dice_loss(logits, classes)
    one_picture = dice_loss(logits.transpose(0, 1).flatten(1, 2)[None], classes.flatten(0, 1)[None])
    torch.testing.assert_close(together, one_picture)
    each = [dice_loss(logits[[n]], classes[[n]]) for n in range(3)]
    assert abs(together - torch.stack(each).mean()) > 1e-3


def test_a_weight_of_2_is_as_a_pixel_that_is_there_twice() -> None:
    logits, classes = batch(3)
    weights = torch.ones(classes.shape)
    weights[1] = 2
    twice = dice_loss(torch.cat([logits, logits[[1]]]), torch.cat([classes, classes[[1]]]))
    torch.testing.assert_close(dice_loss(logits, classes, weights), twice)


def test_a_class_that_the_truth_lacks_is_left_out_or_held_against_the_network() -> None:
    logits, classes = batch(3)
    classes = classes.where(classes != 2, 0)
    found = logits.softmax(1)
    assert dice_loss(logits, classes).item() == pytest.approx(by_hand(found, classes, [1]))
    counted = dice_loss(logits, classes, absent="count")
    assert counted.item() == pytest.approx(by_hand(found, classes, [1, 2]))
    silent = dice_loss(certain(classes, 3), classes, absent="count")
    assert silent.item() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("value", "absent"), [(255, "skip"), (255, "count"), (0, "skip")])
def test_where_no_class_counts_the_loss_and_its_gradient_are_0(
    channels: int, value: int, absent: Absent
) -> None:
    logits, classes = batch(channels)
    logits.requires_grad_()
    loss = dice_loss(logits, torch.full_like(classes, value), absent=absent)
    loss.backward()
    assert loss.item() == 0
    assert (logits.grad == 0).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_predicted_where_the_truth_is_ignored_does_not_matter(channels: int) -> None:
    logits, classes = batch(channels)
    classes[0] = 255
    loss = dice_loss(logits, classes)
    logits[0] = torch.nan
    weights = torch.ones(classes.shape)
    weights[0] = torch.nan
    torch.testing.assert_close(dice_loss(logits, classes, weights), loss)
    torch.testing.assert_close(dice_loss(logits[1:], classes[1:]), loss)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("absent", ["skip", "count"])
@pytest.mark.parametrize("include_background", [False, True])
def test_the_gradient_is_that_of_finite_differences(
    channels: int, absent: Absent, include_background: bool
) -> None:
    logits, classes = batch(channels)
    classes[0, 0] = 255
    weights = torch.rand(classes.shape, generator=torch.Generator().manual_seed(0))
    loss = DiceLoss(absent=absent, include_background=include_background)
    assert torch.autograd.gradcheck(lambda x: loss(x, classes, weights), logits.requires_grad_())


def test_half_precision_is_summed_in_single() -> None:
    """In bfloat16 a sum of ones stops at 256."""
    logits = torch.zeros(1, 1, 64, 64, dtype=torch.bfloat16)
    classes = torch.ones(1, 64, 64, dtype=torch.long)
    with torch.autocast("cpu", torch.bfloat16):
        loss = dice_loss(logits, classes)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(1 - (4096 + 1) / (6144 + 1))


def test_options_without_meaning_are_refused() -> None:
    with pytest.raises(ValueError, match="smooth must be above 0, got 0"):
        DiceLoss(smooth=0)
    with pytest.raises(ValueError, match="'skip' or 'count', got 'ignore'"):
        DiceLoss(absent="ignore")  # type: ignore[arg-type]
