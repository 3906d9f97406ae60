"""Which pictures a dataset of pairs has, and what tells their pixels apart in a cache."""

import hashlib
import math
import pickle
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from lit_restore.data.cache import file_stamp
from lit_restore.data.degradation import Degradation
from lit_restore.data.images import image_size

Size = tuple[int, int]


class Entry(NamedTuple):
    """A large picture's file, its small one's, its zoom, and the size that it then has."""

    path: Path
    low: Path | None
    zoom: Fraction
    size: Size

    @property
    def stamp(self) -> str:
        """What the large picture's pixels depend on."""
        return f"{file_stamp(self.path)} {self.zoom}"


def list_entries(
    files: Sequence[Path], low_files: Sequence[Path] | None, zooms: Sequence[float], least: int
) -> list[Entry]:
    """List what a dataset has: each picture once for each zoom that leaves it large enough.

    Args:
        files: Large pictures.
        low_files: The small picture of each, or None to make them.
        zooms: Factors by which the large pictures are reduced first.
        least: Shortest side, in pixels.

    Raises:
        ValueError: If there are pictures, but none is large enough.
    """
    lows: Sequence[Path | None] = low_files or [None] * len(files)
    sizes = [image_size(path) for path in files]
    entries = [
        Entry(path, low, *_zoomed(size, zoom))
        for zoom in zooms
        for path, low, size in zip(files, lows, sizes, strict=True)
    ]
    fitting = [one for one in entries if min(one.size) >= least]
    if files and not fitting:
        raise ValueError(f"none of {len(files)} pictures is at least {least}x{least} pixels large")
    return fitting


def large_key(entries: Sequence[Entry], scale: int) -> str:
    """Tell on what the pixels of large pictures depend."""
    return "\n".join([f"super-resolution {scale}", *(one.stamp for one in entries)])


def small_key(entries: Sequence[Entry], degradation: Degradation | None, seed: int) -> str:
    """Tell on what the pixels of small pictures depend besides: their files, or how they are made.

    The settings are told by their bytes, too, since the words for an array leave digits out, and
    those for a long one most of it.
    """
    files = [file_stamp(one.low) for one in entries if one.low]
    if files:
        return f"{seed}\n" + "\n".join(files)
    words = repr((type(degradation), getattr(degradation, "__dict__", None)))
    return f"{seed}\n{words}{_digest(degradation) if degradation else ''}"


def _digest(degradation: Degradation) -> str:
    try:
        return hashlib.sha256(pickle.dumps(degradation)).hexdigest()
    except (pickle.PicklingError, AttributeError, TypeError):  # of a function within another
        return ""


def _zoomed(size: Size, zoom: float) -> tuple[Fraction, Size]:
    """The zoom as a fraction, and the size that it leaves."""
    factor = Fraction(zoom).limit_denominator(1000)
    height, width = (math.ceil(side * factor) for side in size)
    return factor, (height, width)


def check_options(scale: int, size: int | None, degrade: str, given: bool) -> None:
    """Refuse options of a dataset of pairs that do not fit each other."""
    if scale < 1 or (size or scale) % scale or (size or scale) < scale:
        raise ValueError(f"size must be a multiple of scale, got {size} for {scale}")
    if degrade not in ("picture", "crop"):
        raise ValueError(f"degrade must be 'picture' or 'crop', got {degrade!r}")
    if given and degrade == "crop":
        raise ValueError("small pictures are given: degrade must be 'picture', got 'crop'")


def check_zooms(zooms: Sequence[float], given: bool) -> None:
    """Refuse zooms that enlarge, and any of pictures whose small ones are given."""
    if not zooms or not all(0 < zoom <= 1 for zoom in zooms):
        raise ValueError(f"zooms must be factors above 0 and at most 1, got {list(zooms)}")
    if given and list(zooms) != [1.0]:
        raise ValueError(f"small pictures are given: zooms must be [1.0], got {list(zooms)}")
