"""Tests of lit_restore.losses.segmentation."""

import pytest
import torch
from torch import Tensor

from lit_restore.losses import (
    SegmentationLoss,
    dice_loss,
    focal_loss,
    segmentation_cross_entropy,
)


@pytest.fixture
def batch() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    classes = torch.randint(3, (2, 4, 5), generator=generator)
    classes[0, 0] = 9
    logits = torch.randn(2, 3, 4, 5, generator=generator)
    return logits, classes, torch.rand(classes.shape, generator=generator)


def test_terms_are_the_three_losses_by_their_weights(batch: tuple[Tensor, Tensor, Tensor]) -> None:
    of_classes = [0.2, 1.0, 2.0]
    loss = SegmentationLoss(0.5, 2.0, 3.0, gamma=1.5, class_weights=of_classes, ignore_index=9)
    terms = loss(*batch)
    expected = {
        "cross_entropy": 0.5 * segmentation_cross_entropy(*batch, of_classes, 9),
        "dice": 2 * dice_loss(*batch, ignore_index=9),
        "focal": 3 * focal_loss(*batch, 1.5, of_classes, 9),
    }
    assert list(terms) == list(expected)
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value)


@pytest.mark.parametrize("kept", ["cross_entropy", "dice", "focal"])
def test_a_term_without_weight_is_left_out(kept: str, batch: tuple[Tensor, Tensor, Tensor]) -> None:
    weights = {name: float(name == kept) for name in ("cross_entropy", "dice", "focal")}
    assert list(SegmentationLoss(**weights, ignore_index=9)(*batch)) == [kept]


def test_cross_entropy_alone_is_what_there_is_unless_told(
    batch: tuple[Tensor, Tensor, Tensor],
) -> None:
    logits, classes, _ = batch
    terms = SegmentationLoss(ignore_index=9)(logits, classes)
    expected = segmentation_cross_entropy(logits, classes, ignore_index=9)
    assert terms == {"cross_entropy": expected}


def test_the_sum_of_the_terms_trains_a_network() -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(2, 3, 8, 8, generator=generator)
    classes = (image[:, 0] > 0.5).long() + (image[:, 1] > 0.5)
    torch.manual_seed(0)
    network = torch.nn.Conv2d(3, 3, 1)
    optimizer, loss = torch.optim.Adam(network.parameters(), 0.1), SegmentationLoss(1, 1, 1)
    totals = []
    for _ in range(100):
        total = torch.stack(list(loss(network(image), classes).values())).sum()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(total.item())
    assert totals[-1] < totals[0] / 2


def test_it_has_nothing_that_a_checkpoint_would_keep() -> None:
    assert SegmentationLoss(1, 1, 1, class_weights=[1, 2]).state_dict() == {}


@pytest.mark.parametrize(
    "weights", [(0, 0, 0), (1, -1, 0), (float("nan"), 1, 0), (1, float("nan"), 0)]
)
def test_weights_that_train_nothing_or_backwards_are_refused(
    weights: tuple[float, float, float],
) -> None:
    with pytest.raises(ValueError, match="weights of terms of 0 or more, and one above 0; got"):
        SegmentationLoss(*weights)


def test_class_weights_are_checked_even_where_no_term_uses_them() -> None:
    with pytest.raises(ValueError, match="two or more class weights"):
        SegmentationLoss(0, 1, 0, class_weights=[-1, 1])
