"""PNG files with 16 bits per channel, which Pillow does not write in colour."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_SUB_FILTER = 1


def encode_png16(values: NDArray[np.uint16], exif: bytes | None = None) -> bytes:
    """Encode a picture exactly.

    Args:
        values: Shape (H, W, channels), 0 to 65535: grey, grey and alpha, RGB, or RGB and alpha.
        exif: An EXIF block, with or without the leading ``Exif`` mark of JPEG.

    Returns:
        The content of the file.

    Source:
        W3C, "Portable Network Graphics (PNG) Specification", sections 9 and 11.
    """
    height, width, channels = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPES[channels], 0, 0, 0)
    chunks = [_chunk(b"IHDR", header)]
    if exif:
        chunks.append(_chunk(b"eXIf", exif.removeprefix(b"Exif\0\0")))
    chunks += [_chunk(b"IDAT", zlib.compress(_filtered(values))), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def _filtered(values: NDArray[np.uint16]) -> bytes:
    """The rows, each byte less the same byte of the pixel to the left, which compresses well."""
    height, width, channels = values.shape
    octets = values.astype(">u2").reshape(height, width * channels).view(np.uint8)
    rows = np.empty((height, 1 + octets.shape[1]), dtype=np.uint8)
    rows[:, 0] = _SUB_FILTER
    rows[:, 1:] = octets
    pixel = 2 * channels
    rows[:, 1 + pixel :] -= octets[:, :-pixel]
    return rows.tobytes()
