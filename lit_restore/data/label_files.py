"""Label images written, and the tables of classes that such files were made with."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from lit_restore.atomic import replace_file
from lit_restore.data._indexed import distinct, encode_indexed, palette_of
from lit_restore.data.classes import (
    BINARY,
    IGNORED,
    IGNORED_COLOUR,
    Classes,
    Colour,
    as_colour,
    make_classes,
    voc_colours,
)
from lit_restore.data.images import read_indexed
from lit_restore.data.label_images import LabelError, LabelKind


def write_classes(labels: Tensor, path: Path | str, classes: Classes) -> None:
    """Write a label image as PNG with a palette, whole or not at all.

    The value of a pixel is the index of its class, and the palette shows the colours, so that the
    file can be read as ``"index"`` and as ``"colours"``. Pixels that are ignored keep the value
    255, in a colour of their own that is off-white.

    Args:
        labels: Shape (H, W), of a whole type: indices of classes, and 255.
        path: Its folder must exist; the suffix is ``.png``.
        classes: The table.

    Raises:
        ValueError: If the tensor is of another shape or type, or has other values, or the suffix
            is another.
        OSError: If the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(f"label images are written as .png, got {path}")
    if labels.ndim != 2 or labels.is_floating_point():
        raise ValueError(
            f"classes must be whole numbers of shape (H, W), got {labels.dtype} of shape "
            f"{tuple(labels.shape)}"
        )
    wrong = (labels < 0) | (labels >= len(classes))
    if (wrong & (labels != IGNORED)).any():
        raise ValueError(
            f"classes must be 0 to {len(classes) - 1}, or {IGNORED} to be ignored, got "
            f"{int(labels.min())} to {int(labels.max())}"
        )
    colours = list(classes.colours)
    if wrong.any():
        colours += [(0, 0, 0)] * (IGNORED - len(colours)) + [IGNORED_COLOUR]
    replace_file(path, encode_indexed(labels.to(torch.uint8), colours))


def classes_of_files(
    paths: Sequence[Path],
    kind: LabelKind = "colours",
    names: Sequence[str] | None = None,
    ignore_colour: Colour | None = None,
) -> Classes:
    """Find the table that label images were made with; every file is read.

    For ``"colours"`` its colours are those that some pixel has. They stand in the order of the
    palette where all files have the same, else black stands first and the others follow by red,
    green and blue. For ``"index"`` there are as many classes as the highest index (but 255) asks
    for, in the colours of a palette that all share, else in PASCAL VOC's. The other kinds have
    background and foreground.

    Args:
        paths: The files.
        kind: What tells the class; see ``LabelReader``.
        names: What to call them; None: ``class_0`` and so on.
        ignore_colour: No class has this colour.

    Raises:
        LabelError: If there are more names than classes that can be told apart, or fewer, or less
            than 2 classes are found.
        ImageFileError: If a file cannot be read.
    """
    if kind in ("binary", "foreground"):
        return BINARY if names is None else make_classes(names, BINARY.colours)
    if kind == "index" and names is not None:
        return make_classes(names, _palette_colours(paths, len(names)))
    if kind == "index":
        count = 1 + max((_highest(path) for path in paths), default=0)
        return make_classes(None, _enough(_palette_colours(paths, count), paths))
    found = _enough(_used_colours(paths, ignore_colour), paths)
    if names is not None and len(names) != len(found):
        raise LabelError(
            f"expected a colour for each of {', '.join(names)}, got {len(found)} in the "
            f"{len(paths)} label images: {', '.join(map(str, found))}; give the colours, too"
        )
    return make_classes(names, found)


def _enough(colours: list[Colour], paths: Sequence[Path]) -> list[Colour]:
    if not 2 <= len(colours) <= IGNORED:
        where = f"such as {paths[0]}" if paths else "of which there are none"
        raise LabelError(
            f"expected 2 to {IGNORED} classes in the label images ({where}), got {len(colours)}"
        )
    return colours


def _used_colours(paths: Iterable[Path], ignore_colour: Colour | None) -> list[Colour]:
    """List the colours that some pixel has, in the order of a shared palette or black first."""
    used: set[Colour] = set()
    palettes: set[tuple[Colour, ...]] = set()
    for path in paths:
        pixels = read_indexed(path)
        palettes.add(_listed(palette_of(pixels)))
        used.update(_listed(distinct(pixels)[0]))
    used.discard(ignore_colour)
    order = palettes.pop() if len(palettes) == 1 else ()
    return sorted(used, key=lambda c: (order.index(c) if c in order else len(order), c))


def _palette_colours(paths: Sequence[Path], count: int) -> list[Colour]:
    """List the first colours of the palette that all files share, or else PASCAL VOC's."""
    palettes = {_listed(palette_of(read_indexed(path)))[:count] for path in paths}
    shared = palettes.pop() if len(palettes) == 1 else ()
    return list(shared) if len(set(shared)) == count else voc_colours(count)


def _highest(path: Path) -> int:
    values = read_indexed(path).values
    return int(values[values != IGNORED].max()) if (values != IGNORED).any() else 0


def _listed(colours: Tensor) -> tuple[Colour, ...]:
    return tuple(as_colour(colour) for colour in colours.tolist())
