"""``lit-restore inpaint``: fill holes of picture files with a trained network."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._batch import UsageError, add_arguments, find_inputs, plan, run
from lit_restore.commands._inpaint_file import FileInpainter
from lit_restore.commands._kind import check_verb
from lit_restore.commands._mask_file import mask_files
from lit_restore.commands._masks import add_mask_arguments, hole_source
from lit_restore.commands._parser import Parser
from lit_restore.commands._pictures import add_picture_arguments, read_options, suffix_by_header
from lit_restore.commands._report import Report
from lit_restore.commands._verb import carry_out
from lit_restore.commands._weights import load as _load
from lit_restore.commands._weights import shipped_file

if TYPE_CHECKING:
    from lit_restore.inference import Inpainter

MODEL = "inpaint_pconv"


def main(argv: Sequence[str]) -> int:
    """Fill the holes of the files that the arguments name.

    Args:
        argv: The words after ``lit-restore inpaint``.

    Returns:
        0 all done, 1 some files failed, 3 the weights are missing or broken. Wrong usage ends in
        ``SystemExit`` 2.
    """
    return carry_out(_parser(), argv, _inpaint)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="lit-restore inpaint",
        description="Fill holes of pictures with a trained network, and leave all else as it is. "
        "Each is written under its own name, in its own format where that is lossless and holds "
        "it, else as PNG.",
    )
    add_arguments(parser)
    add_mask_arguments(parser)
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument(
        "--model", default=MODEL, metavar="NAME", help=f"shipped weights ({MODEL})"
    )
    weights.add_argument("--weights", type=Path, metavar="FILE", help=".safetensors or .ckpt")
    add_picture_arguments(parser)
    return parser


def _inpaint(arguments: argparse.Namespace) -> int:
    if arguments.mask_alpha and arguments.alpha != "keep":
        raise UsageError("--mask-alpha needs --alpha keep")
    options = read_options(arguments)
    keep_grey = arguments.grey == "keep"
    masks = mask_files(arguments.mask) if arguments.mask else ()
    inputs = find_inputs(arguments.inputs, arguments.recursive)
    suffix = suffix_by_header(arguments.format, keep_grey, lossless=True)
    jobs = plan(inputs, arguments.out, options, suffix, kept=masks)
    report = Report("inpainted", len(jobs), arguments.json)
    holes = hole_source(arguments, report)
    inpainter = _inpainter(arguments)
    work = FileInpainter(inpainter, holes, options, report, keep_grey, arguments.mask_alpha)
    return run(jobs, work, report, arguments.overwrite)


def _inpainter(arguments: argparse.Namespace) -> "Inpainter":
    from lit_restore.inference import Inpainter, tells_classes

    network = _load(arguments.weights or shipped_file(arguments.model))
    if tells_classes(network):
        check_verb(network, "inpaint", arguments.model or arguments.weights)
    try:
        return Inpainter(network, arguments.device)
    except ValueError as error:
        raise UsageError(f"{arguments.weights or arguments.model}: {error}") from error
