"""``lit-restore generate``: make pictures out of noise."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._batch import Job, UsageError, run
from lit_restore.commands._generate_file import FileGenerator
from lit_restore.commands._kind import check_verb
from lit_restore.commands._parser import Parser
from lit_restore.commands._report import Report
from lit_restore.commands._sheet import CELL, Sheet, check_sheet, write_sheet
from lit_restore.commands._verb import carry_out
from lit_restore.commands._weights import load as _load

if TYPE_CHECKING:
    from lit_restore.inference import LatentSampler

COLUMNS = 8
SHOWN = 64


def main(argv: Sequence[str]) -> int:
    """Make as many pictures as the arguments ask for.

    Args:
        argv: The words after ``lit-restore generate``.

    Returns:
        0 all done, 1 some failed, 3 the weights are missing or broken. Wrong usage ends in
        ``SystemExit`` 2.
    """
    return carry_out(_parser(), argv, _generate)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="lit-restore generate",
        description="Make pictures out of noise with a trained network, such as DCGAN's. They are "
        "called SEED_INDEX.png; seed and index alone say what is in a picture.",
    )
    parser.add_argument(
        "--weights", type=Path, required=True, metavar="FILE", help=".safetensors or .ckpt"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="made if missing")
    parser.add_argument("--count", type=int, required=True, metavar="N", help="of pictures")
    parser.add_argument("--seed", type=int, default=0, help="of the noise (0)")
    parser.add_argument(
        "--interpolate", type=int, default=0, metavar="N",
        help="strips of N pictures from each index to the next, instead of single ones",
    )  # fmt: skip
    parser.add_argument("--batch-size", type=int, default=16, metavar="N", help="at a time (16)")
    parser.add_argument(
        "--grid", type=Path, metavar="FILE", help=f"show the first {SHOWN} in one picture"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")
    return parser


def _generate(arguments: argparse.Namespace) -> int:
    _check(arguments)
    sampler = _sampler(arguments)
    outputs = [arguments.out / name for name in _names(arguments)]
    check_sheet(arguments.grid, [arguments.weights, *outputs])
    size = 1 if arguments.interpolate else max(arguments.batch_size, sampler.together)
    jobs = [
        Job(arguments.weights, tuple(outputs[first : first + size]), None, position=first // size)
        for first in range(0, len(outputs), size)
    ]
    report = Report("generated", len(jobs), arguments.json)
    work = FileGenerator(sampler, size, arguments.interpolate)
    return run(jobs, work, report, arguments.overwrite, lambda: _show(arguments, report))


def _check(arguments: argparse.Namespace) -> None:
    for option, least in (("count", 1), ("batch_size", 1), ("interpolate", 2)):
        value = getattr(arguments, option)
        if value < least and not (option == "interpolate" and value == 0):
            name = option.replace("_", "-")
            raise UsageError(f"--{name} must be at least {least}, got {value}")
    if arguments.out.exists() and not arguments.out.is_dir():
        raise UsageError(f"--out must be a folder, got the file {arguments.out}")


def _sampler(arguments: argparse.Namespace) -> "LatentSampler":
    from lit_restore.inference import LatentSampler

    network = _load(arguments.weights)
    check_verb(network, "generate", arguments.weights)
    try:
        return LatentSampler(network, arguments.seed, arguments.device)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _names(arguments: argparse.Namespace) -> list[str]:
    seed, steps = arguments.seed, arguments.interpolate
    if steps:
        ends = [f"{index:05}-{index + 1:05}" for index in range(arguments.count)]
        return [f"{seed}_{both}_{steps}.png" for both in ends]
    return [f"{seed}_{index:05}.png" for index in range(arguments.count)]


def _show(arguments: argparse.Namespace, report: Report) -> None:
    from lit_restore.data.images import read_image

    if arguments.grid is None:
        return
    there = [one.output for one in report.results if one.status != "failed" and one.output]
    shown = there[:SHOWN]
    columns = 1 if arguments.interpolate else COLUMNS
    rows = [shown[first : first + columns] for first in range(0, len(shown), columns)]
    pictures = [[read_image(path) for path in row] for row in rows]
    captions = [" to ".join(dict.fromkeys((row[0].stem, row[-1].stem))) for row in rows]
    largest = CELL * (arguments.interpolate or 1)
    sheet = Sheet(pictures, captions, largest=largest)
    write_sheet(sheet, arguments.grid, report, arguments.overwrite)
