"""Tests of lit_restore.nn.conv, against loops over pixels and taps."""

from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lit_restore.nn import SameConv2d, SameConvTranspose2d, pad_same, same_padding

KERNELS_AND_STRIDES = list(product(range(1, 8), range(1, 5)))
SIZES = [(7, 10), (12, 5), (4, 9)]  # height and width differ in parity and in rest by the strides


def first_tap(size: int, kernel: int, stride: int) -> int:
    """Where the first window starts, by TensorFlow's documented rule for SAME."""
    rest = size % stride
    return -(max(kernel - (stride if rest == 0 else rest), 0) // 2)


def naive_conv(image: np.ndarray, weight: np.ndarray, stride: int, dilation: int = 1) -> np.ndarray:
    """Sum over the taps that lie in the image; image (C, H, W), weight (O, C, k, k)."""
    kernel = weight.shape[-1]
    reach = (kernel - 1) * dilation + 1
    height, width = image.shape[1:]
    top, left = (first_tap(side, reach, stride) for side in (height, width))
    out = np.zeros((len(weight), -(-height // stride), -(-width // stride)))
    for y, x, i, j in product(*map(range, (*out.shape[1:], kernel, kernel))):
        row, column = top + y * stride + i * dilation, left + x * stride + j * dilation
        if 0 <= row < height and 0 <= column < width:
            out[:, y, x] += weight[:, :, i, j] @ image[:, row, column]
    return out


def naive_transpose(image: np.ndarray, weight: np.ndarray, stride: int) -> np.ndarray:
    """Add each pixel, times the kernel, around where it comes to lie; weight (C, O, k, k)."""
    kernel, (height, width) = weight.shape[-1], image.shape[1:]
    start = first_tap(height * stride, kernel, stride)
    out = np.zeros((weight.shape[1], height * stride, width * stride))
    for y, x, i, j in product(range(height), range(width), range(kernel), range(kernel)):
        row, column = start + y * stride + i, start + x * stride + j
        if 0 <= row < out.shape[1] and 0 <= column < out.shape[2]:
            out[:, row, column] += image[:, y, x] @ weight[:, :, i, j]
    return out


def random_image(height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(height * 100 + width)
    return torch.randn(2, 2, height, width, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("size", SIZES)
def test_convolution_is_that_of_the_loops_for_every_kernel_and_stride(
    size: tuple[int, int],
) -> None:
    image = random_image(*size)
    for kernel, stride in KERNELS_AND_STRIDES:
        layer = SameConv2d(2, 3, kernel, stride).double()
        found = layer(image).detach()

        assert found.shape == (2, 3, -(-size[0] // stride), -(-size[1] // stride))
        bias = layer.bias.detach().numpy()[:, None, None]
        for one, expected in zip(found, image.numpy(), strict=True):
            expected = naive_conv(expected, layer.weight.detach().numpy(), stride) + bias
            np.testing.assert_allclose(one.numpy(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("kernel", "dilation"), list(product((2, 3, 4, 5), (2, 3))))
def test_dilated_convolution_is_that_of_the_loops(kernel: int, dilation: int) -> None:
    image = random_image(9, 12)
    layer = SameConv2d(2, 3, kernel, dilation=dilation, bias=False).double()

    found = layer(image)[0].detach().numpy()

    expected = naive_conv(image[0].numpy(), layer.weight.detach().numpy(), 1, dilation)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_symmetric_padding_gives_other_numbers_of_the_same_shape() -> None:
    image = random_image(8, 8)
    layer = SameConv2d(2, 3, 3, stride=2, bias=False).double()

    symmetric = F.conv2d(image, layer.weight, stride=2, padding=1)

    assert symmetric.shape == layer(image).shape
    assert (symmetric - layer(image)).abs().max() > 0.1


def test_the_odd_pixel_of_padding_lies_after() -> None:
    assert same_padding(8, kernel_size=3, stride=2) == (0, 1)
    assert same_padding(9, kernel_size=3, stride=2) == (1, 1)
    assert same_padding(5, kernel_size=4) == (1, 2)
    assert same_padding(10, kernel_size=1, stride=3) == (0, 0)


def test_padding_fills_the_border_with_the_value_and_keeps_an_image_that_needs_none() -> None:
    image = random_image(3, 4)

    padded = pad_same(image, kernel_size=2, value=-5.0)

    assert padded.shape == (2, 2, 4, 5)
    assert padded[..., -1, :].eq(-5).all()
    assert padded[..., :, -1].eq(-5).all()
    torch.testing.assert_close(padded[..., :3, :4], image, rtol=0, atol=0)
    assert pad_same(image, kernel_size=1) is image


@pytest.mark.parametrize(("kernel", "stride"), KERNELS_AND_STRIDES)
def test_transposed_convolution_is_that_of_the_loops(kernel: int, stride: int) -> None:
    image = random_image(3, 4)
    layer = SameConvTranspose2d(2, 3, kernel, stride).double()

    found = layer(image).detach()

    assert found.shape == (2, 3, 3 * stride, 4 * stride)
    expected = naive_transpose(image[1].numpy(), layer.weight.detach().numpy(), stride)
    expected += layer.bias.detach().numpy()[:, None, None]
    np.testing.assert_allclose(found[1].numpy(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("kernel", "stride"), [(1, 3), (3, 3), (4, 2), (5, 2)])
def test_transposed_convolution_is_the_adjoint_of_the_convolution(kernel: int, stride: int) -> None:
    forward = SameConv2d(2, 3, kernel, stride, bias=False).double()
    backward = SameConvTranspose2d(3, 2, kernel, stride, bias=False).double()
    backward.weight.data = forward.weight.data
    large = torch.randn(1, 2, 6 * stride, 6 * stride, dtype=torch.float64)
    small = torch.randn(1, 3, 6, 6, dtype=torch.float64)

    torch.testing.assert_close(
        (forward(large) * small).sum(), (large * backward(small)).sum(), rtol=1e-10, atol=1e-10
    )


def test_stride_and_dilation_together_are_refused() -> None:
    with pytest.raises(ValueError, match=r"cannot both exceed 1, got stride=2, dilation=3"):
        SameConv2d(1, 1, 3, stride=2, dilation=3)
