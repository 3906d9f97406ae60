"""Enlarging: pixel shuffle in both channel orders, and nearest upsampling folded into a kernel."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.nn.conv import SameConv2d, conv_same

ChannelOrder = Literal["torch", "tensorflow"]


def depth_to_space(image: Tensor, scale: int, order: ChannelOrder = "tensorflow") -> Tensor:
    """Move ``scale * scale`` channels into a block of pixels.

    The orders differ in which channel goes where: channel ``c`` of the output takes, at row ``i``
    and column ``j`` of its block, input channel ``(i * scale + j) * C + c`` in TensorFlow's order
    and ``c * scale**2 + i * scale + j`` in PyTorch's (``F.pixel_shuffle``).

    Args:
        image: Shape (N, C * scale**2, H, W).
        scale: Side of a block, in pixels.
        order: Whose channel order.

    Returns:
        Shape (N, C, H * scale, W * scale).

    Raises:
        ValueError: If the channels are not a multiple of ``scale**2``, or the order is unknown.

    Source:
        Shi et al., CVPR 2016, https://arxiv.org/abs/1609.05158; ``tf.nn.depth_to_space``.
    """
    if order not in ("torch", "tensorflow"):
        raise ValueError(f"order must be 'torch' or 'tensorflow', got {order!r}")
    count, channels, height, width = image.shape
    if channels % scale**2:
        raise ValueError(f"channels must be a multiple of {scale**2}, got {channels}")
    if order == "torch":
        return F.pixel_shuffle(image, scale)
    shape = (count, channels // scale**2, height * scale, width * scale)
    if image.stride(1) == 1:  # channels_last stays so
        pixels = image.permute(0, 2, 3, 1).reshape(count, height, width, scale, scale, shape[1])
        rows = pixels.permute(0, 1, 3, 2, 4, 5).reshape(count, *shape[2:], shape[1])
        return rows.permute(0, 3, 1, 2)
    blocks = image.reshape(count, scale, scale, shape[1], height, width)
    return blocks.permute(0, 3, 4, 1, 5, 2).reshape(shape)


def pixel_shuffle_permutation(channels: int, scale: int) -> Tensor:
    """Order the output channels of a convolution so that both shuffles give the same image.

    ``F.pixel_shuffle(x[:, permutation], scale)`` equals ``depth_to_space(x, scale)``; the same
    index applied to the weight and bias of the convolution before makes the change lasting.

    Args:
        channels: Channels before the shuffle, a multiple of ``scale**2``.
        scale: Side of a block, in pixels.

    Returns:
        Shape (channels,), int64.
    """
    return torch.arange(channels).reshape(scale**2, -1).T.reshape(-1)


class PixelShuffleUpsample(nn.Module):
    """A 1x1 convolution with ReLU, then depth to space: the notes' learned enlargement.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output; the convolution makes ``scale**2`` times as many.
        scale: Factor of enlargement.
        kernel_size: Height and width of the kernel, in pixels; 1 in the notes.
        order: Whose channel order; PyTorch's is faster, TensorFlow's is the notes'.

    Source:
        Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient
        Sub-Pixel Convolutional Neural Network", CVPR 2016, https://arxiv.org/abs/1609.05158.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        scale: int = 2,
        kernel_size: int = 1,
        order: ChannelOrder = "torch",
    ) -> None:
        super().__init__()
        self.scale = scale
        self.order: ChannelOrder = order
        self.conv = SameConv2d(in_channels, out_channels * scale**2, kernel_size)

    def forward(self, image: Tensor) -> Tensor:
        """Enlarge.

        Args:
            image: Shape (N, in_channels, H, W).

        Returns:
            Shape (N, out_channels, H * scale, W * scale), not negative.
        """
        return depth_to_space(self.conv(image).relu(), self.scale, self.order)


class UpsampleConcatConv2d(nn.Conv2d):
    """``conv(cat(nearest(low), skip))`` without the enlarged map and without the concatenation.

    Nearest upsampling repeats each pixel, so a kernel over the enlarged map reads few different
    pixels: the repetition folds into a smaller kernel with ``scale**2`` times the outputs, followed
    by a pixel shuffle. Outputs and gradients are those of the plain form, up to rounding, and so
    are the parameters (``weight`` of shape (out, low + skip, k, k) and ``bias``).

    Args:
        low_channels: Channels of the map that is enlarged.
        skip_channels: Channels of the map at full size.
        out_channels: Channels of the output.
        kernel_size: Height and width of the kernel, in pixels; SAME padding.
        scale: Factor of the nearest upsampling.
        folded: False computes the plain form, as a reference.
    """

    fold: Tensor

    def __init__(
        self,
        low_channels: int,
        skip_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        scale: int = 2,
        folded: bool = True,
    ) -> None:
        super().__init__(low_channels + skip_channels, out_channels, kernel_size)
        self.low_channels = low_channels
        self.scale = scale
        self.folded = folded
        fold, self.low_padding = _fold_matrix(kernel_size, scale)
        self.register_buffer("fold", fold, persistent=False)

    def forward(self, low: Tensor, skip: Tensor) -> Tensor:  # type: ignore[override]
        """Enlarge, join, convolve.

        Args:
            low: Shape (N, low_channels, H, W).
            skip: Shape (N, skip_channels, H * scale, W * scale).

        Returns:
            Shape (N, out_channels, H * scale, W * scale).

        Raises:
            ValueError: If ``skip`` is not ``scale`` times as large as ``low``.
        """
        expected = (low.shape[-2] * self.scale, low.shape[-1] * self.scale)
        if tuple(skip.shape[-2:]) != expected:
            raise ValueError(f"skip must be {expected} pixels large, got {tuple(skip.shape[-2:])}")
        if not self.folded:
            return self._plain(low, skip)
        weight_low = self.weight[:, : self.low_channels]
        weight_skip = self.weight[:, self.low_channels :]
        before, after = self.low_padding
        if before == after:
            small = F.conv2d(low, self._folded(weight_low), padding=before)
        else:
            small = F.conv2d(F.pad(low, (before, after, before, after)), self._folded(weight_low))
        return F.pixel_shuffle(small, self.scale) + conv_same(skip, weight_skip, self.bias)

    def _plain(self, low: Tensor, skip: Tensor) -> Tensor:
        enlarged = F.interpolate(low, scale_factor=float(self.scale), mode="nearest")
        return conv_same(torch.cat([enlarged, skip], dim=1), self.weight, self.bias)

    def _folded(self, weight: Tensor) -> Tensor:
        # (out, low, k, k) -> (out, row phase, column phase, low, folded k, folded k)
        fold = self.fold.to(weight.dtype)
        weight = torch.einsum("oiyx,pya,qxb->opqiab", weight, fold, fold)
        return weight.reshape(-1, self.low_channels, *weight.shape[-2:])


def _fold_matrix(kernel_size: int, scale: int) -> tuple[Tensor, tuple[int, int]]:
    """Say which small pixel each tap reads at each phase of a block.

    Returns:
        Shape (scale, kernel_size, folded kernel size), 1 where phase p's tap y reads small pixel
        a; and how many small pixels lie before and after the block's own.
    """
    before = (kernel_size - 1) // 2
    phases = torch.arange(scale)[:, None] + torch.arange(kernel_size)[None, :] - before
    small = torch.div(phases, scale, rounding_mode="floor")
    first, last = -before // scale, (scale + kernel_size - 2 - before) // scale
    return F.one_hot(small - first, last - first + 1).float(), (-first, last)
