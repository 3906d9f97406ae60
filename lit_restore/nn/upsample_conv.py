"""A convolution of a map that is enlarged, computed at the small size."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.nn.conv import conv_same
from lit_restore.nn.upsample import fold_matrix


class UpsampleConv2d(nn.Conv2d):
    """``conv(nearest(image))`` without the enlarged map.

    Nearest enlargement repeats each pixel, so the repetition folds into a smaller kernel with
    ``scale**2`` times the outputs, followed by a pixel shuffle: for a 4x4 kernel and a factor of 2
    that is a 3x3 kernel, 36 products where the plain form takes 64. Outputs and gradients are those
    of the plain form, up to rounding, and so are the parameters (``weight`` of shape
    (out, in, k, k) and ``bias``).

    Args:
        in_channels: Channels of the map that is enlarged.
        out_channels: Channels of the output.
        kernel_size: Height and width of the kernel, in pixels of the output; SAME padding.
        scale: Factor of the nearest enlargement.
        folded: False computes the plain form, as a reference.
        bias: Whether to add a learned offset per output channel.
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
        super().__init__(in_channels, out_channels, kernel_size, bias=bias)
        self.scale = scale
        self.folded = folded
        fold, self.small_padding = fold_matrix(kernel_size, scale)
        self.register_buffer("fold", fold, persistent=False)

    def forward(self, input: Tensor) -> Tensor:
        """Enlarge, convolve.

        Args:
            input: Shape (N, in_channels, H, W).

        Returns:
            Shape (N, out_channels, H * scale, W * scale).
        """
        if not self.folded:
            enlarged = F.interpolate(input, scale_factor=float(self.scale), mode="nearest")
            return conv_same(enlarged, self.weight, self.bias)
        bias = None if self.bias is None else self.bias.repeat_interleave(self.scale**2)
        before, after = self.small_padding
        if before == after:
            small = F.conv2d(input, self._folded_weight(), bias, padding=before)
        else:
            padded = F.pad(input, (before, after, before, after))
            small = F.conv2d(padded, self._folded_weight(), bias)
        return F.pixel_shuffle(small, self.scale)

    def _folded_weight(self) -> Tensor:
        # (out, in, k, k) -> (out, row phase, column phase, in, folded k, folded k)
        fold = self.fold.to(self.weight.dtype)
        weight = torch.einsum("oiyx,pya,qxb->opqiab", self.weight, fold, fold)
        return weight.reshape(-1, self.in_channels, *weight.shape[-2:])
