"""What the verbs share that write a picture as it came: its options, its format, its losses."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._batch import UsageError
from lit_restore.commands._report import Report

if TYPE_CHECKING:
    from torch import Tensor

    from lit_restore.data.images import Header, Picture, ReadOptions

LOSSY = (".jpg", ".webp")


def add_picture_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of reading and writing pictures, and of the device."""
    parser.add_argument("--format", metavar="SUFFIX", help="write all as png, jpg, webp, tif ...")
    parser.add_argument(
        "--bit-depth", choices=("auto", "8", "16"), default="auto", help="bits per channel"
    )
    parser.add_argument(
        "--alpha",
        default="keep",
        metavar="keep|drop|composite=#rrggbb",
        help="what becomes of transparency",
    )
    parser.add_argument("--grey", choices=("keep", "colour"), default="keep", help="grey inputs")
    parser.add_argument("--strip-metadata", action="store_true", help="leave EXIF out")
    add_reading_arguments(parser)


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of what is read, and of the device."""
    parser.add_argument("--frames", choices=("first", "all"), help="of animations, else refused")
    parser.add_argument("--max-pixels", type=int, metavar="N", help="most pixels, in and out")
    parser.add_argument("--allow-truncated", action="store_true", help="read what there is")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")


def read_options(arguments: argparse.Namespace) -> "ReadOptions":
    """Say how pictures are read, by the options of ``add_picture_arguments``.

    Raises:
        UsageError: If an option has no such value.
    """
    from lit_restore.data.images import MAX_PIXELS, ReadOptions

    depth = arguments.bit_depth
    try:
        return ReadOptions(
            alpha=arguments.alpha,
            frames=arguments.frames,
            max_pixels=MAX_PIXELS if arguments.max_pixels is None else arguments.max_pixels,
            allow_truncated=arguments.allow_truncated,
            bit_depth=depth if depth == "auto" else int(depth),  # type: ignore[arg-type]
            strip_metadata=arguments.strip_metadata,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error


def suffix_by_header(
    name: str | None, keep_grey: bool, lossless: bool = False
) -> "Callable[[Header], str]":
    """Choose the suffix of an output by the input's header: its own format where that holds it.

    Args:
        name: Of the format to write whatever the input's is; ``None`` to choose.
        keep_grey: Whether grey inputs are written grey.
        lossless: Whether to choose only formats that keep every level.

    Raises:
        UsageError: If ``name`` is of a format that is not written.
    """
    from lit_restore.data.images import can_hold, suffix_of

    try:
        suffix_of(name or "PNG")
    except ValueError as error:
        raise UsageError(f"--format: {error}") from error

    def suffix(header: "Header") -> str:
        own = header.frames == 1 and can_hold(
            header.format, bit_depth=header.bit_depth, alpha=header.alpha
        )
        if own and lossless:
            own = suffix_of(header.format) not in LOSSY
        form = name or (header.format if own else "PNG")
        return suffix_of(form, grey=header.grey and keep_grey)

    return suffix


def tell_losses(picture: "Picture", path: Path, report: Report) -> None:
    """Warn of what the format of an output cannot hold of a picture."""
    from lit_restore.data.images import can_hold

    losses = []
    if picture.bit_depth == 16 and not can_hold(path.suffix, bit_depth=16):
        losses.append("16 bits")
    if picture.alpha is not None and not can_hold(path.suffix, alpha=True):
        losses.append("transparency")
    if losses:
        report.line(f"warning: {path}: the format cannot hold {' and '.join(losses)}")


@contextmanager
def enough_memory(
    pixels: "Tensor", advice: str = "pictures are restored in one piece"
) -> Iterator[None]:
    """Say of a picture, shape (3, H, W), that it was too large, where memory did not suffice.

    Args:
        pixels: The picture.
        advice: What it is to be told besides.

    Raises:
        ValueError: Instead of the error that PyTorch or Python raised.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _is_shortage(error):
            raise
        height, width = pixels.shape[-2:]
        raise ValueError(
            f"{width}x{height} pixels need more memory than there is; {advice}"
        ) from error


def _is_shortage(error: RuntimeError) -> bool:
    """Whether PyTorch found no memory; on a CPU it says so in words alone."""
    text = str(error)
    return "can't allocate memory" in text or "out of memory" in text
