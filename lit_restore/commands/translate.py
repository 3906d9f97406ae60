"""``lit-restore translate``: make pictures of one kind into another."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_restore.commands._batch import Job, UsageError, add_arguments, find_inputs, plan, run
from lit_restore.commands._kind import check_verb
from lit_restore.commands._likeness import Names, load_inception, measure, name_in, target_files
from lit_restore.commands._parser import Parser
from lit_restore.commands._pictures import add_picture_arguments, read_options, suffix_by_header
from lit_restore.commands._report import Report
from lit_restore.commands._restore_file import FileRestorer
from lit_restore.commands._sheet import ROWS, Sheet, check_sheet, write_sheet
from lit_restore.commands._translator import DIRECTIONS, load_translator
from lit_restore.commands._verb import carry_out
from lit_restore.commands._weights import add_weights_arguments, shipped_file

if TYPE_CHECKING:
    from torch import Tensor

    from lit_restore.data.images import ReadOptions
    from lit_restore.inference import Restorer


def main(argv: Sequence[str]) -> int:
    """Translate the files that the arguments name.

    Args:
        argv: The words after ``lit-restore translate``.

    Returns:
        0 all done, 1 some files failed or could not be compared, 3 weights are missing or broken.
        Wrong usage ends in ``SystemExit`` 2.
    """
    return carry_out(_parser(), argv, _translate)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="lit-restore translate",
        description="Make pictures of one kind into another with a trained network. Each is "
        "written under its own name, in its own format where that holds it, else as PNG.",
    )
    add_arguments(parser)
    add_weights_arguments(parser)
    parser.add_argument(
        "--direction", choices=DIRECTIONS, help="which way; needed for CycleGAN's checkpoints"
    )
    parser.add_argument(
        "--size", type=int, metavar="N", help="bring the longer side to N pixels first"
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="what noise is drawn with, where the network has any (0)",
    )
    parser.add_argument("--target", type=Path, metavar="FOLDER", help="compare outputs with these")
    parser.add_argument(
        "--inception", type=Path, metavar="FILE", help="weights for FID and KID; with --target"
    )
    parser.add_argument(
        "--grid", type=Path, metavar="FILE", help=f"show the first {ROWS} beside their inputs"
    )
    add_picture_arguments(parser)
    parser.set_defaults(grey="colour")  # drawings become photographs
    return parser


@dataclass(frozen=True)
class _Finish:
    """What is done when all pictures are translated.

    Attributes:
        arguments: Of the command line.
        jobs: Of the translations.
        options: How inputs were read.
        targets: Pictures to compare with.
        inception: What measures FID and KID.
        report: Knows the outputs.
    """

    arguments: argparse.Namespace
    jobs: Sequence[Job]
    options: "ReadOptions"
    targets: Names
    inception: Any
    report: Report

    def __call__(self) -> None:
        """Compare the outputs with their targets, and show them."""
        there = [one.output for one in self.report.results if one.status != "failed" and one.output]
        outputs = {name_in(self.arguments.out, path): path for path in there}
        if self.targets:
            measure(outputs, self.targets, self.inception, self.report)
        if self.arguments.grid is not None:
            self._show(there[:ROWS])

    def _show(self, outputs: Sequence[Path]) -> None:
        titles = ["input", "output", *(["target"] if self.targets else [])]
        rows = [[*self._pictures(path)][: len(titles)] for path in outputs]
        sheet = Sheet(rows, [path.stem for path in outputs], titles)
        write_sheet(sheet, self.arguments.grid, self.report, self.arguments.overwrite)

    def _pictures(self, output: Path) -> "tuple[Tensor, Tensor, Tensor | None]":
        from lit_restore.data.images import read_image, read_pictures

        job = next(job for job in self.jobs if output in job.outputs)
        source = read_pictures(job.source, self.options)[job.outputs.index(output)].pixels
        target = self.targets.get(name_in(self.arguments.out, output))
        return source, read_image(output), None if target is None else read_image(target)


def _translate(arguments: argparse.Namespace) -> int:
    _check(arguments)
    options = read_options(arguments)
    keep_grey = arguments.grey == "keep"
    targets = target_files(arguments.target, arguments.recursive) if arguments.target else {}
    inputs = find_inputs(arguments.inputs, arguments.recursive)
    suffix = suffix_by_header(arguments.format, keep_grey)
    jobs = plan(inputs, arguments.out, options, suffix, kept=list(targets.values()))
    files = [path for job in jobs for path in (job.source, *job.outputs)]
    check_sheet(arguments.grid, [*files, *targets.values()])
    report = Report("translated", len(jobs), arguments.json)
    restorer = _restorer(arguments)
    inception = load_inception(arguments.inception)
    work = FileRestorer(restorer, options, report, keep_grey, arguments.size, arguments.seed)
    finish = _Finish(arguments, jobs, options, targets, inception, report)
    return run(jobs, work, report, arguments.overwrite, finish)


def _check(arguments: argparse.Namespace) -> None:
    if arguments.size is not None and arguments.size < 1:
        raise UsageError(f"--size must be at least 1 pixel, got {arguments.size}")
    if arguments.inception is not None and arguments.target is None:
        raise UsageError("--inception measures outputs against the pictures of --target FOLDER")


def _restorer(arguments: argparse.Namespace) -> "Restorer":
    from lit_restore.inference import Restorer

    name = arguments.model or arguments.weights
    path = arguments.weights or shipped_file(arguments.model)
    network = load_translator(path, arguments.direction, name)
    check_verb(network, "translate", name)
    try:
        return Restorer(network, arguments.device)
    except ValueError as error:
        raise UsageError(str(error)) from error
