"""Tests of lit_restore.metrics.hole and hole_average."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from lit_restore.metrics import HolePSNR, hole_psnr, psnr
from lit_restore.nn.masks import ratio_bin

Batch = tuple[Tensor, Tensor, Tensor]


@pytest.fixture
def batch() -> Batch:
    """Five pictures, whose holes are rows: 1, 3, 5, 9 and 11 of 20."""
    generator = torch.Generator().manual_seed(0)
    prediction, target = torch.rand(2, 5, 3, 20, 15, generator=generator)
    mask = torch.ones(5, 1, 20, 15)
    for picture, rows in enumerate((1, 3, 5, 9, 11)):
        mask[picture, :, :rows] = 0
    return prediction, target, mask


def test_it_is_that_of_the_hole_cut_out(batch: Batch) -> None:
    values = hole_psnr(*batch)
    for picture, rows in enumerate((1, 3, 5, 9, 11)):
        cut = [one[picture, :, :rows].double().numpy() for one in batch[:2]]
        expected = -10 * np.log10(np.mean((cut[0] - cut[1]) ** 2))
        assert values[picture].item() == pytest.approx(expected, abs=1e-5)


def test_what_is_outside_the_hole_does_not_matter(batch: Batch) -> None:
    prediction, target, mask = batch
    other = torch.where(mask == 0, prediction, math.nan)
    torch.testing.assert_close(hole_psnr(other, target, mask), hole_psnr(*batch), rtol=0, atol=0)


def test_with_a_hole_everywhere_it_is_that_of_the_picture(batch: Batch) -> None:
    prediction, target, _ = batch
    whole = hole_psnr(prediction, target, torch.zeros(5, 1, 20, 15))
    torch.testing.assert_close(whole, psnr(prediction, target))


def test_without_a_hole_it_is_no_number_and_of_equals_infinite(batch: Batch) -> None:
    prediction, target, mask = batch
    assert hole_psnr(prediction, target, torch.ones_like(mask)).isnan().all()
    assert hole_psnr(target, target, mask).isposinf().all()


def test_other_shapes_are_refused(batch: Batch) -> None:
    prediction, target, mask = batch
    with pytest.raises(ValueError, match="must have the same shape"):
        hole_psnr(prediction[:4], target, mask)
    with pytest.raises(ValueError, match=r"mask must have shape \(5, 1, 20, 15\)"):
        hole_psnr(prediction, target, mask.expand(-1, 3, -1, -1))


@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_metric_is_the_mean_over_pictures_however_they_are_batched(
    batch: Batch, size: int
) -> None:
    metric = HolePSNR()
    for part in zip(*(one.split(size) for one in batch), strict=True):
        metric.update(*part)
    assert metric.compute().item() == pytest.approx(hole_psnr(*batch).mean().item(), abs=1e-5)


def test_of_a_class_only_its_pictures_count(batch: Batch) -> None:
    values, classes = hole_psnr(*batch), ratio_bin(batch[2])
    assert classes.tolist() == [0, 1, 2, 4, 5]
    for index in range(6):
        metric = HolePSNR(index)
        metric.update(*batch)
        expected = values[classes == index].mean().item()
        assert metric.compute().item() == pytest.approx(expected, abs=1e-5, nan_ok=index == 3)


def test_pictures_without_a_hole_do_not_count(batch: Batch) -> None:
    prediction, target, mask = batch
    metric = HolePSNR()
    metric.update(prediction, target, torch.ones_like(mask))
    assert metric.compute().isnan()
    metric.update(*batch)
    assert metric.compute().item() == pytest.approx(hole_psnr(*batch).mean().item(), abs=1e-5)


def test_over_the_picture_it_is_the_psnr_of_the_pictures_with_a_hole(batch: Batch) -> None:
    prediction, target, mask = batch
    metric, last = HolePSNR(over="picture"), HolePSNR(5, "picture")
    metric.update(prediction, target, mask.index_fill(0, torch.tensor([1]), 1))
    last.update(*batch)
    values = psnr(prediction, target)
    assert metric.compute().item() == pytest.approx((values.sum() - values[1]).item() / 4, abs=1e-5)
    assert last.compute().item() == pytest.approx(values[4].item(), abs=1e-5)
    with pytest.raises(ValueError, match="over must be 'hole' or 'picture', got 'whole'"):
        HolePSNR(over="whole")  # type: ignore[arg-type]
