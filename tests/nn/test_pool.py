"""Tests of lit_restore.nn.pool, against loops over windows."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from lit_restore.nn import SameAvgPool2d, SameMaxPool2d

WINDOWS = pytest.mark.parametrize(
    ("kernel", "stride"), list(product((1, 2, 3, 5), (1, 2, 3, 4)))
)  # fmt: skip
SIZES = [(7, 10), (12, 5), (4, 9)]  # height and width differ in parity and in rest by the strides


def random_image(height: int, width: int) -> Tensor:
    """Two pictures of three channels, all below -1."""
    generator = torch.Generator().manual_seed(height * width)
    return -1 - torch.rand(2, 3, height, width, generator=generator, dtype=torch.float64)


def first(size: int, kernel: int, stride: int) -> int:
    """Where the first window starts, by TensorFlow's documented rule for SAME."""
    rest = size % stride
    return -(max(kernel - (stride if rest == 0 else rest), 0) // 2)


def naive(image: np.ndarray, kernel: int, stride: int, take: Callable) -> np.ndarray:
    """What ``take`` makes of the pixels of each window that lie in the image (C, H, W)."""
    height, width = image.shape[1:]
    top, left = (first(side, kernel, stride) for side in (height, width))
    out = np.zeros((len(image), -(-height // stride), -(-width // stride)))
    for y, x in product(*map(range, out.shape[1:])):
        row, column = top + y * stride, left + x * stride
        rows, columns = slice(max(row, 0), row + kernel), slice(max(column, 0), column + kernel)
        out[:, y, x] = take(image[:, rows, columns], axis=(1, 2))
    return out


@WINDOWS
def test_the_largest_pixel_is_taken_even_if_all_are_negative(kernel: int, stride: int) -> None:
    for size in SIZES:
        image = random_image(*size)
        found = SameMaxPool2d(kernel, stride)(image)
        expected = [naive(one, kernel, stride, np.max) for one in image.numpy()]
        np.testing.assert_array_equal(found.numpy(), np.stack(expected))


@WINDOWS
def test_the_mean_is_of_the_pixels_in_the_image_only(kernel: int, stride: int) -> None:
    for size in SIZES:
        image = random_image(*size)
        found = SameAvgPool2d(kernel, stride)(image)
        expected = [naive(one, kernel, stride, np.mean) for one in image.numpy()]
        np.testing.assert_allclose(found.numpy(), np.stack(expected), rtol=1e-14)


def test_a_constant_image_keeps_its_mean_up_to_the_border() -> None:
    image = torch.full((1, 2, 7, 9), 0.3)
    torch.testing.assert_close(SameAvgPool2d(5, 2)(image), torch.full((1, 2, 4, 5), 0.3))


@pytest.mark.parametrize("layer", [SameMaxPool2d(3), SameAvgPool2d(3)])
def test_pooling_steps_by_its_window_unless_told(layer: torch.nn.Module) -> None:
    assert layer(torch.zeros(1, 1, 7, 9)).shape == (1, 1, 3, 3)
