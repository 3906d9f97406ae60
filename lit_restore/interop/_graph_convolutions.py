"""Convolutions and matrices of a graph, with Keras's paddings."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.interop._graph_common import choice, count, flag, pair
from lit_restore.nn import same_padding

_PADDINGS = ("same", "valid")


def pad_map(
    image: Tensor,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int] = (1, 1),
    value: float = 0.0,
) -> Tensor:
    """Pad a map as Keras's SAME does, each axis by its own kernel, stride and dilation.

    Args:
        image: Shape (N, C, H, W).
        kernel: Height and width of the kernel, in pixels.
        strides: Vertical and horizontal step, in pixels.
        dilation: Vertical and horizontal distance of the taps, in pixels.
        value: What the border is filled with.

    Returns:
        Shape (N, C, H + above + below, W + left + right).
    """
    top, bottom = same_padding(image.shape[-2], kernel[0], strides[0], dilation[0])
    left, right = same_padding(image.shape[-1], kernel[1], strides[1], dilation[1])
    if top == bottom == left == right == 0:
        return image
    return F.pad(image, (left, right, top, bottom), value=value)


class Conv2D(nn.Conv2d):
    """Keras's Conv2D: kernel, stride and dilation per axis, groups, SAME or VALID padding."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sequence[int],
        strides: Sequence[int] = (1, 1),
        padding: str = "valid",
        dilation: Sequence[int] = (1, 1),
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        self.same = choice("padding", padding, _PADDINGS) == "same"
        super().__init__(
            count("in_channels", in_channels),
            count("out_channels", out_channels),
            pair("kernel_size", kernel_size),
            pair("strides", strides),
            dilation=pair("dilation", dilation),
            groups=count("groups", groups),
            bias=flag("bias", bias),
        )

    def forward(self, input: Tensor) -> Tensor:
        """Convolve.

        Args:
            input: Shape (N, in_channels, H, W).

        Returns:
            Shape (N, out_channels, H', W'); SAME gives ceil(H / stride).
        """
        if not self.same:
            return super().forward(input)
        geometry = [
            same_padding(size, k, s, d)
            for size, k, s, d in zip(
                input.shape[-2:], self.kernel_size, self.stride, self.dilation, strict=True
            )
        ]
        if all(before == after for before, after in geometry):  # symmetric: no copy of the input
            return self._convolve(input, [before for before, _ in geometry])
        padded = pad_map(input, self.kernel_size, self.stride, self.dilation)
        return self._convolve(padded, [0, 0])

    def _convolve(self, image: Tensor, padding: list[int]) -> Tensor:
        return F.conv2d(
            image, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )


class DepthwiseConv2D(Conv2D):
    """Keras's DepthwiseConv2D: each channel has ``multiplier`` kernels of its own."""

    def __init__(
        self,
        in_channels: int,
        multiplier: int,
        kernel_size: Sequence[int],
        strides: Sequence[int] = (1, 1),
        padding: str = "valid",
        dilation: Sequence[int] = (1, 1),
        bias: bool = True,
    ) -> None:
        out_channels = count("in_channels", in_channels) * count("multiplier", multiplier)
        super().__init__(
            in_channels, out_channels, kernel_size, strides, padding, dilation, in_channels, bias
        )


class SeparableConv2D(nn.Module):
    """Keras's SeparableConv2D: a depthwise convolution, then a 1x1 convolution."""

    def __init__(
        self,
        in_channels: int,
        multiplier: int,
        out_channels: int,
        kernel_size: Sequence[int],
        strides: Sequence[int] = (1, 1),
        padding: str = "valid",
        dilation: Sequence[int] = (1, 1),
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.depthwise = DepthwiseConv2D(
            in_channels, multiplier, kernel_size, strides, padding, dilation, bias=False
        )
        self.pointwise = Conv2D(in_channels * multiplier, out_channels, (1, 1), bias=bias)

    def forward(self, image: Tensor) -> Tensor:
        """Convolve; shape (N, in_channels, H, W) to (N, out_channels, H', W')."""
        return self.pointwise(self.depthwise(image))


class Conv2DTranspose(nn.ConvTranspose2d):
    """Keras's Conv2DTranspose: the full transposed convolution, cropped or lengthened by zeros.

    Keras asks for an output length, and the gradient of a convolution from that length decides
    where the crop begins; no padding of PyTorch's does the same for every kernel.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sequence[int],
        strides: Sequence[int] = (1, 1),
        padding: str = "valid",
        dilation: Sequence[int] = (1, 1),
        extra: Sequence[int] | None = None,
        bias: bool = True,
    ) -> None:
        self.same = choice("padding", padding, _PADDINGS) == "same"
        self.extra = None if extra is None else pair("extra", extra, low=0)
        super().__init__(
            count("in_channels", in_channels),
            count("out_channels", out_channels),
            pair("kernel_size", kernel_size),
            pair("strides", strides),
            dilation=pair("dilation", dilation),
            bias=flag("bias", bias),
        )

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Enlarge.

        Args:
            input: Shape (N, in_channels, H, W).
            output_size: Not used: the padding fixes the size.

        Returns:
            Shape (N, out_channels, H', W'); SAME without ``extra`` gives H * stride.
        """
        full = F.conv_transpose2d(input, self.weight, stride=self.stride, dilation=self.dilation)
        top, bottom = self._border(input.shape[-2], full.shape[-2], 0)
        left, right = self._border(input.shape[-1], full.shape[-1], 1)
        result = F.pad(full, (left, right, top, bottom))
        return result if self.bias is None else result + self.bias[:, None, None]

    def _border(self, size: int, full: int, axis: int) -> tuple[int, int]:
        length = self._length(size, axis)
        before = max(full - length, 0) // 2 if self.same else 0
        return -before, length - (full - before)

    def _length(self, size: int, axis: int) -> int:
        stride = int(self.stride[axis])
        kernel = (int(self.kernel_size[axis]) - 1) * int(self.dilation[axis]) + 1
        if self.extra is not None:
            padding = kernel // 2 if self.same else 0
            return (size - 1) * stride + kernel - 2 * padding + self.extra[axis]
        return size * stride + (0 if self.same else max(kernel - stride, 0))


class Dense(nn.Linear):
    """Keras's Dense: a matrix on the last axis, which is the channels' of a map."""

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__(
            count("in_features", in_features, high=1 << 24),
            count("out_features", out_features),
            flag("bias", bias),
        )

    def forward(self, input: Tensor) -> Tensor:
        """Multiply; shape (N, ..., in_features), or (N, in_features, H, W) for a map."""
        if input.ndim == 4:
            return F.conv2d(input, self.weight[:, :, None, None], self.bias)
        return super().forward(input)
