"""What becomes of a picture, or of both of a pair alike, before a network sees it."""

from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor

from lit_restore.data._pair_crops import random_square, turn_pair
from lit_restore.data.resize import resize_bicubic_pillow
from lit_restore.data.restoration import View


@dataclass(frozen=True)
class Look:
    """Resizes, cuts, mirrors and turns uint8 tensors of shape (..., H, W).

    Pictures that lie in one tensor get the same. Resizing is Pillow's BICUBIC, which widens its
    kernel where it reduces, so that thin lines fade but none is dropped, and which clips.

    Args:
        size: Side of the square samples, in pixels.
        view: ``"resize"``, ``"crop"``, ``"zoom"`` or ``"whole"``.
        jitter: With ``"resize"``: side, in pixels, of the square that is made first, and of which a
            random square of ``size`` is cut; None makes one of ``size`` itself.
        multiple_of: With ``"whole"``: to what both sides are cut; None: to ``size``.
        flip: Whether to mirror half of the samples.
        turn: Whether to mirror and turn by quarters, in all eight ways, whatever ``flip`` is.

    Raises:
        ValueError: If a number is below 1, ``jitter`` below ``size``, or there is no such view.
    """

    size: int
    view: View = "resize"
    jitter: int | None = None
    multiple_of: int | None = None
    flip: bool = False
    turn: bool = False

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if self.view not in get_args(View):
            raise ValueError(f"view must be one of {', '.join(get_args(View))}, got {self.view!r}")
        if self.size < 1 or (self.multiple_of is not None and self.multiple_of < 1):
            raise ValueError(
                f"size and multiple_of must be at least 1, got {self.size} and {self.multiple_of}"
            )
        if self.jitter is not None and self.jitter < self.size:
            raise ValueError(
                f"jitter must be at least size, since squares of size are cut of ones of jitter "
                f"pixels: got {self.jitter} for {self.size}"
            )

    @property
    def least(self) -> int:
        """Shortest side that a picture must have, in pixels; ``"resize"`` enlarges small ones."""
        sides = {"resize": 1, "whole": self.multiple_of or self.size}
        return sides.get(self.view, self.size)

    @property
    def square(self) -> int | None:
        """Side of the square that every picture is squeezed to first, in pixels, if it is."""
        return (self.jitter or self.size) if self.view == "resize" else None

    def prepare(self, image: Tensor) -> Tensor:
        """Do what every sample of a picture begins with, and a cache may keep."""
        return _squeeze(image, self.square) if self.square else image

    def show(self, image: Tensor, generator: torch.Generator) -> Tensor:
        """Make a sample of what ``prepare`` gave; every random draw is the generator's."""
        image = self._cut(image, generator)
        if self.turn:
            return turn_pair(None, image, generator)[1]
        if self.flip and torch.rand((), generator=generator) < 0.5:
            return image.flip(-1)
        return image

    def _cut(self, image: Tensor, generator: torch.Generator) -> Tensor:
        height, width = image.shape[-2:]
        if self.view == "whole":
            grid = self.multiple_of or self.size
            return image[..., : height - height % grid, : width - width % grid]
        square = random_square(image, self.size, self.view == "zoom", generator)
        return _squeeze(square, self.size)


def _squeeze(image: Tensor, side: int) -> Tensor:
    """Resize to a square, unless it is that square already."""
    if image.shape[-2:] == (side, side):
        return image
    return resize_bicubic_pillow(image, (side, side))
