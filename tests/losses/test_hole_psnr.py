"""Tests of lit_restore.losses.hole_psnr."""

import pytest
import torch
from torch import Tensor

from lit_restore.losses import HolePSNRLoss
from lit_restore.metrics import hole_psnr

Batch = tuple[Tensor, Tensor, Tensor]


@pytest.fixture
def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    prediction, target = torch.rand(2, 4, 3, 9, 10, generator=generator, dtype=torch.float64)
    mask = (torch.rand(4, 1, 9, 10, generator=generator) > 0.4).double()
    return prediction, target, mask


def test_its_terms_are_decibels_and_the_valid_difference(batch: Batch) -> None:
    prediction, target, mask = batch
    terms = HolePSNRLoss(hole=0.1, valid=2.0)(*batch)
    assert list(terms) == ["valid", "hole"]
    expected = -0.1 * hole_psnr(*batch).mean().item()
    assert terms["hole"].item() == pytest.approx(expected, rel=1e-3)  # 1e-5 beside the mean square
    difference = ((prediction - target) * mask).abs().mean()
    assert terms["valid"].item() == pytest.approx(2 * difference.item(), rel=1e-12)


def test_a_hole_counts_alike_however_large_it_is(batch: Batch) -> None:
    _, target, _ = batch
    mask = torch.ones(2, 1, 9, 10, dtype=torch.float64)
    mask[0, :, 0, 0] = 0
    mask[1, :, :8] = 0
    prediction = (target[:2] + 0.2).requires_grad_()
    HolePSNRLoss(valid=0)(prediction, target[:2], mask)["hole"].backward()
    assert prediction.grad is not None
    one, other = prediction.grad.sum(dim=(1, 2, 3))
    torch.testing.assert_close(one, other)


def test_its_gradient_is_right(batch: Batch) -> None:
    prediction, target, mask = batch

    def total(given: Tensor) -> Tensor:
        return torch.stack(list(HolePSNRLoss()(given, target, mask).values())).sum()

    assert torch.autograd.gradcheck(total, prediction.requires_grad_())


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_without_a_hole_or_an_error_it_is_finite(batch: Batch, value: float) -> None:
    _, target, mask = batch
    prediction = target.clone().requires_grad_()
    terms = HolePSNRLoss()(prediction, target, torch.full_like(mask, value))
    torch.stack(list(terms.values())).sum().backward()
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()
    assert terms["hole"].item() == pytest.approx(0 if value else -0.025 * 50)


def test_half_precision_is_compared_in_float32(batch: Batch) -> None:
    prediction, target, mask = (one.float() for one in batch)
    terms = HolePSNRLoss()(prediction.bfloat16(), target, mask)
    expected = HolePSNRLoss()(prediction.bfloat16().float(), target, mask)
    assert terms["hole"].dtype == torch.float32
    assert terms["hole"] == expected["hole"]


def test_other_shapes_are_refused(batch: Batch) -> None:
    prediction, target, mask = batch
    with pytest.raises(ValueError, match=r"a mask of \(4, 1, 9, 10\), got"):
        HolePSNRLoss()(prediction, target, mask.expand(-1, 3, -1, -1))
