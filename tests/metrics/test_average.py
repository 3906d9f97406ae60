"""Tests of lit_restore.metrics.average."""

import pytest
import torch
from torch import Tensor

from lit_restore.metrics import PSNR, SSIM, psnr, ssim
from lit_restore.metrics.average import _PictureAverage


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    """Seven pictures whose noise grows from one to the next."""
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(7, 3, 12, 14, generator=generator)
    noise = torch.randn(target.shape, generator=generator)
    return target + noise * torch.logspace(-3, -0.5, 7).view(7, 1, 1, 1), target


def by_batches(metric: _PictureAverage, pair: tuple[Tensor, Tensor], size: int) -> float:
    for batch in zip(*(one.split(size) for one in pair), strict=True):
        metric.update(*batch)
    return metric.compute().item()


@pytest.mark.parametrize(("metric", "function"), [(PSNR, psnr), (SSIM, ssim)])
def test_it_is_the_mean_over_pictures_however_they_are_batched(
    metric: type[_PictureAverage],
    function: type,
    pair: tuple[Tensor, Tensor],
) -> None:
    figures = function(*pair)
    expected = sum(figures.tolist()) / 7
    for size in (1, 3, 5, 7):
        assert by_batches(metric(), pair, size) == pytest.approx(expected, rel=1e-6)
    of_batches = torch.stack([batch.mean() for batch in figures.split(5)]).mean()
    assert of_batches.item() != pytest.approx(expected, rel=1e-3)


def test_the_ratio_of_the_pooled_error_is_another_figure(pair: tuple[Tensor, Tensor]) -> None:
    pooled = 10 * torch.log10(1 / (pair[0] - pair[1]).square().mean())
    assert abs(by_batches(PSNR(), pair, 7) - pooled.item()) > 5


def test_two_processes_add_up_to_one(pair: tuple[Tensor, Tensor]) -> None:
    first, second, both = PSNR(), PSNR(), PSNR()
    first.update(pair[0][:2], pair[1][:2])
    second.update(pair[0][2:], pair[1][2:])
    both.update(*pair)
    assert {first._reductions[name].__name__ for name in ("total", "count")} == {"dim_zero_sum"}
    total, count = first.total + second.total, first.count + second.count
    assert (total / count).item() == pytest.approx(both.compute().item(), rel=1e-6)


def test_a_reset_forgets(pair: tuple[Tensor, Tensor]) -> None:
    metric = PSNR()
    metric.update(*pair)
    metric.reset()
    metric.update(pair[0][:1], pair[1][:1])
    assert metric.compute().item() == pytest.approx(psnr(pair[0][:1], pair[1][:1]).item())


def test_the_peak_is_that_of_the_pictures(pair: tuple[Tensor, Tensor]) -> None:
    scaled = (pair[0] * 255, pair[1] * 255)
    for metric in (PSNR, SSIM):
        expected = by_batches(metric(), pair, 7)
        assert by_batches(metric(peak=255), scaled, 7) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("metric", "function"), [(PSNR, psnr), (SSIM, ssim)])
def test_half_precision_pictures_are_measured_in_single(
    metric: type[_PictureAverage], function: type, pair: tuple[Tensor, Tensor]
) -> None:
    half = pair[0].to(torch.bfloat16)
    for target in (pair[1], pair[1].to(torch.bfloat16)):
        expected = function(half.float(), target.float()).double().mean().item()
        assert by_batches(metric(), (half, target), 7) == pytest.approx(expected, rel=1e-6)
