"""Padding pictures to the multiple of a size that a network asks for."""

from typing import Literal

import torch
from torch import Tensor


def padded_to(image: Tensor, multiple_of: int, by: Literal["edge", "mirror"]) -> Tensor:
    """Pad pictures at the right and the bottom.

    Args:
        image: Shape (N, C, H, W).
        multiple_of: Pixels of which both sides shall be a multiple.
        by: ``"edge"`` repeats the last row and column; ``"mirror"`` goes back from there, the edge
            twice, and on to and fro however small the picture is.

    Returns:
        Shape (N, C, H', W'); ``image`` itself if it fits.
    """
    for axis in (-2, -1):
        side = image.shape[axis]
        if side % multiple_of:
            places = torch.arange(side + -side % multiple_of, device=image.device)
            image = image.index_select(axis, places_inside(places, side, by))
    return image


def places_inside(places: Tensor, side: int, by: Literal["edge", "mirror"]) -> Tensor:
    """Say which pixels of a line stand where it was continued.

    Args:
        places: Of pixels, shape (L,), int64; 0 is the first pixel of the line, others may lie
            before it or behind its end.
        side: Pixels of the line.
        by: As in ``padded_to``.

    Returns:
        Places in 0 .. side - 1, shape (L,).
    """
    if by == "edge":
        return places.clamp(0, side - 1)
    turned = places % (2 * side)
    return torch.minimum(turned, 2 * side - 1 - turned)
