"""Tests of lit_restore.losses.focal."""

import pytest
import torch
from torch import Tensor

from lit_restore.losses import FocalLoss, focal_loss, segmentation_cross_entropy


def batch(channels: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(channels)
    logits = torch.randn(2, channels, 4, 5, generator=generator, dtype=torch.float64)
    classes = torch.randint(max(2, channels), (2, 4, 5), generator=generator)
    classes[0, 0] = 255
    return logits, classes


@pytest.mark.parametrize("channels", [1, 3])
def test_without_focus_it_is_the_cross_entropy(channels: int) -> None:
    logits, classes = batch(channels)
    weights = torch.rand(classes.shape, generator=torch.Generator().manual_seed(0))
    of_classes = [0.4, 1.0, 3.0][: max(2, channels)]
    loss = FocalLoss(gamma=0, class_weights=of_classes)(logits, classes, weights)
    torch.testing.assert_close(
        loss, segmentation_cross_entropy(logits, classes, weights, of_classes)
    )


@pytest.mark.parametrize("gamma", [0.5, 1, 2, 5])
@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_the_papers_formula(channels: int, gamma: float) -> None:
    logits, classes = batch(channels)
    both = torch.cat([0 * logits, logits], 1) if channels == 1 else logits
    valid = classes != 255
    p = both.softmax(1).gather(1, classes.where(valid, 0)[:, None])[:, 0][valid]
    alpha = torch.tensor([0.4, 1.0, 3.0], dtype=torch.float64)[: max(2, channels)]
    share = alpha[classes[valid]]
    expected = (-share * (1 - p) ** gamma * p.log()).sum() / share.sum()
    found = focal_loss(logits, classes, gamma=gamma, class_weights=alpha.tolist())
    torch.testing.assert_close(found, expected)


def test_what_is_right_already_counts_as_much_less_as_the_paper_says() -> None:
    """With p = 0.9 and gamma 2 the loss is a hundredth of the cross-entropy."""
    odds = torch.full((1, 1, 1, 1), 9.0, dtype=torch.float64).log()
    foreground = torch.ones(1, 1, 1, dtype=torch.long)
    entropy = segmentation_cross_entropy(odds, foreground)
    assert focal_loss(odds, foreground).item() == pytest.approx(entropy.item() / 100)


@pytest.mark.parametrize("gamma", [0, 0.5, 1, 2])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_gradient_is_that_of_finite_differences(channels: int, gamma: float) -> None:
    logits, classes = batch(channels)
    loss = FocalLoss(gamma, [0.5, 2.0, 1.0][: max(2, channels)])
    assert torch.autograd.gradcheck(lambda x: loss(x, classes), logits.requires_grad_())


@pytest.mark.parametrize("gamma", [0, 0.1, 0.5, 1, 2])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_pixels_that_are_certain_have_no_loss_and_a_finite_gradient(
    channels: int, gamma: float, dtype: torch.dtype
) -> None:
    logits = torch.zeros(1, channels, 1, 2, dtype=dtype)
    logits[:, -1] = 200
    logits.requires_grad_()
    classes = torch.full((1, 1, 2), max(1, channels - 1))
    loss = focal_loss(logits, classes, gamma=gamma)
    loss.backward()
    assert loss.item() == 0
    assert (logits.grad == 0).all()
    wrong = focal_loss(logits, torch.zeros_like(classes), gamma=gamma)
    assert wrong.dtype == torch.float32
    assert wrong.item() == pytest.approx(200)


def test_where_nothing_counts_the_loss_and_its_gradient_are_0() -> None:
    logits, classes = batch(3)
    logits.requires_grad_()
    loss = focal_loss(logits, torch.full_like(classes, 255))
    loss.backward()
    assert loss.item() == 0
    assert (logits.grad == 0).all()


def test_a_focus_below_0_is_refused() -> None:
    for gamma in (-0.1, float("nan")):
        with pytest.raises(ValueError, match="gamma must be 0 or more"):
            FocalLoss(gamma)
        with pytest.raises(ValueError, match="gamma must be 0 or more"):
            focal_loss(*batch(1), gamma=gamma)
