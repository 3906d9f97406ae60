"""A convolution of a map that is enlarged by nearest neighbour, without the enlarged map."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.nn.conv import conv_same

_FOLDED_FROM = 128  # small pixels of a batch: for fewer, making the kernel costs more than it saves


def enlarging_fold(kernel_size: int, scale: int) -> Tensor:
    """Say which taps over an enlarged map come together in which tap of a transposed kernel.

    Along one axis, tap t meets pixel p of a block at tap ``p + kernel_size - 1 - t``.

    Args:
        kernel_size: Height and width of the kernel over the enlarged map, in pixels.
        scale: Factor of the nearest enlargement.

    Returns:
        Shape (kernel_size**2, (kernel_size + scale - 1)**2), of zeros and ones.
    """
    size = kernel_size + scale - 1
    taps = torch.arange(kernel_size)[:, None]
    phase = torch.arange(size)[None, :] - (kernel_size - 1) + taps
    axis = ((phase >= 0) & (phase < scale)).float()
    return torch.einsum("ya,xb->yxab", axis, axis).reshape(kernel_size**2, size**2)


def conv_enlarged(
    image: Tensor, weight: Tensor, bias: Tensor | None, fold: Tensor, scale: int
) -> Tensor:
    """Convolve a map, enlarged by nearest neighbour, with SAME padding, as if it were enlarged.

    Args:
        image: Shape (N, C, H, W).
        weight: Shape (out, C, size, size), over the enlarged map.
        bias: Shape (out,), or None.
        fold: What ``enlarging_fold(size, scale)`` gives.
        scale: Factor of the nearest enlargement, at least 2.

    Returns:
        Shape (N, out, H * scale, W * scale).
    """
    out, channels, size, _ = weight.shape
    with torch.autocast(weight.device.type, enabled=False):
        kernel = weight.reshape(out * channels, -1) @ fold.to(weight.dtype)
    kernel = kernel.view(out, channels, size + scale - 1, size + scale - 1).transpose(0, 1)
    # SAME pads an even kernel by one pixel less before, where the transposed one crops.
    even = 1 - size % 2
    return F.conv_transpose2d(image, kernel, bias, scale, size // 2, output_padding=even)


class UpsampleConv2d(nn.Conv2d):
    """``conv(nearest(image))`` without the enlarged map.

    Nearest enlargement repeats each pixel, so it folds into the kernel of a transposed convolution:
    for a 4x4 kernel and a factor of 2 this takes 25 products per small pixel where the plain form
    takes 64. Outputs and gradients are those of the plain form, up to rounding, and so are the
    parameters (``weight`` of shape (out, in, k, k) and ``bias``).

    Args:
        in_channels: Channels of the map that is enlarged.
        out_channels: Channels of the output.
        kernel_size: Height and width of the kernel, in pixels of the output; SAME padding.
        scale: Factor of the nearest enlargement, at least 2.
        folded: Whether to fold where that is faster, which is from 128 pixels of a batch of small
            maps on; False computes the plain form always, as a reference.
        bias: Whether to add a learned offset per output channel.

    Raises:
        ValueError: If ``scale`` is below 2.
    """

    fold: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        scale: int = 2,
        folded: bool = True,
        bias: bool = True,
    ) -> None:
        if scale < 2:
            raise ValueError(f"scale must be at least 2, got {scale}")
        super().__init__(in_channels, out_channels, kernel_size, bias=bias)
        self.scale = scale
        self.folded = folded
        self.register_buffer("fold", enlarging_fold(kernel_size, scale), persistent=False)

    def forward(self, input: Tensor) -> Tensor:
        """Enlarge, convolve.

        Args:
            input: Shape (N, in_channels, H, W).

        Returns:
            Shape (N, out_channels, H * scale, W * scale).
        """
        if self.folded and len(input) * input.shape[-2] * input.shape[-1] >= _FOLDED_FROM:
            return conv_enlarged(input, self.weight, self.bias, self.fold, self.scale)
        enlarged = F.interpolate(input, scale_factor=float(self.scale), mode="nearest")
        return conv_same(enlarged, self.weight, self.bias)
