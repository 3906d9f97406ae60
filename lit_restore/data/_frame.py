"""Reading one frame of an opened file, or refusing the file."""

from functools import partial
from pathlib import Path

from PIL import Image, ImageFile

from lit_restore.data._depth16 import has_16_bits, loses_bits, read_colour, read_grey
from lit_restore.data._opening import (
    frame_count,
    open_image,
    orientation,
    pillow_set_to,
    too_large,
    turned,
)
from lit_restore.data._picture import ImageFileError, ReadOptions, warn
from lit_restore.data._pixels import Pixels, finish, from_8_bits, from_16_bits, in_srgb_16


def check_frames(image: ImageFile.ImageFile, path: Path, options: ReadOptions) -> int:
    """Say how many frames of a file to read.

    Raises:
        ImageFileError: If there are several and the options don't say which to take, or all of
            them together have more than ``options.max_pixels`` pixels.
    """
    count = frame_count(image)
    if count == 1 or options.frames == "first":
        return 1
    if options.frames is None:
        raise ImageFileError(
            f"{path}: has {count} frames; choose by frames, or --frames: first or all"
        )
    pixels = count * image.width * image.height
    if pixels > options.max_pixels:
        raise too_large(path, pixels, options.max_pixels)
    return count


def read_frame(
    image: ImageFile.ImageFile, path: Path, options: ReadOptions, frame: int = 0
) -> Pixels:
    """Decode the frame at which a file stands, as the options ask.

    Args:
        image: Opened, not loaded, at ``frame``; it is loaded afterwards.
        path: Its file.
        options: How to read it.
        frame: The number of the frame.
    """
    with pillow_set_to(image.width * image.height, options.allow_truncated):
        if has_16_bits(image):
            return finish(_read_16_bits(image, path, options, frame), options)
        if loses_bits(image):
            warn(path, "its 16 bits are read as 8")
        pixels = from_8_bits(_load_upright(image, path), path)
    return finish(pixels, options)


def _read_16_bits(
    image: ImageFile.ImageFile, path: Path, options: ReadOptions, frame: int
) -> Pixels:
    load = partial(_load_upright, path=path)

    def opened_again() -> ImageFile.ImageFile:
        again = open_image(path, options)
        again.seek(frame)
        return again

    key, profile = image.info.get("transparency"), image.info.get("icc_profile")
    if image.mode.startswith("I"):
        pixels = from_16_bits(read_grey(image, load), key)
    else:
        pixels = from_16_bits(read_colour(image, opened_again, load), key)
    return in_srgb_16(pixels, profile, path) if profile else pixels


def _load_upright(image: ImageFile.ImageFile, path: Path) -> Image.Image:
    image.load()
    return turned(image, orientation(image, path))
