"""The picture that shows what a network does: before and after, with figures."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from lit_restore.commands._comparison import Comparison

ENLARGE = 3
MARGIN = 8
CAPTION = 24


def before_after(pictures: "Comparison", path: Path) -> None:
    """Draw a row per picture: mosaic, bicubic, restored, original, each with its PSNR.

    Args:
        pictures: Batches of shape (N, 3, H, W), in unit range.
        path: Of the image file to write; its folder must exist.
    """
    import numpy as np
    import torch

    from lit_restore.data import write_image
    from lit_restore.metrics import psnr

    rows = len(pictures.original)
    sheet = _sheet(
        rows, pictures.original.shape[-2] * ENLARGE, pictures.original.shape[-1] * ENLARGE
    )
    for column, name in enumerate(pictures._fields):
        batch = getattr(pictures, name)
        figures = psnr(batch, pictures.original)
        for row in range(rows):
            text = name if name == "original" else f"{name} {figures[row]:.2f} dB"
            _paste(sheet, batch[row], row, column, text)
    write_image(torch.from_numpy(np.array(sheet)).permute(2, 0, 1), path)


def _sheet(rows: int, height: int, width: int) -> "Image":
    from PIL import Image

    size = (4 * (width + MARGIN) + MARGIN, rows * (height + CAPTION + MARGIN) + MARGIN)
    return Image.new("RGB", size, "white")


def _paste(sheet: "Image", picture: "Tensor", row: int, column: int, text: str) -> None:
    from PIL import Image, ImageDraw, ImageFont

    pixels = (picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous()
    small = Image.fromarray(pixels.numpy())
    size = (small.width * ENLARGE, small.height * ENLARGE)
    large = small.resize(size, Image.Resampling.NEAREST)
    left = MARGIN + column * (large.width + MARGIN)
    top = MARGIN + row * (large.height + CAPTION + MARGIN)
    sheet.paste(large, (left, top))
    pen = ImageDraw.Draw(sheet)
    pen.text((left, top + large.height + 4), text, "black", ImageFont.load_default(14))
