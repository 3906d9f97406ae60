"""Masks from files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from lit_restore.data._draws import happens, integer
from lit_restore.data.images import list_images, read_image
from lit_restore.data.masks import MaskSource
from lit_restore.data.resize import resize_nearest

White = Literal["hole", "valid"]
MOST_HOLE = 0.6  # where the largest class of the paper ends
_GREY = (32, 224)  # levels that are neither black nor white: a JPEG's are not quite
_MOST_GREY = 0.2  # the rims of smoothed holes, which are thin, stay below
_LOOKED_AT = 64


class MaskFolder(MaskSource):
    """The masks of a folder, resized by nearest neighbour (Pillow's) to the size asked for.

    Args:
        root: Folder of black and white pictures, of any size and format that ``read_image`` reads.
        white: What white means. Published masks have it either way, so there is no default.
        deal: Whether sample i of a dataset gets file i, in sorted order and again from the first
            after the last, in every epoch; otherwise a file is drawn.
        flip: Whether to mirror half of the masks, and half upside down.
        rotate: Whether to turn by a multiple of 90 degrees, before the resizing.
        check: Whether to look at up to 64 files, spread evenly, and refuse the folder if more than
            0.6 of them is hole on average, as happens where ``white`` is the wrong way round.

    Attributes:
        files: The files, sorted.

    Raises:
        ValueError: If the folder has no pictures, ``white`` is neither, or the check fails; there
            or when called, if a file is not black and white, or is all hole or all valid (when
            called, at the size asked for).
        ImageFileError: If ``root`` is no folder; there or when called, if a file cannot be read.
    """

    def __init__(
        self,
        root: str,
        white: White,
        deal: bool = False,
        flip: bool = False,
        rotate: bool = False,
        check: bool = True,
    ) -> None:
        if white not in ("hole", "valid"):
            raise ValueError(f"white must be hole or valid, got {white!r}")
        self.root = root
        self.files = list_images(root)
        if not self.files:
            raise ValueError(f"{root} must be a folder of masks, got one without pictures")
        self.white: White = white
        self.deal = deal
        self.flip = flip
        self.rotate = rotate
        if check:
            self._check(self.files[:: -(-len(self.files) // _LOOKED_AT)])

    def __call__(self, height: int, width: int, generator: torch.Generator) -> Tensor:
        """Draw a file; its mask has shape (1, height, width), bool."""
        index = integer(generator, (0, len(self.files) - 1))
        return self._made(index, height, width, generator)

    def of_sample(self, index: int, height: int, width: int, generator: torch.Generator) -> Tensor:
        """Deal the file of a sample, or draw one; its mask has shape (1, height, width), bool."""
        if not self.deal:
            return self(height, width, generator)
        return self._made(index % len(self.files), height, width, generator)

    def __repr__(self) -> str:
        """Name the class and what it was made with."""
        settings = f"white={self.white!r}, deal={self.deal}, flip={self.flip}, rotate={self.rotate}"
        return f"MaskFolder({self.root!r}, {settings})"

    def _made(self, index: int, height: int, width: int, generator: torch.Generator) -> Tensor:
        path = self.files[index]
        mask = self._read(path)
        if self.rotate:
            mask = mask.rot90(integer(generator, (0, 3)), (1, 2))
        if self.flip:
            mask = mask.flip([axis for axis in (1, 2) if happens(generator, 0.5)])
        mask = resize_nearest(mask, (height, width), "pillow")
        if bool(mask.all()) or not mask.any():
            lost = "hole" if mask.any() else "valid part"
            raise ValueError(f"{path}: nothing is left of the {lost} at {height}x{width} pixels")
        return mask

    def _read(self, path: Path) -> Tensor:
        """Read a mask at its own size, shape (1, H, W), bool; True where valid."""
        light = read_mask(path)
        if bool(light.all()) or not light.any():
            shade = "white" if light.any() else "black"
            raise ValueError(f"{path}: a mask must have holes and valid pixels, got all {shade}")
        return light if self.white == "valid" else ~light

    def _check(self, files: Sequence[Path]) -> None:
        ratio = sum(1 - float(self._read(path).float().mean()) for path in files) / len(files)
        if ratio > MOST_HOLE:
            other = "valid" if self.white == "hole" else "hole"
            raise ValueError(
                f"with white: {self.white} the masks in {self.root} are {ratio:.0%} hole on "
                f"average (expected at most {MOST_HOLE:.0%}): say white: {other}, or check: false "
                "if that is meant"
            )


def read_mask(path: Path) -> Tensor:
    """Read a mask, whatever its white means.

    Args:
        path: A black and white picture; its levels are split at 128, so that smooth rims don't
            matter, and what is transparent counts as black.

    Returns:
        Shape (1, H, W), bool; True where white.

    Raises:
        ValueError: If more than a fifth of its pixels are neither black nor white.
        ImageFileError: If the file cannot be read.
    """
    picture = read_image(path, alpha="composite=#000000", bit_depth=8)
    levels = picture.float().mean(0, keepdim=True)
    grey = float(((levels >= _GREY[0]) & (levels < _GREY[1])).float().mean())
    if grey > _MOST_GREY:
        raise ValueError(
            f"the mask {path} must be black and white, got {grey:.0%} of pixels in between"
        )
    return levels >= 128
