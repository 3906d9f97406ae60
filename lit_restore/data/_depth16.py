"""The exact values of 16-bit pictures.

Pillow reads a 16-bit colour file with 8 bits: of each value it keeps the high byte, which its
"raw mode" finds by the byte order. Reading the file once more in the other byte order gives the
low byte, whatever the compression, and so the whole value.
"""

import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

_BITS_PER_SAMPLE, _PHOTOMETRIC, _PLANAR = 258, 262, 284

Load = Callable[[ImageFile.ImageFile], Image.Image]


def has_16_bits(image: ImageFile.ImageFile) -> bool:
    """Whether an opened file of a grey or RGB picture stores 16 bits per channel."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        return True
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (8,))
        return max(bits) == 16 and image.mode in ("RGB", "RGBA")
    return image.format == "PNG" and raw_mode(image).endswith(";16B")


def loses_bits(image: ImageFile.ImageFile) -> bool:
    """Whether an opened file has more than 8 bits, of which only 8 can be read."""
    if image.format == "PPM" and image.mode == "RGB" and image.tile:
        args = image.tile[0].args
        return isinstance(args, tuple) and args[-1] > 255
    return image.format == "TIFF" and image.mode == "CMYK" and raw_mode(image)[-4:-1] == ";16"


def raw_mode(image: ImageFile.ImageFile) -> str:
    """Pillow's name of the layout of the stored bytes, such as ``"RGB;16B"``."""
    if not image.tile:
        return ""
    args = image.tile[0].args
    return str(args[0] if isinstance(args, tuple) else args)


def read_grey(image: ImageFile.ImageFile, load: Load) -> NDArray[np.uint16]:
    """Read a 16-bit grey picture, which Pillow reads exactly.

    Args:
        image: Opened, not loaded.
        load: Loads it and turns it upright.

    Returns:
        Shape (H, W, 1), 0 to 65535.
    """
    twelve = raw_mode(image) == "I;12"
    inverted = image.format == "TIFF" and getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0
    values = np.asarray(load(image)).astype(np.uint16)[..., None]
    if twelve:
        values = (values << 4 | values >> 8).astype(np.uint16)
    return 65535 - values if inverted else values


def read_colour(
    image: ImageFile.ImageFile, open_again: Callable[[], ImageFile.ImageFile], load: Load
) -> NDArray[np.uint16]:
    """Read a 16-bit picture of several channels.

    Args:
        image: Opened, not loaded.
        open_again: Opens the same once more.
        load: Loads it and turns it upright.

    Returns:
        Shape (H, W, 2) for grey and alpha, 3 for RGB, 4 for RGB and alpha; 0 to 65535.

    Raises:
        ValueError: If the file stores its values in an unusual way.
    """
    layout = raw_mode(image)
    if layout == "LA;16B":
        return _read_grey_and_alpha(image, load)
    planar = getattr(image, "tag_v2", {}).get(_PLANAR, 1) == 2
    if planar or layout[-4:-1] != ";16":
        order = "plane by plane" if planar else f"as {layout}"
        raise ValueError(f"16-bit pixels that are stored {order} cannot be read")
    premultiplied = layout.startswith("RGBa")
    layout = layout.replace("RGBa", "RGBA")  # Pillow would divide by alpha with 8 bits
    high = _half(image, layout, load)
    with open_again() as other:
        low = _half(other, _swapped(layout), load)
    values = (high << 8 | low).astype(np.uint16)
    return _divided(values) if premultiplied else values


def _half(image: ImageFile.ImageFile, layout: str, load: Load) -> NDArray[np.uint16]:
    image.tile = [
        tile._replace(args=(layout, *tile.args[1:]) if isinstance(tile.args, tuple) else layout)
        for tile in image.tile
    ]
    return np.asarray(load(image)).astype(np.uint16)


def _swapped(layout: str) -> str:
    big = layout.endswith("B") or (layout.endswith("N") and sys.byteorder == "big")
    return layout[:-1] + ("L" if big else "B")


def _read_grey_and_alpha(image: ImageFile.ImageFile, load: Load) -> NDArray[np.uint16]:
    # Two values of two bytes are as many bytes as RGBA with 8 bits.
    octets = _half(image, "RGBA", load)
    return (octets[..., 0::2] << 8 | octets[..., 1::2]).astype(np.uint16)


def _divided(values: NDArray[np.uint16]) -> NDArray[np.uint16]:
    alpha = np.maximum(values[..., 3:], 1).astype(np.float64)
    colour = np.minimum(np.floor(values[..., :3] * (65535 / alpha) + 0.5), 65535)
    return np.concatenate([colour.astype(np.uint16), values[..., 3:]], axis=-1)
