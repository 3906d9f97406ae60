"""Large pictures cut into tiles that give what the whole picture gives; torch only."""

from collections.abc import Iterator
from math import ceil, isqrt
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lit_restore.inference.padding import places_inside
from lit_restore.inference.receptive import needed_halo


class Grid(NamedTuple):
    """What a network needs to know where its input begins and ends.

    Attributes:
        step: Pixels; a tile begins at a multiple of it, where the network's pooling begins, too.
        margin: Pixels that the output lacks at each side; 0 for networks that keep the size.
        halo: Pixels that a tile needs around it, a multiple of ``step``; 0 with a margin, which is
            halo enough.
        shortest: The least side that the network takes.
    """

    step: int
    margin: int
    halo: int
    shortest: int


class Span(NamedTuple):
    """A tile along one axis, in pixels of the picture.

    Attributes:
        start: Where the tile begins.
        stop: Where it ends.
        first: Where the network's input begins; may lie outside of the picture.
        last: Where the input ends.
    """

    start: int
    stop: int
    first: int
    last: int


def grid_of(network: nn.Module, tiled: bool) -> Grid:
    """Ask a network for its grid.

    Args:
        network: Says its ``multiple_of`` (1 if missing) and, if its output lacks something at each
            side, its ``margin``, in pixels, and which sides it takes by ``next_side(side)``: the
            least that is not below ``side``.
        tiled: Whether the halo is needed.

    Raises:
        ValueError: If it is, and the network looks at the whole picture.
    """
    margin = int(getattr(network, "margin", 0))
    if margin:
        next_side = getattr(network, "next_side", int)
        shortest = int(next_side(2 * margin + 1))
        return Grid(int(next_side(shortest + 1)) - shortest, margin, 0, shortest)
    step = int(getattr(network, "multiple_of", 1))
    if not tiled:
        return Grid(step, 0, 0, step)
    halo = None if _resizes(network) else needed_halo(network)
    if halo is None:
        raise ValueError(
            f"{type(network).__name__} looks at the whole picture, so that tiles would give "
            "something else: expected no tile size"
        )
    return Grid(step, 0, halo, step)


def spans(length: int, core: int, grid: Grid) -> list[Span]:
    """Cut a line of pixels into tiles.

    Args:
        length: Of the line.
        core: Pixels that a tile has without its surroundings; a multiple of ``grid.step``, or more
            than the line has.
        grid: Of the network.
    """
    return [
        _span(start, min(start + core, length), length, grid) for start in range(0, length, core)
    ]


def _span(start: int, stop: int, length: int, grid: Grid) -> Span:
    if grid.margin:
        wanted = max(stop - start + 2 * grid.margin, grid.shortest)
        side = wanted + -(wanted - grid.shortest) % grid.step
        return Span(start, stop, start - grid.margin, start - grid.margin + side)
    whole = length + -length % grid.step
    last = stop + grid.halo
    return Span(start, stop, max(start - grid.halo, 0), min(last + -last % grid.step, whole))


def cores(size: tuple[int, int], grid: Grid, most: int) -> tuple[int, int]:
    """Choose the height and width of tiles, surroundings not counted.

    Of strips as wide as the picture, and of squares, those are taken that make the network compute
    fewer pixels in all.

    Args:
        size: Height and width of the picture, in pixels.
        grid: Of the network.
        most: Pixels that the network may be given at a time, if that can be.
    """
    around = 2 * grid.margin + grid.step - 1 if grid.margin else 2 * grid.halo
    height, width = size
    strip = (_even(height, most // (width + around) - around, grid.step), width)
    side = isqrt(most) - around
    square = (_even(height, side, grid.step), _even(width, side, grid.step))
    return min(strip, square, key=lambda core: _price(size, core, grid, most))


def computed(size: tuple[int, int], core: tuple[int, int], grid: Grid) -> int:
    """Count the pixels that the network is given in all."""
    rows, columns = _sides(size, core, grid)
    return sum(rows) * sum(columns)


def _price(size: tuple[int, int], core: tuple[int, int], grid: Grid, most: int) -> tuple[int, int]:
    """Say by how much the largest input exceeds the budget, and what is computed."""
    rows, columns = _sides(size, core, grid)
    return max(max(rows) * max(columns) - most, 0), sum(rows) * sum(columns)


def _sides(size: tuple[int, int], core: tuple[int, int], grid: Grid) -> tuple[list[int], list[int]]:
    """List the heights and the widths of the network's inputs."""
    rows, columns = (
        [span.last - span.first for span in spans(length, part, grid)]
        for length, part in zip(size, core, strict=True)
    )
    return rows, columns


def _even(length: int, most: int, step: int) -> int:
    """Say how long a tile is where as few as can be of at most so many pixels are alike."""
    most = max(most // step, 1) * step
    part = ceil(length / ceil(length / most))
    return part + -part % step


def cut(image: Tensor, rows: Span, columns: Span, grid: Grid) -> Tensor:
    """Cut what the network needs for a tile out of pictures.

    What lies outside of them is mirrored for a network with a margin, and else repeats the edge.

    Args:
        image: Shape (N, C, H, W).
        rows: Of the tile.
        columns: Of the tile.
        grid: Of the network.

    Returns:
        Shape (N, C, rows.last - rows.first, columns.last - columns.first).
    """
    for axis, span in ((-2, rows), (-1, columns)):
        side = image.shape[axis]
        if span.first >= 0 and span.last <= side:
            image = image.narrow(axis, span.first, span.last - span.first)
            continue
        places = torch.arange(span.first, span.last, device=image.device)
        inside = places_inside(places, side, "mirror" if grid.margin else "edge")
        image = image.index_select(axis, inside)
    return image


def tiles(size: tuple[int, int], core: tuple[int, int], grid: Grid) -> Iterator[tuple[Span, Span]]:
    """Yield the rows and columns of every tile of a picture."""
    columns = spans(size[1], core[1], grid)
    return ((row, column) for row in spans(size[0], core[0], grid) for column in columns)


def _resizes(network: nn.Module) -> bool:
    """Whether a network sees its picture at other scales (``TTA``), which tiles do not share."""
    return any(scale != 1 for scale in getattr(network, "scales", ()))
