"""Opening files with Pillow: limits, errors, orientation and EXIF."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from lit_restore.data._picture import ImageFileError, ImageFileWarning, ReadOptions, warn

# Common ones first: Pillow loads the other plugins when it gets to one. No EPS: it runs programs.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "DIB", "TIFF", "WEBP", "JPEG2000", "AVIF", "QOI")

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIZE_TAGS = (ExifTags.Base.Orientation, ExifTags.Base.ImageWidth, ExifTags.Base.ImageLength)
_EXIF_SIZE_TAGS = (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)
# The EXIF of a TIFF file is its directory, which is mostly about where the pixels are.
_TIFF_TAGS = {270, 271, 272, 305, 306, 315, 33432, ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo}
_lock = threading.RLock()


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong with a file into an ``ImageFileError`` that names it."""
    try:
        yield
    except (ImageFileError, ImageFileWarning):
        raise
    except Exception as error:  # a corrupt file can raise anything in Pillow
        raise ImageFileError(f"{path}: {_reason(path, error)}") from error


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "is a folder, not an image file"
    if isinstance(error, UnidentifiedImageError):
        if path.stat().st_size == 0:
            return "the file is empty"
        return f"not an image, or of a kind that is not read (kinds: {', '.join(FORMATS)})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split()) or type(error).__name__
    return f"{text} (allow_truncated, or --allow-truncated)" if "truncated" in text else text


@contextmanager
def pillow_set_to(pixels: int, truncated: bool = False) -> Iterator[None]:
    """Let Pillow read ``pixels`` pixels without a warning, and truncated files if asked.

    Both are settings of the whole process, so they are changed under a lock and put back. The
    limit is only ever raised to a number, never switched off.
    """
    raised = Image.MAX_IMAGE_PIXELS is not None and pixels > Image.MAX_IMAGE_PIXELS
    if not raised and not truncated:
        yield
        return
    with _lock:
        before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
        if raised:
            Image.MAX_IMAGE_PIXELS = pixels
        ImageFile.LOAD_TRUNCATED_IMAGES = before[1] or truncated
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = before


def open_image(path: Path, options: ReadOptions) -> ImageFile.ImageFile:
    """Open a file without decoding it; the caller closes it.

    Raises:
        ImageFileError: If its header claims more pixels than ``options.max_pixels``.
    """
    with pillow_set_to(options.max_pixels):
        try:
            image = Image.open(path, formats=FORMATS)
        except Image.DecompressionBombError as error:
            found = re.search(r"\d+", str(error))
            raise too_large(path, int(found[0]) if found else 0, options.max_pixels) from error
    pixels = image.width * image.height
    if pixels > options.max_pixels:
        image.close()
        raise too_large(path, pixels, options.max_pixels)
    return image


def too_large(path: Path, pixels: int, limit: int) -> ImageFileError:
    """The error for a picture of more pixels than the limit."""
    return ImageFileError(
        f"{path}: {pixels} pixels are more than the limit of {limit} (max_pixels, or --max-pixels)"
    )


def frame_count(image: ImageFile.ImageFile) -> int:
    """Frames or pages of a file; the extra pictures that cameras put into a JPEG don't count."""
    return 1 if image.format in ("JPEG", "MPO") else getattr(image, "n_frames", 1)


def orientation(image: Image.Image, path: Path) -> int:
    """The EXIF orientation, 1 to 8; 1 with a warning where the EXIF is broken."""
    try:
        value = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
    except Exception as error:  # as above
        warn(path, f"broken EXIF is ignored ({error})")
        return 1
    return value if value in _TURNS else 1


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """Turn a picture of an EXIF orientation upright."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def late_exif(path: Path) -> bytes | None:
    """The EXIF of a PNG file in which it stands behind the pixels; ``None`` without.

    Pillow only gets there by decoding the picture; here the pixels are skipped.
    """
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8 and head[4:] != b"IEND":
            length = int.from_bytes(head[:4], "big")
            if head[4:] == b"eXIf":
                return file.read(length)
            file.seek(length + 4, os.SEEK_CUR)
    return None


def kept_exif(image: Image.Image) -> bytes | None:
    """The EXIF of a decoded picture less what its pixels will no longer agree with."""
    try:
        source = image.getexif()
        if not len(source):
            return None
        exif = Image.Exif()
        exif.load(source.tobytes())
        return _without_size(exif, tiff=image.format == "TIFF")
    except Exception:  # broken EXIF; orientation() has warned
        return None


def _without_size(exif: Image.Exif, tiff: bool) -> bytes | None:
    for tag in list(exif):
        if tag in _SIZE_TAGS or (tiff and tag not in _TIFF_TAGS):
            del exif[tag]
    if ExifTags.IFD.Exif in exif:
        for tag in _EXIF_SIZE_TAGS:
            exif.get_ifd(ExifTags.IFD.Exif).pop(tag, None)
    return exif.tobytes() if len(exif) else None
