"""Tests of lit_restore.metrics.scikit_ssim, against scikit-image."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from lit_restore.data import DeadLeaves
from lit_restore.metrics import scikit_ssim, ssim


@pytest.fixture(scope="module")
def pair() -> tuple[Tensor, Tensor]:
    """Pictures of 24x31 pixels, noisy and clean, float64 in unit range."""
    generator = torch.Generator().manual_seed(0)
    leaves = DeadLeaves(32)
    clean = torch.stack([leaves(generator) for _ in range(3)])[..., :24, :31].double() / 255
    noise = torch.randn(clean.shape, generator=generator, dtype=torch.float64)
    return (clean + noise * torch.tensor([0.02, 0.1, 0.3]).view(3, 1, 1, 1)).clamp(0, 1), clean


@pytest.mark.parametrize("peak", [1.0, 255.0])
@pytest.mark.parametrize("sample", [True, False])
@pytest.mark.parametrize("window", ["uniform", "gaussian"])
def test_it_is_that_of_scikit_image(
    window: str, sample: bool, peak: float, pair: tuple[Tensor, Tensor]
) -> None:
    scaled = [one * peak for one in pair]
    found = scikit_ssim(*scaled, peak, window, sample).numpy()
    gaussian = {"gaussian_weights": True, "sigma": 1.5} if window == "gaussian" else {}
    options = gaussian | {"use_sample_covariance": sample, "data_range": peak, "channel_axis": 0}
    pictures = zip(*(one.numpy() for one in scaled), strict=True)
    expected = [structural_similarity(*one, **options) for one in pictures]
    # Both are float64; what is left is the rounding of a difference of nearly equal squares.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_one_setting_is_that_of_the_paper_and_the_default_is_not(
    pair: tuple[Tensor, Tensor],
) -> None:
    paper = ssim(*pair)
    torch.testing.assert_close(scikit_ssim(*pair, 1.0, "gaussian", False), paper)
    assert (scikit_ssim(*pair) - paper).abs().min() > 1e-4


@pytest.mark.parametrize(("window", "side"), [("uniform", 7), ("gaussian", 11)])
def test_a_side_shorter_than_the_window_is_refused(window: str, side: int) -> None:
    whole, short = torch.rand(1, 3, side, 40), torch.rand(1, 3, side - 1, 40)
    assert scikit_ssim(whole, whole, window=window).tolist() == pytest.approx([1.0])
    with pytest.raises(ValueError, match=f"at least {side}x{side} pixels, got {side - 1}x40"):
        scikit_ssim(short, short, window=window)


def test_another_window_or_shape_is_refused() -> None:
    image = torch.rand(1, 3, 12, 12)
    with pytest.raises(ValueError, match="must be 'uniform' or 'gaussian', got 'square'"):
        scikit_ssim(image, image, window="square")
    with pytest.raises(ValueError, match="must have the same shape"):
        scikit_ssim(image, torch.rand(2, 3, 12, 12))
