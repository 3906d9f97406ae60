"""The options that say where the holes are."""

import argparse
import re
from pathlib import Path

from lit_restore.commands._batch import UsageError
from lit_restore.commands._holes import ColourHole, Grown, HoleSource, RectangleHole, alpha_hole
from lit_restore.commands._mask_file import FileMask
from lit_restore.commands._report import Report


def add_mask_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the holes are."""
    sources = parser.add_mutually_exclusive_group(required=True)
    sources.add_argument(
        "--mask",
        type=Path,
        metavar="PATH",
        help="a black and white picture of the same size, or a folder of them called as the "
        "inputs; white is what to fill, and grey rims are cut at half",
    )
    sources.add_argument(
        "--mask-alpha", action="store_true", help="what is transparent; outputs are opaque then"
    )
    sources.add_argument(
        "--mask-color",
        "--mask-colour",
        metavar="#rrggbb",
        help="what has this very colour; in quotes, since # begins a comment in most shells",
    )
    sources.add_argument(
        "--mask-rect",
        type=rectangle,
        action="append",
        metavar="X,Y,W,H",
        help="a rectangle, from the left and the top, in pixels; may be repeated",
    )
    parser.add_argument(
        "--mask-valid",
        choices=("black", "white"),
        help="what is to be kept in the file of --mask; the other is filled (black)",
    )
    parser.add_argument(
        "--mask-tolerance",
        type=int,
        metavar="N",
        help="by how many levels of 0 to 255 each channel may differ from --mask-color (0)",
    )
    parser.add_argument(
        "--grow", type=int, default=0, metavar="N", help="make holes N pixels wider all round (0)"
    )


def rectangle(text: str) -> tuple[int, int, int, int]:
    """Read left, top, width and height, as in ``10,20,30,40``.

    Raises:
        argparse.ArgumentTypeError: If ``text`` is not such, or width or height is 0.
    """
    match = re.fullmatch(r"(-?\d+),(-?\d+),(\d+),(\d+)", text.replace(" ", ""))
    left, top, width, height = map(int, match.groups()) if match else (0, 0, 0, 0)
    if not width or not height:
        raise argparse.ArgumentTypeError(
            f"expected X,Y,W,H in pixels, W and H at least 1, got {text!r}"
        )
    return left, top, width, height


def hole_source(arguments: argparse.Namespace, report: Report) -> HoleSource:
    """Make what finds the holes of a picture.

    Args:
        arguments: Of ``add_mask_arguments``, and ``out``.
        report: Is told of masks that may be the wrong way round.

    Raises:
        UsageError: If options do not fit one another, or have no such value.
    """
    if arguments.mask_valid and not arguments.mask:
        raise UsageError("--mask-valid belongs to --mask")
    if arguments.mask_tolerance is not None and arguments.mask_color is None:
        raise UsageError("--mask-tolerance belongs to --mask-color")
    if arguments.grow < 0:
        raise UsageError(f"--grow must be at least 0 pixels, got {arguments.grow}")
    if arguments.mask:
        white_is_hole = arguments.mask_valid != "white"
        source: HoleSource = FileMask(arguments.mask, white_is_hole, arguments.out, report)
    elif arguments.mask_alpha:
        source = alpha_hole
    elif arguments.mask_color is not None:
        source = ColourHole(_colour(arguments.mask_color), _tolerance(arguments.mask_tolerance))
    else:
        source = RectangleHole(arguments.mask_rect)
    return Grown(source, arguments.grow) if arguments.grow else source


def _colour(text: str) -> tuple[int, int, int]:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise UsageError(f"--mask-color must be #rrggbb, got {text!r}")
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue


def _tolerance(levels: int | None) -> int:
    if levels is not None and not 0 <= levels <= 255:
        raise UsageError(f"--mask-tolerance must be 0 to 255, got {levels}")
    return levels or 0
