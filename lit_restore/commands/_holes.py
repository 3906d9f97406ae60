"""Holes that the picture itself or the command line shows: shape (1, H, W), bool; True inside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lit_restore.commands._batch import Job

if TYPE_CHECKING:
    from torch import Tensor

    from lit_restore.data.images import Picture

HoleSource = Callable[[Job, "Picture"], "Tensor"]


def alpha_hole(job: Job, picture: "Picture") -> "Tensor":
    """Take what is more transparent than not as the hole.

    Raises:
        ValueError: If the picture has no transparency.
    """
    if picture.alpha is None:
        raise ValueError("it has no transparency, which --mask-alpha needs")
    return picture.alpha < (0.5 if picture.alpha.is_floating_point() else 128)


@dataclass(frozen=True)
class ColourHole:
    """Takes what has a colour as the hole.

    Attributes:
        colour: Red, green and blue, 0 to 255.
        tolerance: By how many such levels each channel may differ.
    """

    colour: tuple[int, int, int]
    tolerance: int

    def __call__(self, job: Job, picture: "Picture") -> "Tensor":
        """Find the colour in a picture."""
        levels = picture.pixels.float()
        if picture.pixels.is_floating_point():
            levels = levels * 255
        away = (levels - levels.new_tensor(self.colour).view(3, 1, 1)).abs().amax(0, keepdim=True)
        return away <= self.tolerance + 1e-3  # less than a level of 16 bits


@dataclass(frozen=True)
class RectangleHole:
    """Takes rectangles as the hole.

    Attributes:
        rectangles: Left, top, width and height of each, in pixels.
    """

    rectangles: Sequence[tuple[int, int, int, int]]

    def __call__(self, job: Job, picture: "Picture") -> "Tensor":
        """Draw the rectangles.

        Raises:
            ValueError: If one lies outside of the picture.
        """
        height, width = picture.pixels.shape[-2:]
        hole = picture.pixels.new_zeros((1, height, width)).bool()
        for left, top, across, down in self.rectangles:
            rows = slice(max(top, 0), max(top + down, 0))
            columns = slice(max(left, 0), max(left + across, 0))
            if not hole[:, rows, columns].numel():
                raise ValueError(
                    f"--mask-rect {left},{top},{across},{down} lies outside of its "
                    f"{width}x{height} pixels"
                )
            hole[:, rows, columns] = True
        return hole


@dataclass(frozen=True)
class Grown:
    """Makes holes wider.

    Attributes:
        source: Of the holes.
        pixels: By how many, to each side and corner.
    """

    source: HoleSource
    pixels: int

    def __call__(self, job: Job, picture: "Picture") -> "Tensor":
        """Find the holes and widen them."""
        import torch.nn.functional as F

        size = 2 * self.pixels + 1
        hole = self.source(job, picture).float()
        rows = F.max_pool2d(hole, (size, 1), 1, (self.pixels, 0))
        return F.max_pool2d(rows, (1, size), 1, (0, self.pixels)) > 0
