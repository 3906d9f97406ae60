"""What becomes of a picture and its labels before they are augmented: resized, cut or padded."""

from dataclasses import dataclass
from typing import get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from lit_restore.data._pair_crops import random_square
from lit_restore.data.classes import IGNORED
from lit_restore.data.resize import resize_bicubic_pillow, resize_nearest
from lit_restore.data.restoration import View

Labelled = tuple[Tensor, Tensor]
Size = tuple[int, int]


def fitted_size(size: Size, side: int) -> Size:
    """Say which size a picture has once its longer side has ``side`` pixels.

    Args:
        size: Height and width, in pixels.
        side: Of the longer side, in pixels; the other is rounded half up, and 1 at least.
    """
    height, width = size
    longer = max(size)
    return (
        max((2 * height * side + longer) // (2 * longer), 1),
        max((2 * width * side + longer) // (2 * longer), 1),
    )


@dataclass(frozen=True)
class LabelledLook:
    """Resizes, cuts and pads uint8 pictures, shape (3, H, W), and uint8 labels, shape (H, W).

    Pictures are resized by Pillow's BICUBIC, labels by Pillow's NEAREST, which takes the pixel
    under the centre of the new one: a label is never a mixture of two. Where a picture is too small
    it is padded by repeating its edge, and its labels by 255, which means that they are ignored.

    Args:
        size: Side of the square samples, in pixels.
        view: ``"resize"``, ``"crop"``, ``"zoom"`` or ``"whole"``.
        working_side: What the longer side of every picture is resized to first, in pixels; None
            leaves the pictures as they are.
        multiple_of: With ``"whole"``: what both sides are padded to a multiple of, at the bottom
            and at the right.

    Raises:
        ValueError: If a number is below 1, or there is no such view.
    """

    size: int
    view: View = "zoom"
    working_side: int | None = None
    multiple_of: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.view not in get_args(View):
            raise ValueError(f"view must be one of {', '.join(get_args(View))}, got {self.view!r}")
        if min(self.size, self.multiple_of, self.working_side or 1) < 1:
            raise ValueError(
                "size, multiple_of and working_side must be at least 1, got "
                f"{self.size}, {self.multiple_of} and {self.working_side}"
            )

    def prepared_size(self, size: Size) -> Size:
        """Say which height and width ``prepare`` gives a picture, in pixels."""
        if self.view == "resize":
            return self.size, self.size
        return size if self.working_side is None else fitted_size(size, self.working_side)

    def prepare(self, picture: Tensor, labels: Tensor) -> Labelled:
        """Do what every sample of a picture begins with, and a cache may keep."""
        height, width = labels.shape
        return _resized(picture, labels, self.prepared_size((height, width)))

    def show(self, picture: Tensor, labels: Tensor, generator: torch.Generator) -> Labelled:
        """Make a sample of what ``prepare`` gave; every random draw is the generator's."""
        height, width = labels.shape
        if self.view == "resize":
            return picture, labels
        if self.view == "whole":
            grid = self.multiple_of
            return _padded(picture, labels, (height + -height % grid, width + -width % grid))
        least = max(height, self.size), max(width, self.size)
        picture, labels = _padded(picture, labels, least)
        both = torch.cat((picture, labels[None]))
        square = random_square(both, self.size, self.view == "zoom", generator)
        return _resized(square[:-1], square[-1], (self.size, self.size))


def _resized(picture: Tensor, labels: Tensor, size: Size) -> Labelled:
    if labels.shape == size:
        return picture, labels
    return resize_bicubic_pillow(picture, size), resize_nearest(labels, size, "pillow")


def _padded(picture: Tensor, labels: Tensor, size: Size) -> Labelled:
    """Pad at the bottom and at the right."""
    height, width = labels.shape
    below, beside = size[0] - height, size[1] - width
    if not (below or beside):
        return picture, labels
    rows = torch.arange(size[0]).clamp(max=height - 1)
    columns = torch.arange(size[1]).clamp(max=width - 1)
    longer = picture.index_select(-2, rows).index_select(-1, columns)
    return longer, F.pad(labels, (0, beside, 0, below), value=IGNORED)
