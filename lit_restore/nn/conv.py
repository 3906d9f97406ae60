"""Convolution and transposed convolution with TensorFlow's SAME padding.

``SAME`` makes the output ``ceil(size / stride)`` pixels long. What it pads depends on the input's
size, and where the padding is odd, the extra pixel lies at the bottom and at the right. PyTorch's
symmetric ``padding=k // 2`` has the same output shape for strides above 1, and other numbers.
"""

import torch.nn.functional as F
from torch import Tensor, nn


def same_padding(
    size: int, kernel_size: int, stride: int = 1, dilation: int = 1
) -> tuple[int, int]:
    """Tell how many pixels SAME padding adds before and after one axis.

    Args:
        size: Length of the axis, in pixels.
        kernel_size: Length of the kernel, in pixels.
        stride: Step of the kernel, in pixels.
        dilation: Distance of the kernel's taps, in pixels.

    Returns:
        The pixels before and the pixels after; the latter has the odd one.

    Source:
        TensorFlow, ``tf.nn.convolution``, "Notes on padding".
    """
    steps = -(-size // stride) - 1
    total = max(steps * stride + (kernel_size - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def pad_same(
    image: Tensor, kernel_size: int, stride: int = 1, dilation: int = 1, value: float = 0.0
) -> Tensor:
    """Pad an image as SAME convolution does.

    Args:
        image: Shape (N, C, H, W).
        kernel_size: Height and width of the kernel, in pixels.
        stride: Step of the kernel, in pixels.
        dilation: Distance of the kernel's taps, in pixels.
        value: What the border is filled with; ``-inf`` for max pooling.

    Returns:
        Shape (N, C, H + above + below, W + left + right).
    """
    top, bottom = same_padding(image.shape[-2], kernel_size, stride, dilation)
    left, right = same_padding(image.shape[-1], kernel_size, stride, dilation)
    if top == bottom == left == right == 0:
        return image
    return F.pad(image, (left, right, top, bottom), value=value)


def conv_same(
    image: Tensor, weight: Tensor, bias: Tensor | None, stride: int = 1, dilation: int = 1
) -> Tensor:
    """Convolve with SAME padding.

    Args:
        image: Shape (N, C, H, W).
        weight: Shape (out, C, size, size).
        bias: Shape (out,), or None.
        stride: Step of the kernel, in pixels.
        dilation: Distance of the kernel's taps, in pixels.

    Returns:
        Shape (N, out, ceil(H / stride), ceil(W / stride)).
    """
    size = weight.shape[-1]
    sides = [same_padding(length, size, stride, dilation) for length in image.shape[-2:]]
    if all(before == after for before, after in sides):  # no copy of the input
        padding = [before for before, _ in sides]
        return F.conv2d(image, weight, bias, stride, padding, dilation)
    padded = pad_same(image, size, stride, dilation)
    return F.conv2d(padded, weight, bias, stride, dilation=dilation)


class SameConv2d(nn.Conv2d):
    """A convolution whose output is ``ceil(size / stride)`` pixels long, as in TensorFlow.

    Parameters are those of ``torch.nn.Conv2d`` (``weight``, ``bias``).

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Height and width of the kernel, in pixels; odd or even.
        stride: Step of the kernel, in pixels.
        dilation: Distance of the kernel's taps, in pixels.
        bias: Whether to add a learned offset per output channel.

    Raises:
        ValueError: If stride and dilation are both above 1, which TensorFlow refuses, too.

    Source:
        TensorFlow, ``tf.keras.layers.Conv2D(padding="same")``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        dilation: int = 1,
        bias: bool = True,
    ) -> None:
        if stride > 1 and dilation > 1:
            raise ValueError(
                f"stride and dilation cannot both exceed 1, got stride={stride}, "
                f"dilation={dilation}"
            )
        super().__init__(
            in_channels, out_channels, kernel_size, stride, dilation=dilation, bias=bias
        )

    def forward(self, input: Tensor) -> Tensor:
        """Convolve.

        Args:
            input: Shape (N, in_channels, H, W).

        Returns:
            Shape (N, out_channels, ceil(H / stride), ceil(W / stride)).
        """
        return conv_same(input, self.weight, self.bias, self.stride[0], self.dilation[0])


class SameConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution whose output is ``size * stride`` pixels long, as in TensorFlow.

    It is the full transposed convolution, cropped by ``max(kernel_size - stride, 0) // 2`` pixels
    before, or lengthened by zeros (and bias) at the end where the kernel is shorter than the
    stride. No ``padding``, ``output_padding`` of PyTorch's does the same for every kernel.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Height and width of the kernel, in pixels.
        stride: Factor of enlargement.
        bias: Whether to add a learned offset per output channel.

    Source:
        TensorFlow, ``tf.keras.layers.Conv2DTranspose(padding="same")``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, bias=bias)

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Enlarge.

        Args:
            input: Shape (N, in_channels, H, W).
            output_size: Not used: SAME fixes the size.

        Returns:
            Shape (N, out_channels, H * stride, W * stride).
        """
        size, stride = self.kernel_size[0], self.stride[0]
        missing, surplus = max(stride - size, 0), max(size - stride, 0)
        enlarged = F.conv_transpose2d(
            input, self.weight, self.bias, stride, surplus // 2, output_padding=missing
        )
        if surplus % 2 == 0:  # what is cropped alike on both sides was never made
            return enlarged
        return enlarged[..., : input.shape[-2] * stride, : input.shape[-1] * stride]
