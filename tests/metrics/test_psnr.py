"""Tests of lit_restore.metrics.psnr."""

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from lit_restore.metrics import psnr


def test_it_is_that_of_scikit_image_for_each_picture() -> None:
    target = torch.rand(4, 3, 9, 7, dtype=torch.float64)
    noise = torch.randn_like(target) * torch.tensor([0.3, 0.1, 0.01, 1e-4]).view(4, 1, 1, 1)

    found = psnr(target + noise, target)

    expected = [
        peak_signal_noise_ratio(t, p, data_range=1.0)
        for t, p in zip(target.numpy(), (target + noise).numpy(), strict=True)
    ]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


def test_a_constant_error_of_a_tenth_is_twenty_decibels() -> None:
    black = torch.zeros(1, 3, 5, 5)
    torch.testing.assert_close(psnr(black + 0.1, black), torch.tensor([20.0]))
    torch.testing.assert_close(psnr(black + 25.5, black, peak=255), torch.tensor([20.0]))


def test_equal_pictures_have_no_bound() -> None:
    picture = torch.rand(1, 3, 5, 5)
    assert psnr(picture, picture).isinf().all()


def test_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"got \(1, 3, 5, 5\) and \(1, 3, 5, 6\)"):
        psnr(torch.rand(1, 3, 5, 5), torch.rand(1, 3, 5, 6))
