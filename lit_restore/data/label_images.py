"""Label images: the class of each pixel, told by colours, by indices or in black and white."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

from lit_restore.data._indexed import Indexed, distinct
from lit_restore.data.classes import IGNORED, Classes, Colour, as_colour
from lit_restore.data.images import read_indexed

_GREYISH = 32  # levels by which a JPEG may tint what was grey
LabelKind = Literal["colours", "index", "binary", "foreground"]


class LabelError(ValueError):
    """A label image does not say of every pixel which class it is; the message names the file."""


@dataclass(frozen=True)
class LabelReader:
    """Reads label images of one kind.

    Args:
        classes: The table.
        kind: What tells the class. ``"colours"``: the colour, as in ``classes``. ``"index"``: the
            value of the pixel; in a file with a palette the index, whatever its colour.
            ``"binary"``: a luma of more than half is class 1, else 0. ``"foreground"``: class 1 is
            whatever is not black, of files that tell further classes by colours, too.
        tolerance: How far each channel may be off from its colour; with 2, files of 127 and of 128
            read alike.
        ignore_colour: Pixels of this colour get ``ignore_index``; for ``"colours"`` and
            ``"foreground"``.
        ignore_index: Of pixels that are not to be looked at. In files of the kind ``"index"`` it
            stands for itself.

    Raises:
        ValueError: If an option does not fit, or two colours lie so near one another that one
            pixel may be within the tolerance of both.
    """

    classes: Classes
    kind: LabelKind = "colours"
    tolerance: int = 0
    ignore_colour: Colour | None = None
    ignore_index: int = IGNORED

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if self.kind not in get_args(LabelKind):
            kinds = ", ".join(get_args(LabelKind))
            raise ValueError(f"kind must be one of {kinds}, got {self.kind!r}")
        if self.ignore_colour is not None:
            as_colour(self.ignore_colour)
        if 0 <= self.ignore_index < len(self.classes):
            raise ValueError(
                f"ignore_index must not be one of the {len(self.classes)} classes, got "
                f"{self.ignore_index}"
            )
        if self.two_class and len(self.classes) != 2:
            raise ValueError(
                f"labels of the kind {self.kind} have 2 classes, got {len(self.classes)}: "
                f"{', '.join(self.classes.names)}"
            )
        if self.kind == "colours":
            _check_apart(self._colours, self.tolerance)

    @property
    def two_class(self) -> bool:
        """Whether the kind knows background and foreground only."""
        return self.kind in ("binary", "foreground")

    @property
    def _colours(self) -> list[Colour]:
        ignored = [] if self.ignore_colour is None else [self.ignore_colour]
        return [*self.classes.colours, *ignored]

    def __call__(self, path: Path) -> Tensor:
        """Read a file.

        Returns:
            int64, shape (H, W): indices of classes, and ``ignore_index``.

        Raises:
            LabelError: If a pixel is of no class, or the file cannot hold such labels.
            ImageFileError: If it cannot be read.
        """
        pixels = read_indexed(path)
        if pixels.lossy and self.kind != "binary":
            raise LabelError(
                f"{path}: a JPEG changes colours, so that its pixels are of no class for sure; "
                "expected a lossless file, such as PNG"
            )
        if self.kind == "colours":
            return self._by_colour(pixels, path)
        if self.kind == "index":
            return self._by_index(pixels, path)
        return (
            _in_black_and_white(pixels, path) if self.kind == "binary" else self._not_black(pixels)
        )

    def _not_black(self, pixels: Indexed) -> Tensor:
        found, where = distinct(pixels)
        index = (found > self.tolerance).any(-1).long()
        if self.ignore_colour is not None:
            off = (found - torch.tensor(self.ignore_colour)).abs().amax(-1)
            index[off <= self.tolerance] = self.ignore_index
        return index[where]

    def _by_colour(self, pixels: Indexed, path: Path) -> Tensor:
        found, where = distinct(pixels)
        table = torch.tensor(self._colours)
        distance = (found[:, None] - table).abs().amax(-1)
        nearest, index = distance.min(1)
        unknown = nearest > self.tolerance
        if unknown.any():
            wrong = unknown[where]
            y, x = wrong.nonzero()[0].tolist()
            colour = tuple(found[where[y, x]].tolist())
            same = int((where == where[y, x]).sum())
            raise LabelError(
                f"{path}: colour {colour} at x {x}, y {y} is of no class ({same} pixels have it, "
                f"{int(wrong.sum())} of {wrong.numel()} are of none); classes: "
                f"{self._told()}, tolerance {self.tolerance}"
            )
        index[index == len(self.classes)] = self.ignore_index
        return index[where]

    def _told(self) -> str:
        pairs = zip(self.classes.names, self.classes.colours, strict=True)
        return ", ".join(f"{name} {colour}" for name, colour in pairs)

    def _by_index(self, pixels: Indexed, path: Path) -> Tensor:
        values = one_channel(pixels, path)
        wrong = (values >= len(self.classes)) & (values != self.ignore_index)
        if wrong.any():
            y, x = wrong.nonzero()[0].tolist()
            value = int(values[y, x])
            raise LabelError(
                f"{path}: index {value} at x {x}, y {y} is of no class "
                f"({int((values == value).sum())} pixels have it); expected 0 to "
                f"{len(self.classes) - 1}, or {self.ignore_index} to be ignored"
            )
        return values


def read_classes(
    path: Path | str,
    classes: Classes,
    tolerance: int = 0,
    ignore_colour: Colour | None = None,
    ignore_index: int = IGNORED,
    kind: LabelKind = "colours",
) -> Tensor:
    """Read a label image; see ``LabelReader``, which is this with the options kept.

    Returns:
        int64, shape (H, W): indices of classes, and ``ignore_index``.

    Raises:
        LabelError: If a pixel is of no class, or the file cannot hold such labels.
        ImageFileError: If the file cannot be read.
        ValueError: If an option does not fit.
    """
    return LabelReader(classes, kind, tolerance, ignore_colour, ignore_index)(Path(path))


def one_channel(pixels: Indexed, path: Path) -> Tensor:
    """Take indices or grey levels, shape (H, W).

    Raises:
        LabelError: If the file has three channels that differ.
    """
    values = pixels.values
    if values.ndim == 2:
        return values
    if not (values == values[:1]).all():
        raise LabelError(
            f"{path}: labels of the kind index need a palette or one channel, got colours"
        )
    return values[0]


def _in_black_and_white(pixels: Indexed, path: Path) -> Tensor:
    highest = int(pixels.values.max())
    if pixels.values.ndim == 2 and pixels.palette is None and highest == 1:
        raise LabelError(
            f"{path}: labels of the kind binary are black and white, got the levels 0 and 1, which "
            "are both black; expected the kind index or foreground"
        )
    found, where = distinct(pixels)
    spread = found.amax(-1) - found.amin(-1)
    if len(spread) and int(spread.max()) > _GREYISH:
        colour = tuple(found[spread.argmax()].tolist())
        raise LabelError(
            f"{path}: labels of the kind binary are black and white, got the colour {colour}; "
            "expected the kind foreground (whatever is not black) or colours"
        )
    luma = (found * torch.tensor([299, 587, 114])).sum(-1)
    return (2 * luma > 1000 * (65535 if highest > 255 else 255)).long()[where]


def _check_apart(colours: Sequence[Colour], tolerance: int) -> None:
    if tolerance < 0:
        raise ValueError(f"tolerance must not be negative, got {tolerance}")
    for place, one in enumerate(colours):
        for other in colours[place + 1 :]:
            apart = max(abs(a - b) for a, b in zip(one, other, strict=True))
            if apart <= 2 * tolerance:
                raise ValueError(
                    f"the colours of classes and of what is ignored must be more than twice the "
                    f"tolerance apart, got {one} and {other} with a tolerance of {tolerance}"
                )
