"""``lit-restore restore``: restore picture files with a trained network."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._batch import UsageError, add_arguments, find_inputs, plan, run
from lit_restore.commands._parser import Parser
from lit_restore.commands._report import Report
from lit_restore.commands._restore_file import FileRestorer
from lit_restore.commands._weights import MissingWeightsError, shipped_file
from lit_restore.commands._weights import load as _load

if TYPE_CHECKING:
    from lit_restore.data.images import Header, ReadOptions
    from lit_restore.inference import Restorer

MISSING = 3


def main(argv: Sequence[str]) -> int:
    """Restore the files that the arguments name.

    Args:
        argv: The words after ``lit-restore restore``.

    Returns:
        0 all done, 1 some files failed, 3 the weights are missing or broken. Wrong usage ends in
        ``SystemExit`` 2.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        return _restore(arguments)
    except UsageError as error:
        parser.error(str(error))
    except MissingWeightsError as error:
        sys.stderr.write(f"lit-restore restore: {error}\n")
        return MISSING


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="lit-restore restore",
        description="Restore pictures with a trained network. Each is written under its own name, "
        "in its own format where that holds it, else as PNG.",
    )
    add_arguments(parser)
    weights = parser.add_mutually_exclusive_group(required=True)
    weights.add_argument("--model", metavar="NAME", help="shipped weights; see lit-restore models")
    weights.add_argument("--weights", type=Path, metavar="FILE", help=".safetensors or .ckpt")
    parser.add_argument(
        "--scale", type=int, metavar="N", help="enlarge by so much, for networks of any scale"
    )
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
    parser.add_argument("--frames", choices=("first", "all"), help="of animations, else refused")
    parser.add_argument("--grey", choices=("keep", "colour"), default="keep", help="grey inputs")
    parser.add_argument("--max-pixels", type=int, metavar="N", help="most pixels, in and out")
    parser.add_argument("--strip-metadata", action="store_true", help="leave EXIF out")
    parser.add_argument("--allow-truncated", action="store_true", help="read what there is")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    return parser


def _restore(arguments: argparse.Namespace) -> int:
    options = _read_options(arguments)
    keep_grey = arguments.grey == "keep"
    inputs = find_inputs(arguments.inputs, arguments.recursive)
    jobs = plan(inputs, arguments.out, options, _suffix(arguments.format, keep_grey))
    report = Report("restored", len(jobs), arguments.json)
    work = FileRestorer(_restorer(arguments), options, report, keep_grey)
    return run(jobs, work, report, arguments.overwrite)


def _read_options(arguments: argparse.Namespace) -> "ReadOptions":
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


def _suffix(name: str | None, keep_grey: bool) -> "Callable[[Header], str]":
    """Choose the suffix of an output by the input's header: its own format where that holds it."""
    from lit_restore.data.images import can_hold, suffix_of

    try:
        suffix_of(name or "PNG")
    except ValueError as error:
        raise UsageError(f"--format: {error}") from error

    def suffix(header: "Header") -> str:
        own = header.frames == 1 and can_hold(
            header.format, bit_depth=header.bit_depth, alpha=header.alpha
        )
        form = name or (header.format if own else "PNG")
        return suffix_of(form, grey=header.grey and keep_grey)

    return suffix


def _restorer(arguments: argparse.Namespace) -> "Restorer":
    from lit_restore.inference import Restorer

    network = _load(arguments.weights or shipped_file(arguments.model))
    try:
        return Restorer(network, arguments.device, arguments.scale)
    except ValueError as error:
        raise UsageError(str(error)) from error
