"""What reading a picture needs to know, what it gives back, and how it complains."""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

MAX_PIXELS = 178_956_970


class ImageFileError(ValueError):
    """An image file cannot be read or written; the message is ``<path>: reason``."""


class ImageFileWarning(UserWarning):
    """A picture was read, but not just as it stands in the file; names the file."""


@dataclass(frozen=True)
class ReadOptions:
    """How pictures are read.

    Args:
        alpha: ``"keep"`` splits transparency off, ``"drop"`` throws it away without compositing,
            ``"composite=#rrggbb"`` lays the picture over that colour.
        frames: What to take of an animation or a file of several pages: ``"first"``, ``"all"``,
            or ``None`` to refuse it.
        max_pixels: Most pixels that a picture may have, over all frames that are read.
        allow_truncated: Whether to read what there is of a truncated file. The switch is one of
            the whole process: while such a file is read, other threads accept them as well.
        bit_depth: ``"auto"`` keeps 16 bits where the file has them; ``8`` rounds them to 8 bits;
            ``16`` reads every file to float, to be written with 16 bits.
        strip_metadata: Whether to leave EXIF out.

    Raises:
        ValueError: If a value is none of these.
    """

    alpha: str = "keep"
    frames: Literal["first", "all"] | None = None
    max_pixels: int = MAX_PIXELS
    allow_truncated: bool = False
    bit_depth: Literal["auto", 8, 16] = "auto"
    strip_metadata: bool = False

    def __post_init__(self) -> None:
        if self.alpha not in ("keep", "drop") and self.background is None:
            raise ValueError(f"alpha must be keep, drop or composite=#rrggbb, got {self.alpha!r}")
        if self.frames not in (None, "first", "all"):
            raise ValueError(f"frames must be None, 'first' or 'all', got {self.frames!r}")
        if self.bit_depth not in ("auto", 8, 16):
            raise ValueError(f"bit_depth must be 'auto', 8 or 16, got {self.bit_depth!r}")
        if self.max_pixels < 1:
            raise ValueError(f"max_pixels must be positive, got {self.max_pixels}")

    @property
    def background(self) -> tuple[int, int, int] | None:
        """The colour to composite over, 0 to 255 each; ``None`` if ``alpha`` names none."""
        match = re.fullmatch(r"composite=#([0-9a-fA-F]{6})", self.alpha)
        if match is None:
            return None
        red, green, blue = bytes.fromhex(match[1])
        return red, green, blue


@dataclass(frozen=True)
class Picture:
    """A picture as it was read, with what is needed to write it back as it came.

    Attributes:
        pixels: Shape (3, H, W), RGB, upright; uint8, or float32 in unit range.
        alpha: Shape (1, H, W), of the type of ``pixels``; ``None`` without transparency.
        grey: Whether the file has grey levels only.
        bit_depth: Bits per channel to write.
        format: Pillow's name of the file's format, such as ``"PNG"``.
        exif: EXIF without orientation, sizes and thumbnail; ``None`` if there is none.
        path: The file.
        frame: Number of the frame in a file of several that was read whole, else ``None``.
    """

    pixels: Tensor
    alpha: Tensor | None
    grey: bool
    bit_depth: Literal[8, 16]
    format: str
    exif: bytes | None
    path: Path
    frame: int | None = None


@dataclass(frozen=True)
class Header:
    """What the header of a file tells of its picture.

    Attributes:
        size: Height and width when upright, in pixels.
        frames: Frames to be read.
        grey: Whether there are grey levels only; a palette counts as colour here.
        alpha: Whether transparency is to be kept.
        bit_depth: Bits per channel to be written.
        format: Pillow's name of the file's format.
    """

    size: tuple[int, int]
    frames: int
    grey: bool
    alpha: bool
    bit_depth: Literal[8, 16]
    format: str


def warn(path: Path, text: str) -> None:
    """Warn that the picture of ``path`` is not just as it stands in the file."""
    warnings.warn(f"{path}: {text}", ImageFileWarning, stacklevel=2)
