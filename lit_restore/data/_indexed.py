"""The values of a file as they stand in it: indices of a palette, grey levels or colours."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageFile
from torch import Tensor

from lit_restore.data._depth16 import has_16_bits
from lit_restore.data._opening import orientation, turned
from lit_restore.data._picture import ImageFileError

_MODES = ("1", "L", "P", "RGB", "LA", "PA", "RGBA")


class Indexed(NamedTuple):
    """What a file holds, without any conversion of colours.

    Attributes:
        values: int64; shape (H, W) for a palette's indices or grey levels, (3, H, W) for colours.
        palette: The colours of the indices, int64, shape (K, 3), K at most 256; None without.
        lossy: Whether the format changes values.
    """

    values: Tensor
    palette: Tensor | None
    lossy: bool


def indexed_pixels(image: ImageFile.ImageFile, path: Path) -> Indexed:
    """Decode an opened file, upright; transparency is left out, and colour profiles are ignored.

    Raises:
        ImageFileError: If it is of a kind whose values are no labels, such as CMYK or 16-bit RGB.
    """
    deep = has_16_bits(image)
    grey16 = deep and image.mode.startswith("I")
    if not grey16 and (deep or image.mode not in _MODES):
        kind = "16-bit colours" if deep else f"mode {image.mode!r}"
        raise ImageFileError(
            f"{path}: a label image must have a palette, grey levels or 8-bit colours, got {kind}"
        )
    lossy = image.format in ("JPEG", "MPO")
    image.load()
    upright = turned(image, orientation(image, path))
    if upright.mode in ("LA", "PA", "RGBA"):
        upright = _without_alpha(upright)
    palette = upright.getpalette("RGB") if upright.mode == "P" else None
    if upright.mode == "1":
        upright = upright.convert("L")
    values = torch.from_numpy(np.array(upright).astype(np.int64))
    return Indexed(
        values.permute(2, 0, 1) if values.ndim == 3 else values,
        None if palette is None else torch.tensor(palette).view(-1, 3),
        lossy,
    )


def encode_indexed(values: Tensor, colours: Sequence[Sequence[int]]) -> bytes:
    """Encode a PNG file with a palette.

    Args:
        values: uint8, shape (H, W).
        colours: Of index 0, 1 and so on, 256 at most.
    """
    image = Image.fromarray(np.ascontiguousarray(values.cpu().numpy()))
    image.putpalette([channel for colour in colours for channel in colour])
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=False)
    return buffer.getvalue()


def palette_of(pixels: Indexed) -> Tensor:
    """Say the colours of a file's palette, shape (K, 3); none without a palette."""
    return torch.zeros(0, 3).long() if pixels.palette is None else pixels.palette


def distinct(pixels: Indexed) -> tuple[Tensor, Tensor]:
    """Find the distinct values of a file.

    Returns:
        Their colours, shape (K, 3); and which of them each pixel is, shape (H, W). Grey is three
        equal channels. An index beyond the palette is black.
    """
    values = pixels.values
    if values.ndim == 3:
        codes, where = _ranked((values[0] * 256 + values[1]) * 256 + values[2])
        return torch.stack((codes // 65536, codes // 256 % 256, codes % 256), -1), where
    codes, where = _ranked(values)
    if pixels.palette is None:
        return codes[:, None].expand(-1, 3), where
    palette = torch.zeros(256, 3, dtype=torch.int64)
    palette[: len(pixels.palette)] = pixels.palette
    return palette[codes], where


def _ranked(values: Tensor) -> tuple[Tensor, Tensor]:
    """List the values that occur, rising, and the place of each pixel's among them."""
    if values.ndim and int(values.max()) > 65535:  # a count of each would be large
        codes, where = np.unique(values.numpy(), return_inverse=True)
        return torch.from_numpy(codes), torch.from_numpy(where).view(values.shape)
    occurs = torch.from_numpy(np.bincount(values.flatten().numpy()) > 0)
    places = occurs.cumsum(0) - 1
    return occurs.nonzero()[:, 0], places[values]


def _without_alpha(image: Image.Image) -> Image.Image:
    if image.mode == "PA":
        index = Image.fromarray(np.array(image)[..., 0])
        index.putpalette(image.getpalette("RGB") or [0, 0, 0])
        return index
    return image.convert("L" if image.mode == "LA" else "RGB")
