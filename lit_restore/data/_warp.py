"""A picture and its labels, warped alike by one resampling."""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Border = Literal["reflect", "ignore"]


def warp_places(
    size: tuple[int, int], degrees: float, factor: float, displacement: Tensor | None
) -> Tensor:
    """Say from which place of the old picture each new pixel is taken.

    Args:
        size: Height and width, in pixels.
        degrees: By how much the picture is turned about its centre, against the clock.
        factor: By how much it is enlarged about its centre.
        displacement: How far the place of each pixel is moved further, in pixels, shape (2, H, W).

    Returns:
        Places in pixels from the centre, x and y, shape (H, W, 2).
    """
    height, width = size
    y = torch.arange(height) - (height - 1) / 2
    x = torch.arange(width) - (width - 1) / 2
    cos, sin = math.cos(math.radians(degrees)) / factor, math.sin(math.radians(degrees)) / factor
    across = cos * x[None] - sin * y[:, None]
    down = sin * x[None] + cos * y[:, None]
    places = torch.stack((across, down))
    return (places if displacement is None else places + displacement).permute(1, 2, 0)


def warp(
    image: Tensor, labels: Tensor, places: Tensor, border: Border, ignore_index: int
) -> tuple[Tensor, Tensor]:
    """Take each pixel of a picture (bilinear) and of its labels (nearest) from a place.

    Beyond its edge the picture goes on as its mirror image.

    Args:
        image: float, shape (C, H, W).
        labels: int64, shape (H, W).
        places: As ``warp_places`` gives them.
        border: Whether beyond the edge the labels are mirrored, too, or are ``ignore_index``.
        ignore_index: Of pixels that are not to be looked at.
    """
    height, width = labels.shape
    grid = places * torch.tensor([2 / width, 2 / height])
    warped = _sampled(image, grid, "bilinear")
    found = _sampled(labels[None].float(), grid, "nearest")[0].long()
    if border == "ignore":
        found[(grid.abs() > 1).any(-1)] = ignore_index
    return warped, found


def _sampled(planes: Tensor, grid: Tensor, mode: str) -> Tensor:
    sampled = F.grid_sample(
        planes[None], grid[None], mode=mode, padding_mode="reflection", align_corners=False
    )
    return sampled[0]
