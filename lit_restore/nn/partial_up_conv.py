"""Partial convolution of a map that is enlarged and joined with another, as decoders have it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lit_restore.nn.conv import conv_same
from lit_restore.nn.partial_conv import Normalize, PartialConv2d, check_mask, is_full, valid_part
from lit_restore.nn.upsample_conv import conv_enlarged, enlarging_fold

_FOLDED_FROM = 512  # small pixels of a batch: for fewer, making the kernel costs more than it saves


class PartialUpConv2d(PartialConv2d):
    """Nearest enlargement, concatenation with a skip, and a partial convolution, in one.

    Nearest enlargement repeats each pixel, so it folds into the kernel of a transposed convolution:
    for a 3x3 kernel and a factor of 2 this reads 16 taps per small pixel where the plain form reads
    36, and neither the enlarged nor the joined map exists. Holes are cut out of the small map.
    Outputs and gradients are those of the plain form, up to rounding. Parameters are those of
    ``PartialConv2d``: the weight's first channels read the enlarged map.

    Args:
        low_channels: Channels of the map that is enlarged.
        out_channels: Channels of the output.
        kernel_size: Height and width of the kernel, in pixels; SAME padding.
        scale: Factor of the nearest enlargement.
        skip_channels: Channels of the map at full size; 0 for none.
        bias: Whether to add a learned offset per output channel.
        normalize: As of ``PartialConv2d``.
        folded: Whether the enlargement is folded into the kernel; None: where that is faster.

    Raises:
        ValueError: If ``normalize`` is unknown.
    """

    fold: Tensor

    def __init__(
        self,
        low_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        scale: int = 2,
        skip_channels: int = 0,
        bias: bool = True,
        normalize: Normalize = "coverage",
        folded: bool | None = None,
    ) -> None:
        channels = low_channels + skip_channels
        super().__init__(channels, out_channels, kernel_size, bias=bias, normalize=normalize)
        self.low_channels = low_channels
        self.scale = scale
        self.folded = folded
        self.register_buffer("fold", enlarging_fold(kernel_size, scale), persistent=False)

    def forward(  # type: ignore[override]
        self, low: Tensor, low_mask: Tensor, skip: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Enlarge, join, convolve the valid pixels.

        Args:
            low: Shape (N, low_channels, H, W).
            low_mask: Shape (N, 1, H, W), of any type; 0 in the hole, else valid.
            skip: Shape (N, skip_channels, H * scale, W * scale); None if there are none.
            mask: Shape (N, 1, H * scale, W * scale), of ``skip``.

        Returns:
            The features, shape (N, out_channels, H * scale, W * scale), and their mask, shape
            (N, 1, same height, same width).

        Raises:
            ValueError: If the shapes don't fit one another, or the channels.
        """
        images = [low] if skip is None else [low, skip]
        masks = [low_mask] if mask is None else [low_mask, mask]
        self._check_sizes(images, masks)
        full = [is_full(one) for one in masks]
        pairs = zip(images, masks, full, strict=True)
        seen = [one if whole else valid_part(one, valid) for one, valid, whole in pairs]
        sums = self._folded(seen) if self._folds(low) else self._plain(seen)
        masks[0] = self._up(low_mask)
        return self._normalised(sums, [one.shape[1] for one in images], masks, all(full))

    def _folds(self, low: Tensor) -> bool:
        if self.folded is None:
            return len(low) * low.shape[-2] * low.shape[-1] >= _FOLDED_FROM
        return self.folded

    def _plain(self, seen: list[Tensor]) -> Tensor:
        maps = [self._up(seen[0]), *seen[1:]]
        return conv_same(torch.cat(maps, dim=1) if seen[1:] else maps[0], self.weight, None)

    def _folded(self, seen: list[Tensor]) -> Tensor:
        weight = self.weight[:, : self.low_channels]
        sums = conv_enlarged(seen[0], weight, None, self.fold, self.scale)
        for skip in seen[1:]:
            sums = sums + conv_same(skip, self.weight[:, self.low_channels :], None)
        return sums

    def _up(self, image: Tensor) -> Tensor:
        if image.dtype == torch.bool:  # which F.interpolate refuses
            return image.repeat_interleave(self.scale, -2).repeat_interleave(self.scale, -1)
        return F.interpolate(image, scale_factor=float(self.scale), mode="nearest")

    def _check_sizes(self, images: list[Tensor], masks: list[Tensor]) -> None:
        channels = [one.shape[1] for one in images]
        if channels[0] != self.low_channels or sum(channels) != self.in_channels:
            expected = [self.low_channels, self.in_channels - self.low_channels]
            raise ValueError(f"expected {expected} channels, got {channels}")
        if len(images) != len(masks):
            raise ValueError("expected both or neither of skip and mask, got one")
        for image, mask in zip(images, masks, strict=True):
            check_mask(image, mask)
        size = tuple(side * self.scale for side in images[0].shape[-2:])
        if tuple(images[-1].shape[-2:]) != size and len(images) > 1:
            raise ValueError(
                f"skip must be {size} pixels large, got {tuple(images[-1].shape[-2:])}"
            )
