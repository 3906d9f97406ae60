"""``lit-restore restore``: restore picture files with a trained network."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lit_restore.commands._batch import UsageError, add_arguments, find_inputs, plan, run
from lit_restore.commands._kind import check_verb
from lit_restore.commands._parser import Parser
from lit_restore.commands._pictures import add_picture_arguments, read_options, suffix_by_header
from lit_restore.commands._report import Report
from lit_restore.commands._restore_file import FileRestorer
from lit_restore.commands._verb import carry_out
from lit_restore.commands._weights import add_weights_arguments, shipped_file
from lit_restore.commands._weights import load as _load

if TYPE_CHECKING:
    from lit_restore.inference import Restorer


def main(argv: Sequence[str]) -> int:
    """Restore the files that the arguments name.

    Args:
        argv: The words after ``lit-restore restore``.

    Returns:
        0 all done, 1 some files failed, 3 the weights are missing or broken. Wrong usage ends in
        ``SystemExit`` 2.
    """
    return carry_out(_parser(), argv, _restore)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="lit-restore restore",
        description="Restore pictures with a trained network. Each is written under its own name, "
        "in its own format where that holds it, else as PNG.",
    )
    add_arguments(parser)
    add_weights_arguments(parser)
    parser.add_argument(
        "--scale", type=int, metavar="N", help="enlarge by so much, for networks of any scale"
    )
    parser.add_argument(
        "--self-ensemble",
        action="store_true",
        help="mean of what is made of the picture turned and mirrored in all 8 ways",
    )
    add_picture_arguments(parser)
    return parser


def _restore(arguments: argparse.Namespace) -> int:
    options = read_options(arguments)
    keep_grey = arguments.grey == "keep"
    inputs = find_inputs(arguments.inputs, arguments.recursive)
    jobs = plan(inputs, arguments.out, options, suffix_by_header(arguments.format, keep_grey))
    report = Report("restored", len(jobs), arguments.json)
    work = FileRestorer(_restorer(arguments), options, report, keep_grey)
    return run(jobs, work, report, arguments.overwrite)


def _restorer(arguments: argparse.Namespace) -> "Restorer":
    from lit_restore.inference import Restorer

    network = _load(arguments.weights or shipped_file(arguments.model))
    check_verb(network, "restore", arguments.model or arguments.weights)
    if arguments.self_ensemble:
        from lit_restore.nn import TTA

        network = TTA(network, kind="restoration", flips="eightfold")
    try:
        return Restorer(network, arguments.device, arguments.scale)
    except ValueError as error:
        raise UsageError(str(error)) from error
