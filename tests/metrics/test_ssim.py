"""Tests of lit_restore.metrics.ssim, against scikit-image."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from lit_restore.data import DeadLeaves
from lit_restore.metrics import ssim


@pytest.fixture(scope="module")
def pair() -> tuple[Tensor, Tensor]:
    """Pictures of 24x31 pixels, noisy and clean, float64 in unit range."""
    generator = torch.Generator().manual_seed(0)
    leaves = DeadLeaves(32)
    clean = torch.stack([leaves(generator) for _ in range(3)])[..., :24, :31].double() / 255
    strength = torch.tensor([0.02, 0.1, 0.3]).view(3, 1, 1, 1)
    noise = torch.randn(clean.shape, generator=generator, dtype=torch.float64)
    return (clean + noise * strength).clamp(0, 1), clean


def reference(prediction: np.ndarray, target: np.ndarray, crop: int = 5) -> float:
    """scikit-image's map of each channel, without the windows that leave the picture."""
    _, full = structural_similarity(
        prediction, target, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        data_range=1.0, channel_axis=0, full=True,
    )  # fmt: skip
    return float(full[:, crop : full.shape[1] - crop, crop : full.shape[2] - crop].mean())


def test_it_is_that_of_scikit_image_inside_the_border(pair: tuple[Tensor, Tensor]) -> None:
    found = ssim(*pair).numpy()
    pictures = list(zip(*(one.numpy() for one in pair), strict=True))
    expected = [reference(*one) for one in pictures]
    # Both are float64; what is left is the rounding of a difference of nearly equal squares.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)
    padded = [reference(*one, crop=0) for one in pictures]
    assert np.abs(np.subtract(padded, found)).min() > 1e-4  # a padded border is another figure


def test_single_precision_agrees_to_five_digits(pair: tuple[Tensor, Tensor]) -> None:
    # A variance is the difference of two squares of about 0.3, so float32 leaves about 1e-7 of
    # error, which counts relative to c2 = 9e-4 where a window is flat.
    torch.testing.assert_close(
        ssim(*(one.float() for one in pair)).double(), ssim(*pair), rtol=0, atol=2e-5
    )


def test_equal_pictures_are_entirely_similar(pair: tuple[Tensor, Tensor]) -> None:
    assert ssim(pair[1], pair[1]).tolist() == pytest.approx([1.0] * 3, abs=1e-12)


def test_the_peak_scales_with_the_pictures(pair: tuple[Tensor, Tensor]) -> None:
    scaled = ssim(pair[0] * 255, pair[1] * 255, peak=255)
    torch.testing.assert_close(scaled, ssim(*pair), rtol=0, atol=1e-10)
    assert (ssim(pair[0] * 255, pair[1] * 255) - scaled).abs().max() > 1e-4


def test_a_side_shorter_than_the_window_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 11x11 pixels, got 10x40"):
        ssim(torch.rand(1, 3, 10, 40), torch.rand(1, 3, 10, 40))
    assert ssim(torch.rand(1, 3, 11, 11), torch.rand(1, 3, 11, 11)).shape == (1,)


def test_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="must have the same shape"):
        ssim(torch.rand(1, 3, 12, 12), torch.rand(2, 3, 12, 12))
