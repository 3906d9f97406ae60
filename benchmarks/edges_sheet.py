"""A contact sheet of found edges."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.edges_methods import picture_of

if TYPE_CHECKING:
    from benchmarks.edges import Found, Pair

GAP = 4
ROWS = 5


def write_sheet(path: Path, pairs: "Sequence[Pair]", found: "Iterable[Found]") -> None:
    """Write one row for each of the first pairs: photograph, methods, drawn lines.

    Args:
        path: Of the picture; its folder must exist.
        pairs: At least one.
        found: The columns between, in order.
    """
    import torch
    import torch.nn.functional as F

    from lit_restore.data import write_image

    shown = pairs[:ROWS]
    height, width = (max(pair.photo.shape[side] for pair in shown) for side in (1, 2))
    columns = list(found)
    rows = []
    for pair in shown:
        edges = [picture_of(one.way, pair.photo, one.tuned.threshold) for one in columns]
        drawn = pair.drawn.float().expand(3, -1, -1)
        cells = [pair.photo, *((255 * one + 0.5).to(torch.uint8) for one in (*edges, drawn))]
        rest = (GAP, width - pair.photo.shape[2], GAP, height - pair.photo.shape[1])
        rows.append(torch.cat([F.pad(cell, rest, value=255) for cell in cells], 2))
    write_image(F.pad(torch.cat(rows, 1), (0, GAP, 0, GAP), value=255), path)
