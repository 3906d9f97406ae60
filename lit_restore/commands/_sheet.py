"""Contact sheets: pictures side by side in rows, with their names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._batch import UsageError
from lit_restore.commands._output import check_output
from lit_restore.commands._report import Report

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

CELL = 256  # pixels, at most
MARGIN = 8
CAPTION = 20
ROWS = 8


@dataclass(frozen=True)
class Sheet:
    """What is to be seen.

    Attributes:
        rows: Pictures of shape (1 or 3, H, W), uint8 or float in unit range; None leaves a place
            empty, and a row has one picture at least.
        captions: A line below each row.
        titles: A word above each column, or none.
        largest: Pixels to which a longer side is reduced.
    """

    rows: "Sequence[Sequence[Tensor | None]]"
    captions: Sequence[str]
    titles: Sequence[str] = ()
    largest: int = CELL


def check_sheet(path: Path | None, taken: Sequence[Path]) -> None:
    """Find out before the work whether a sheet can be written, and over no other file.

    Args:
        path: Of the sheet; None for no sheet.
        taken: Inputs and outputs.

    Raises:
        UsageError: If it cannot; tells why.
    """
    if path is None:
        return
    check_output(path, is_image=True)
    if path.resolve() in {one.resolve() for one in taken}:
        raise UsageError(f"--grid: {path} is an input or an output")


def write_sheet(sheet: Sheet, path: Path, report: Report, overwrite: bool) -> None:
    """Write a sheet, unless it exists already or there is nothing to show.

    Args:
        sheet: What is to be seen.
        path: Of the picture.
        report: Is told of a sheet that exists already, and of one that cannot be written.
        overwrite: Whether to replace one.
    """
    from lit_restore.data.images import write_image

    if path.exists() and not overwrite:
        report.line(f"note: {path}: exists already; --overwrite replaces it")
    elif sheet.rows:
        try:
            write_image(contact_sheet(sheet), path)
        except ValueError as error:
            report.trouble(f"failed: {error}")


def contact_sheet(sheet: Sheet) -> "Tensor":
    """Draw a sheet.

    Returns:
        Shape (3, H, W), uint8; white between the pictures.
    """
    import numpy as np
    import torch
    from PIL import Image

    cells = [[_cell(one, sheet.largest) for one in row] for row in sheet.rows]
    shown = [[cell.size for cell in row if cell is not None] for row in cells]
    step = max(width for row in shown for width, _ in row) + MARGIN
    heights = [max(height for _, height in row) for row in shown]
    top = MARGIN + (CAPTION if sheet.titles else 0)
    size = (
        MARGIN + max(map(len, cells)) * step,
        top + sum(heights) + len(heights) * (CAPTION + MARGIN),
    )
    canvas = Image.new("RGB", size, "white")
    for column, title in enumerate(sheet.titles):
        _write(canvas, title, MARGIN + column * step, MARGIN)
    for row, height, caption in zip(cells, heights, sheet.captions, strict=True):
        for column, cell in enumerate(row):
            if cell is not None:
                canvas.paste(cell, (MARGIN + column * step, top))
        _write(canvas, caption, MARGIN, top + height + 2)
        top += height + CAPTION + MARGIN
    return torch.from_numpy(np.array(canvas)).permute(2, 0, 1)


def _cell(picture: "Tensor | None", largest: int) -> "Image | None":
    """Make a picture 8-bit RGB, with no side above ``largest``."""
    from PIL import Image

    from lit_restore.data.resize import matlab_resize

    if picture is None:
        return None
    if picture.is_floating_point():
        picture = (picture.clamp(0, 1) * 255 + 0.5).byte()
    longer = max(picture.shape[-2:])
    if longer > largest:
        height, width = (max(round(side * largest / longer), 1) for side in picture.shape[-2:])
        picture = matlab_resize(picture, size=(height, width))
    return Image.fromarray(picture.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy())


def _write(canvas: "Image", text: str, left: int, top: int) -> None:
    from PIL import ImageDraw, ImageFont

    ImageDraw.Draw(canvas).text((left, top), text, "black", ImageFont.load_default(13))
