"""What a graph does to the size of its maps: pooling, enlarging, padding, cropping."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.interop._graph_common import GraphError, choice, count, flag, pair
from lit_restore.interop._graph_convolutions import pad_map
from lit_restore.nn import depth_to_space

_MODES = ("nearest", "bilinear")


class _Pooling(nn.Module):
    def __init__(
        self,
        pool_size: Sequence[int] = (2, 2),
        strides: Sequence[int] | None = None,
        padding: str = "valid",
    ) -> None:
        super().__init__()
        self.pool_size = pair("pool_size", pool_size)
        self.strides = self.pool_size if strides is None else pair("strides", strides)
        self.padding = choice("padding", padding, ("same", "valid"))

    def _padded(self, image: Tensor, value: float) -> Tensor:
        if self.padding == "valid":
            return image
        return pad_map(image, self.pool_size, self.strides, value=value)


class MaxPooling2D(_Pooling):
    """Keras's MaxPooling2D; what lies outside the map is never a maximum."""

    def forward(self, image: Tensor) -> Tensor:
        """Take the maximum of each window; shape (N, C, H, W)."""
        return F.max_pool2d(self._padded(image, float("-inf")), self.pool_size, self.strides)


class AveragePooling2D(_Pooling):
    """Keras's AveragePooling2D; what lies outside the map doesn't count."""

    def forward(self, image: Tensor) -> Tensor:
        """Take the mean of each window; shape (N, C, H, W)."""
        mean = F.avg_pool2d(self._padded(image, 0.0), self.pool_size, self.strides)
        if self.padding == "valid":
            return mean
        inside = self._padded(torch.ones_like(image[:1, :1]), 0.0)
        return mean / F.avg_pool2d(inside, self.pool_size, self.strides)


class GlobalMaxPooling2D(nn.Module):
    """Keras's GlobalMaxPooling2D."""

    def __init__(self, keepdims: bool = False) -> None:
        super().__init__()
        self.keepdims = flag("keepdims", keepdims)

    def forward(self, image: Tensor) -> Tensor:
        """Take each channel's maximum; shape (N, C, H, W) to (N, C) or (N, C, 1, 1)."""
        return image.amax((2, 3), keepdim=self.keepdims)


class GlobalAveragePooling2D(nn.Module):
    """Keras's GlobalAveragePooling2D."""

    def __init__(self, keepdims: bool = False) -> None:
        super().__init__()
        self.keepdims = flag("keepdims", keepdims)

    def forward(self, image: Tensor) -> Tensor:
        """Take each channel's mean; shape (N, C, H, W) to (N, C) or (N, C, 1, 1)."""
        return image.mean((2, 3), keepdim=self.keepdims)


class UpSampling2D(nn.Module):
    """Keras's UpSampling2D, nearest or bilinear with half-pixel centres."""

    def __init__(self, size: Sequence[int] = (2, 2), interpolation: str = "nearest") -> None:
        super().__init__()
        self.size = pair("size", size)
        self.interpolation = choice("interpolation", interpolation, _MODES)

    def forward(self, image: Tensor) -> Tensor:
        """Enlarge; shape (N, C, H, W) to (N, C, H * size, W * size)."""
        size = [length * factor for length, factor in zip(image.shape[-2:], self.size, strict=True)]
        if self.interpolation == "nearest":
            return F.interpolate(image, size, mode="nearest-exact")  # "nearest" fails from 41 on
        return F.interpolate(image, size, mode="bilinear", align_corners=False)


class Resizing(nn.Module):
    """Keras's Resizing, or ``tf.image.resize``: nearest or bilinear, without antialiasing."""

    def __init__(self, height: int, width: int, interpolation: str = "bilinear") -> None:
        super().__init__()
        self.height = count("height", height)
        self.width = count("width", width)
        self.interpolation = choice("interpolation", interpolation, _MODES)

    def forward(self, image: Tensor) -> Tensor:
        """Resize; shape (N, C, H, W) to (N, C, height, width)."""
        size = (self.height, self.width)
        if self.interpolation == "nearest":
            return F.interpolate(image, size, mode="nearest-exact")
        return F.interpolate(image, size, mode="bilinear", align_corners=False)


class DepthToSpace(nn.Module):
    """``tf.nn.depth_to_space``: channels become blocks of pixels, in TensorFlow's order."""

    def __init__(self, block_size: int) -> None:
        super().__init__()
        self.block_size = count("block_size", block_size, low=2, high=256)

    def forward(self, image: Tensor) -> Tensor:
        """Shuffle; shape (N, C * block_size**2, H, W) to (N, C, H * block_size, ...)."""
        return depth_to_space(image, self.block_size)


class SpaceToDepth(nn.Module):
    """``tf.nn.space_to_depth``: blocks of pixels become channels, in TensorFlow's order."""

    def __init__(self, block_size: int) -> None:
        super().__init__()
        self.block_size = count("block_size", block_size, low=2, high=256)

    def forward(self, image: Tensor) -> Tensor:
        """Shuffle; shape (N, C, H * block_size, ...) to (N, C * block_size**2, H, W)."""
        number, channels, height, width = image.shape
        side = self.block_size
        blocks = image.reshape(number, channels, height // side, side, width // side, side)
        return blocks.permute(0, 3, 5, 1, 2, 4).reshape(
            number, channels * side**2, height // side, width // side
        )


class _Border(nn.Module):
    def __init__(self, border: Any) -> None:
        super().__init__()
        if not isinstance(border, (list, tuple)) or len(border) != 2:
            raise GraphError(f"border must be [[top, bottom], [left, right]], got {border!r}")
        self.border = [list(pair("border", side, low=0)) for side in border]

    def _pad(self, image: Tensor, sign: int) -> Tensor:
        (top, bottom), (left, right) = self.border
        return F.pad(image, tuple(sign * side for side in (left, right, top, bottom)))


class ZeroPadding2D(_Border):
    """Keras's ZeroPadding2D; ``border`` is [[top, bottom], [left, right]], in pixels."""

    def forward(self, image: Tensor) -> Tensor:
        """Add zeros around; shape (N, C, H, W)."""
        return self._pad(image, 1)


class Cropping2D(_Border):
    """Keras's Cropping2D; ``border`` is [[top, bottom], [left, right]], in pixels."""

    def forward(self, image: Tensor) -> Tensor:
        """Cut the border off; shape (N, C, H, W)."""
        return self._pad(image, -1)
