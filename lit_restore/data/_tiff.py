"""TIFF files: Pillow does not write 16-bit colour, nor EXIF together with compression."""

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin, TiffTags

_HEAD = b"II*\0\x08\0\0\0"  # little-endian, the directory follows
_DEFLATE, _HORIZONTAL = 8, 2
_GREY, _RGB = 1, 2
_UNASSOCIATED_ALPHA = 2


def encode_tiff(values: NDArray[Any], exif: bytes | None = None) -> bytes:
    """Encode a picture exactly, as one strip, deflated with the horizontal predictor.

    Args:
        values: Shape (H, W, channels), uint8 or uint16: grey, grey and alpha, RGB, or RGB and
            alpha. Grey and alpha of 16 bits become RGB and alpha, for Pillow reads no other.
        exif: An EXIF block, with the leading ``Exif`` mark of JPEG.

    Returns:
        The content of the file.

    Source:
        Adobe, "TIFF, Revision 6.0", sections 2 to 6, 14 and 18.
    """
    if values.shape[-1] == 2 and values.dtype == np.uint16:
        values = values[..., [0, 0, 0, 1]]
    steps = np.diff(values, axis=1, prepend=values.dtype.type(0))
    data = zlib.compress(steps.astype(values.dtype.newbyteorder("<")).tobytes())
    directory = _directory(values, len(data), exif)
    return _HEAD + directory.tobytes(len(_HEAD)) + data


def _directory(
    values: NDArray[Any], length: int, exif: bytes | None
) -> TiffImagePlugin.ImageFileDirectory_v2:
    height, width, channels = values.shape
    directory = TiffImagePlugin.ImageFileDirectory_v2(_HEAD)
    if exif:
        _add_exif(directory, exif)
    directory[TiffImagePlugin.IMAGEWIDTH] = width
    directory[TiffImagePlugin.IMAGELENGTH] = height
    directory[TiffImagePlugin.BITSPERSAMPLE] = (8 * values.itemsize,) * channels
    directory[TiffImagePlugin.COMPRESSION] = _DEFLATE
    directory[TiffImagePlugin.PHOTOMETRIC_INTERPRETATION] = _GREY if channels < 3 else _RGB
    directory[TiffImagePlugin.STRIPOFFSETS] = 0  # behind the directory, which adds its length
    directory[TiffImagePlugin.SAMPLESPERPIXEL] = channels
    directory[TiffImagePlugin.ROWSPERSTRIP] = height
    directory[TiffImagePlugin.STRIPBYTECOUNTS] = length
    directory[TiffImagePlugin.PREDICTOR] = _HORIZONTAL
    if channels in (2, 4):
        directory[TiffImagePlugin.EXTRASAMPLES] = _UNASSOCIATED_ALPHA
    return directory


def _add_exif(directory: TiffImagePlugin.ImageFileDirectory_v2, block: bytes) -> None:
    exif = Image.Exif()
    exif.load(block)
    for tag, value in exif.items():
        nested = tag in TiffTags.TAGS_V2_GROUPS
        directory[tag] = exif.get_ifd(tag) if nested else value
