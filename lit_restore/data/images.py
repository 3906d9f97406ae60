"""Image files: list, measure, read and write them. Nothing else here opens one.

A picture is read as uint8 RGB, or as float32 in unit range where the file has 16 bits; upright,
in sRGB, with its transparency apart. What cannot be read that way is refused with an
``ImageFileError`` that names the file and says why.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

import torch
from PIL import ImageFile
from torch import Tensor

from lit_restore.data._depth16 import has_16_bits
from lit_restore.data._frame import check_frames, read_frame
from lit_restore.data._indexed import Indexed, indexed_pixels
from lit_restore.data._opening import kept_exif, late_exif, naming, open_image, orientation
from lit_restore.data._picture import (
    MAX_PIXELS,
    Header,
    ImageFileError,
    ImageFileWarning,
    Picture,
    ReadOptions,
)
from lit_restore.data._write import can_hold, suffix_of, write_image

__all__ = [
    "MAX_PIXELS",
    "SUFFIXES",
    "Header",
    "ImageFileError",
    "ImageFileWarning",
    "Picture",
    "ReadOptions",
    "can_hold",
    "image_size",
    "list_images",
    "read_header",
    "read_image",
    "read_indexed",
    "read_pictures",
    "suffix_of",
    "write_image",
]

SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("png", "apng", "jpg", "jpeg", "jpe", "jfif", "bmp", "dib", "tif", "tiff", "webp"),
        *("gif", "ppm", "pgm", "pbm", "pnm", "jp2", "j2k", "avif", "qoi"),
    )
)


def list_images(folder: Path | str, recursive: bool = False) -> list[Path]:
    """List the image files of a folder, sorted, by their suffixes in any case.

    Args:
        folder: Hidden files and folders (``.name``) in it are left out.
        recursive: Whether to descend into the folders inside.

    Raises:
        ImageFileError: If ``folder`` is missing or not a folder.
    """
    root = Path(folder)
    if not root.is_dir():
        kind = "not a folder" if root.exists() else "no such folder"
        raise ImageFileError(f"{root}: {kind}")
    return sorted(
        path
        for path in (root.rglob("*") if recursive else root.iterdir())
        if path.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
        and path.is_file()
    )


def image_size(path: Path | str, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Measure a picture as it is when upright, from the header alone.

    Returns:
        Height and width, in pixels.

    Raises:
        ImageFileError: If the file is not an image, or has more than ``max_pixels`` pixels.
    """
    path = Path(path)
    with naming(path), closing(open_image(path, ReadOptions(max_pixels=max_pixels))) as image:
        width, height = image.size
        if image.format == "TIFF":  # Pillow gives the size upright
            return height, width
        if image.format == "PNG" and "exif" not in image.info and (late := late_exif(path)):
            image.info["exif"] = late
        return (width, height) if orientation(image, path) > 4 else (height, width)


def read_header(path: Path | str, options: ReadOptions | None = None) -> Header:
    """Say what ``read_pictures`` with the same options would give, from the header alone.

    Raises:
        ImageFileError: If the header already shows that the file cannot be read.
    """
    path, options = Path(path), options or ReadOptions()
    size = image_size(path, options.max_pixels)
    with naming(path), closing(open_image(path, options)) as image:
        deep = options.bit_depth == 16 or (options.bit_depth == "auto" and has_16_bits(image))
        return Header(
            size=size,
            frames=check_frames(image, path, options),
            grey=image.mode in ("1", "L", "LA") or image.mode.startswith("I"),
            alpha=options.alpha == "keep" and image.has_transparency_data,
            bit_depth=16 if deep else 8,
            format="JPEG" if image.format == "MPO" else str(image.format),
        )


def read_image(
    path: Path | str,
    *,
    alpha: str = "drop",
    bit_depth: Literal["auto", 8, 16] = "auto",
    max_pixels: int = MAX_PIXELS,
    allow_truncated: bool = False,
) -> Tensor:
    """Read a picture for a dataset: RGB only, transparency thrown away unless composited.

    Args:
        path: A file of one picture; one of several frames is refused.
        alpha: As in ``ReadOptions``, and so are the others.
        bit_depth: 8 for uint8 whatever the file has.
        max_pixels: Most pixels that the picture may have.
        allow_truncated: Whether to read what there is of a truncated file.

    Returns:
        Shape (3, H, W), uint8; of a 16-bit file float32 in unit range.

    Raises:
        ImageFileError: If the file cannot be read.
        ValueError: If an option has no such value.
    """
    options = ReadOptions(
        alpha=alpha,
        bit_depth=bit_depth,
        max_pixels=max_pixels,
        allow_truncated=allow_truncated,
    )
    path = Path(path)
    with naming(path), closing(open_image(path, options)) as image:
        check_frames(image, path, options)
        return _as_rgb(read_frame(image, path, options).colour)


def read_indexed(path: Path | str) -> Indexed:
    """Read the values of a picture of labels as they stand in its file, without a conversion.

    Raises:
        ImageFileError: If the file cannot be read, has several frames, or is of a kind whose
            values are no labels.
    """
    path, options = Path(path), ReadOptions(alpha="drop")
    with naming(path), closing(open_image(path, options)) as image:
        check_frames(image, path, options)
        return indexed_pixels(image, path)


def read_pictures(path: Path | str, options: ReadOptions | None = None) -> list[Picture]:
    """Read a picture with all that is needed to write it back as it came.

    Args:
        path: The file.
        options: How to read it; the defaults if ``None``.

    Returns:
        One picture; all frames of the file if ``options.frames`` is ``"all"``.

    Raises:
        ImageFileError: If the file cannot be read.
    """
    path, options = Path(path), options or ReadOptions()
    with naming(path), closing(open_image(path, options)) as image:
        count = check_frames(image, path, options)
        return list(_pictures(image, path, options, count))


def _pictures(
    image: ImageFile.ImageFile, path: Path, options: ReadOptions, count: int
) -> Iterator[Picture]:
    for frame in range(count):
        if frame:
            image.seek(frame)
        pixels = read_frame(image, path, options, frame)
        yield Picture(
            pixels=_as_rgb(pixels.colour),
            alpha=pixels.alpha,
            grey=len(pixels.colour) == 1,
            bit_depth=8 if pixels.colour.dtype == torch.uint8 else 16,
            format="JPEG" if image.format == "MPO" else str(image.format),
            exif=None if options.strip_metadata else kept_exif(image),
            path=path,
            frame=frame if count > 1 else None,
        )


def _as_rgb(colour: Tensor) -> Tensor:
    return colour if len(colour) == 3 else colour.expand(3, -1, -1).contiguous()
