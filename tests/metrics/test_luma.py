"""Tests of lit_restore.metrics.luma."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio
from torch import Tensor

from lit_restore.metrics import luma, psnr, psnr_y


def test_it_is_scikit_image_s_luma_and_in_studio_range() -> None:
    image = torch.rand(2, 3, 7, 9, dtype=torch.float64)
    expected = rgb2ycbcr(image.permute(0, 2, 3, 1).numpy())[..., 0]
    # scikit-image rounds the weights to three decimals, too.
    np.testing.assert_allclose(luma(image)[:, 0].numpy() * 255, expected, rtol=1e-12)
    ends = luma(torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 3, 1, 1)).flatten() * 255
    torch.testing.assert_close(ends, torch.tensor([16.0, 235.0]))


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    """A target, and a prediction that leaves unit range and lacks a row and two columns."""
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(3, 3, 13, 18, generator=generator)
    noise = torch.randn(3, 3, 12, 16, generator=generator)
    return target[..., :12, :16] + 0.1 * noise, target


def test_it_is_the_error_of_the_inner_luma_of_the_clipped_prediction(
    pair: tuple[Tensor, Tensor],
) -> None:
    found = psnr_y(*pair, crop=3)
    clipped, target = (one.double().clamp(0, 1).permute(0, 2, 3, 1).numpy() for one in pair)
    expected = [
        peak_signal_noise_ratio(
            rgb2ycbcr(t[3:9, 3:13])[..., 0], rgb2ycbcr(p[3:9, 3:13])[..., 0], data_range=255
        )
        for p, t in zip(clipped, target[:, :12, :16], strict=True)
    ]
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


def test_rounding_the_crop_and_the_channels_are_all_part_of_the_figure(
    pair: tuple[Tensor, Tensor],
) -> None:
    prediction, target = pair[0] * 0.9, pair[1] * 0.9
    figure = psnr_y(prediction, target, crop=3)
    rounded = psnr_y((prediction * 255).round() / 255, target, crop=3)
    inner = target[..., :12, :16]
    others = [rounded, psnr_y(prediction, target, crop=2), psnr(prediction, inner).double()]
    assert all((other - figure).abs().min() > 1e-6 for other in others)


def test_luma_itself_is_compared_as_it_is(pair: tuple[Tensor, Tensor]) -> None:
    prediction, target = (one.double().clamp(0, 1) for one in pair)
    torch.testing.assert_close(
        psnr_y(luma(prediction), luma(target), crop=2), psnr_y(prediction, target, crop=2)
    )


def test_a_bright_prediction_is_clipped_before_its_luma_is_taken() -> None:
    white = torch.ones(1, 3, 5, 5)
    assert psnr_y(white * 1.3, white, crop=1).isinf().all()


@pytest.mark.parametrize(
    ("prediction", "target", "crop", "message"),
    [((1, 3, 6, 6), (1, 3, 6, 5), 0, r"got \(1, 3, 6, 5\) for \(1, 3, 6, 6\)"),
     ((1, 3, 6, 6), (1, 1, 6, 6), 0, r"got \(1, 1, 6, 6\) for \(1, 3, 6, 6\)"),
     ((1, 3, 6, 6), (1, 3, 6, 6), 3, "leave some of 6x6, got 3"),
     ((1, 3, 6, 6), (1, 3, 6, 6), -1, "leave some of 6x6, got -1"),
     ((1, 2, 6, 6), (1, 2, 6, 6), 0, r"must have shape \(N, 3, H, W\)")],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(
    prediction: tuple[int, ...], target: tuple[int, ...], crop: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        psnr_y(torch.rand(prediction), torch.rand(target), crop)


def test_pictures_without_three_channels_have_no_luma() -> None:
    with pytest.raises(ValueError, match=r"\(N, 3, H, W\), got \(1, 1, 4, 4\)"):
        luma(torch.rand(1, 1, 4, 4))
