"""Partial convolution, the layer of inpainting by Liu et al. 2018."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.nn.conv import conv_same, pad_same

Normalize = Literal["coverage", "count"]


class PartialConv2d(nn.Module):
    """A convolution that reads only the valid pixels, and grows the valid region.

    With ``normalize="coverage"`` the sum over the valid pixels is multiplied by the window's pixels
    over the valid ones among them (the paper's equation 1); with ``"count"`` it is divided by the
    valid ones, as in the study notes, so that the result is smaller by the window's pixels (9 times
    for a 3x3 kernel). Where no pixel of the window is valid the result is the bias. The border is
    padded as TensorFlow's SAME does, with pixels that are not valid.

    Features that are a concatenation are given as a sequence, with the mask of each: the valid
    values of a window are then counted over all of them, as if each channel had a mask of its own,
    at the cost of one channel.

    Args:
        in_channels: Channels of the input, of all groups together.
        out_channels: Channels of the output.
        kernel_size: Height and width of the kernel, in pixels; odd or even.
        stride: Step of the kernel, in pixels.
        dilation: Distance of the kernel's taps, in pixels.
        bias: Whether to add a learned offset per output channel.
        normalize: What the sum over the valid pixels is normalised by.

    Raises:
        ValueError: If ``normalize`` is unknown.

    Source:
        Liu et al., "Image Inpainting for Irregular Holes Using Partial Convolutions", ECCV 2018,
        https://arxiv.org/abs/1804.07723, section 3.1; the study notes.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        dilation: int = 1,
        bias: bool = True,
        normalize: Normalize = "coverage",
    ) -> None:
        if normalize not in ("coverage", "count"):
            raise ValueError(f"normalize must be 'coverage' or 'count', got {normalize!r}")
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.dilation = dilation
        self.normalize: Normalize = normalize
        drawn = nn.Conv2d(in_channels, out_channels, kernel_size, bias=bias)
        self.weight, self.bias = drawn.weight, drawn.bias
        self._full: tuple[object, Tensor] | None = None

    def forward(
        self, image: Tensor | Sequence[Tensor], mask: Tensor | Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Convolve the valid pixels.

        Args:
            image: Shape (N, in_channels, H, W), or groups of channels that add up to it.
            mask: Shape (N, 1, H, W), of any type; 0 in the hole, else valid. One for each group.
                It has no gradient.

        Returns:
            The features, shape (N, out_channels, ceil(H / stride), ceil(W / stride)), and their
            mask, shape (N, 1, same height, same width) in the type of the first mask: 1 where any
            pixel of the window is valid.

        Raises:
            ValueError: If the shapes don't fit one another, or ``in_channels``.
        """
        images = [image] if isinstance(image, Tensor) else list(image)
        masks = [mask] if isinstance(mask, Tensor) else list(mask)
        self._check(images, masks)
        full = [is_full(one) for one in masks]
        pairs = zip(images, masks, full, strict=True)
        seen = [one if whole else valid_part(one, valid) for one, valid, whole in pairs]
        joined = seen[0] if len(seen) == 1 else torch.cat(seen, dim=1)
        sums = conv_same(joined, self.weight, None, self.stride, self.dilation)
        return self._normalised(sums, [one.shape[1] for one in images], masks, all(full))

    def extra_repr(self) -> str:
        """The arguments that make the layer."""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, dilation={self.dilation}, normalize={self.normalize!r}"
        )

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and pickled: all but the ratio that is kept from call to call."""
        return {**self.__dict__, "_full": None}

    def _normalised(
        self, sums: Tensor, channels: Sequence[int], masks: Sequence[Tensor], full: bool
    ) -> tuple[Tensor, Tensor]:
        """Turn sums over valid pixels into features, and give these their mask.

        Args:
            sums: Shape (N, out_channels, h, w).
            channels: How many channels each mask is of.
            masks: Shape (N, 1, H, W) each.
            full: Whether all of them are known to have no hole.
        """
        with torch.no_grad():
            ratio = self._full_ratio(masks[0], sums) if full else self._ratio(channels, masks, sums)
        factor = ratio.to(sums.dtype)
        if self.bias is None:
            features = sums * factor
        else:
            features = torch.addcmul(self.bias.to(sums.dtype)[:, None, None], sums, factor)
        grown = (ratio > 0).to(masks[0].dtype)
        return features, grown.expand(len(sums), -1, -1, -1)

    def _ratio(self, channels: Sequence[int], masks: Sequence[Tensor], like: Tensor) -> Tensor:
        """Give what each sum is multiplied by, shape (N, 1, h, w); 0 where nothing is valid."""
        kind = torch.promote_types(like.dtype, torch.float32)  # counts are exact in it
        pairs = zip(channels, masks, strict=True)
        weighted = [(mask != 0).to(kind) * width for width, mask in pairs]
        count = self._box(sum(weighted[1:], start=weighted[0]))
        values = self.in_channels * (self.kernel_size**2 if self.normalize == "coverage" else 1)
        return count.reciprocal().mul_(values).nan_to_num_(posinf=0.0)

    def _full_ratio(self, mask: Tensor, like: Tensor) -> Tensor:
        """The ratio of a picture without holes, shape (1, 1, h, w): it differs at the border."""
        key = (mask.shape[-2:], like.dtype, like.device)
        if self._full is None or self._full[0] != key:
            with torch.inference_mode(False):  # or no training could use it
                ones = torch.ones(1, 1, *mask.shape[-2:], device=like.device)
                self._full = key, self._ratio([self.in_channels], [ones], like)
        return self._full[1]

    def _box(self, counts: Tensor) -> Tensor:
        """Sum over the window; shape (N, 1, H, W) becomes (N, 1, h, w)."""
        size = self.kernel_size
        padded = pad_same(counts, size, self.stride, self.dilation)
        if self.dilation == 1:
            return F.avg_pool2d(padded, size, self.stride, divisor_override=1)
        ones = counts.new_ones(1, 1, size, size)
        with torch.autocast(counts.device.type, enabled=False):  # bfloat16 counts to 256
            return F.conv2d(padded, ones, stride=self.stride, dilation=self.dilation)

    def _check(self, images: Sequence[Tensor], masks: Sequence[Tensor]) -> None:
        channels = [one.shape[1] for one in images]
        if sum(channels) != self.in_channels:
            raise ValueError(f"expected {self.in_channels} channels, got {channels}")
        if len(masks) != len(images):
            raise ValueError(f"expected a mask for each of {len(images)}, got {len(masks)}")
        for one, mask in zip(images, masks, strict=True):
            check_mask(one, mask)
            if one.shape[-2:] != images[0].shape[-2:] or len(one) != len(images[0]):
                shapes = [tuple(one.shape) for one in images]
                raise ValueError(f"groups must have one size, got shapes {shapes}")


def valid_part(image: Tensor, mask: Tensor) -> Tensor:
    """Put zeros into the holes, whatever was there: a product would let NaN through.

    Args:
        image: Shape (N, C, H, W).
        mask: Shape (N, 1, H, W); 0 in the hole.
    """
    return torch.where(mask != 0, image, 0)


def is_full(mask: Tensor) -> bool:
    """Whether nothing is masked, as far as that is known without waiting for a GPU."""
    return mask.device.type == "cpu" and not torch.compiler.is_compiling() and bool(mask.all())


def check_mask(image: Tensor, mask: Tensor) -> None:
    """Refuse a mask that is not of an image.

    Raises:
        ValueError: Unless the image's shape is (N, C, H, W), and the mask's (N, 1, H, W).
    """
    expected = (len(image), 1, *image.shape[-2:])
    if mask.shape != expected:
        raise ValueError(
            f"mask must have shape {expected}, got {tuple(mask.shape)} for {tuple(image.shape)}"
        )
