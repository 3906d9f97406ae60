"""Random squares of pictures, and the same place of a small and a large one seen the same way."""

import math

import torch
from torch import Tensor


def crop_pair(
    source: Tensor | None, target: Tensor, side: int, scale: int, generator: torch.Generator
) -> tuple[Tensor | None, Tensor]:
    """Cut the same square of both, at a random place of the small picture's grid.

    Args:
        source: The small picture, shape (3, h, w), or it enlarged to the large one's size; or None.
        target: The large picture, shape (3, H, W), H and W multiples of ``scale``.
        side: Of the square of the large picture, in pixels, a multiple of ``scale``.
        scale: Factor between the two.
        generator: Draws the place.
    """
    height, width = target.shape[-2:]
    top = scale * int(torch.randint((height - side) // scale + 1, (), generator=generator))
    left = scale * int(torch.randint((width - side) // scale + 1, (), generator=generator))
    cut = target[:, top : top + side, left : left + side]
    if source is None:
        return None, cut
    grid = height // source.shape[-2]
    rows = slice(top // grid, (top + side) // grid)
    return source[:, rows, left // grid : (left + side) // grid], cut


def turn_pair(
    source: Tensor | None, target: Tensor, generator: torch.Generator
) -> tuple[Tensor | None, Tensor]:
    """Mirror, and turn by a quarter, each with a probability of a half: all eight ways."""
    across, down, swap = (torch.rand(3, generator=generator) < 0.5).tolist()
    axes = [axis for axis, wanted in ((-1, across), (-2, down)) if wanted]

    def turned(image: Tensor) -> Tensor:
        image = image.flip(axes) if axes else image
        return image.transpose(-1, -2) if swap else image

    return None if source is None else turned(source), turned(target)


def random_square(image: Tensor, size: int, zoom: bool, generator: torch.Generator) -> Tensor:
    """Cut a random square.

    Args:
        image: Shape (..., H, W), both sides ``size`` at least.
        size: Of the square, in pixels; its least side with ``zoom``.
        zoom: Whether the side is random, too: from ``size`` to the shorter side, evenly in its
            logarithm.
        generator: Draws side and place.
    """
    height, width = image.shape[-2:]
    side = size
    if zoom:
        spread = math.log(min(height, width) / size)
        draw = float(torch.rand((), generator=generator))
        side = min(round(size * math.exp(spread * draw)), height, width)
    top = int(torch.randint(height - side + 1, (), generator=generator))
    left = int(torch.randint(width - side + 1, (), generator=generator))
    return image[..., top : top + side, left : left + side]
