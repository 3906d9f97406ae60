"""``lit-restore evaluate``: measure super-resolution by the papers' protocols."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from lit_restore.commands._batch import UsageError
from lit_restore.commands._crops import cells, draw
from lit_restore.commands._evaluation import Measured, measure
from lit_restore.commands._evaluation_compare import check_same_data
from lit_restore.commands._evaluation_open import open_models
from lit_restore.commands._evaluation_options import Plan, make_plan
from lit_restore.commands._evaluation_rows import Row, as_csv, as_json, make_rows
from lit_restore.commands._evaluation_table import as_markdown
from lit_restore.commands._parser import Parser
from lit_restore.commands._report import Report
from lit_restore.commands._verb import carry_out

FAILED = 1
PROTOCOLS = ("paper", "y", "rgb", "notes")


def main(argv: Sequence[str]) -> int:
    """Measure the models that the arguments name.

    Args:
        argv: The words after ``lit-restore evaluate``.

    Returns:
        0 all done, 1 some pictures failed, 3 weights are missing or broken. Wrong usage, and
        figures that cannot be compared, end in ``SystemExit`` 2.
    """
    return carry_out(_parser(), argv, _evaluate)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="lit-restore evaluate",
        description="Measure super-resolution on a folder of pictures: PSNR and SSIM by one "
        "protocol, as a Markdown table, with the papers' figures where the data set is known. A "
        "model is measured at those of the scales that it is for.",
    )
    parser.add_argument(
        "models",
        nargs="+",
        metavar="MODEL",
        help="nearest, bilinear, bicubic, shipped weights (lit-restore models), a .safetensors or "
        ".ckpt, or a third party's file as fsrcnn=FILE, vdsr=FILE or srcnn=FILE",
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="FOLDER", help="of large pictures"
    )
    parser.add_argument("--scale", type=int, nargs="+", required=True, metavar="N", help="factors")
    parser.add_argument(
        "--protocol",
        choices=PROTOCOLS,
        action="append",
        help="paper: the luma, rounded, small pictures made of it, as the papers' bicubic rows; y "
        "(the default): the luma, small pictures from files or made in 8 bits; rgb: as y, of three "
        "channels; notes: 8-bit RGB, small pictures by OpenCV's bilinear",
    )
    parser.add_argument(
        "--lr",
        metavar="FOLDER",
        help="of small pictures of the same names; {scale} in it stands for each scale",
    )
    parser.add_argument(
        "--enlarge",
        choices=("auto", "matlab", "pillow"),
        default="auto",
        help="whose bicubic enlarges the input of networks that want that (auto: the protocol's; "
        "Pillow's for a third party's srcnn and vdsr, as in their own figures)",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    _add_outputs(parser)
    return parser


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    files = parser.add_argument_group("files")
    files.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    files.add_argument("--csv", type=Path, metavar="FILE", help="write the rows as CSV")
    files.add_argument(
        "--compare", type=Path, metavar="FILE", help="put an earlier --json beside; refused unless "
        "protocol, scales and pictures are the same"
    )  # fmt: skip
    files.add_argument(
        "--crops", type=Path, metavar="FILE", help="draw the same crop of all models' results"
    )
    files.add_argument("--crop-of", metavar="STEM", help="name of the picture (the first)")
    files.add_argument("--crop-box", metavar="X,Y,W,H", help="in its pixels (its middle)")


def _evaluate(arguments: argparse.Namespace) -> int:
    plan = make_plan(arguments)
    models = open_models(arguments.models, plan.scales, arguments.enlarge, arguments.device)
    report = Report("measured", sum(map(len, plan.pairs.values())), as_json=False)
    with ExitStack() as last, report:
        measured = [
            measure(models, pairs, plan.protocol, scale, report)
            for scale, pairs in plan.pairs.items()
        ]
        rows = _rows(measured, arguments.data, plan, [model.name for model in models])
        if not rows:
            report.line("no picture could be measured")
            return FAILED
        if arguments.compare:
            check_same_data(plan.earlier, rows, arguments.compare)
        # Written at the end, whatever becomes of the files.
        last.callback(sys.stdout.write, as_markdown(rows, plan.earlier))
        _write(arguments, rows)
        _draw(arguments.crops, measured, plan, report)
    return FAILED if report.results else 0


def _rows(
    measured: Sequence[Measured], folder: Path, plan: Plan, names: Sequence[str]
) -> list[Row]:
    """Make rows, in the order of the models' names, and then of the scales."""
    found = [
        row
        for one in measured
        if one.pictures
        for row in make_rows(one, folder, len(one.pictures) == len(plan.pairs[one.scale]))
    ]
    return sorted(found, key=lambda row: names.index(row.model))


def _write(arguments: argparse.Namespace, rows: Sequence[Row]) -> None:
    from lit_restore.atomic import replace_file

    for path, content in ((arguments.json, as_json), (arguments.csv, as_csv)):
        if path is None:
            continue
        try:
            replace_file(path, content(rows))
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror or error}") from error


def _draw(path: Path, measured: Sequence[Measured], plan: Plan, report: Report) -> None:
    """Draw the comparison, without the scales at which the picture failed."""
    if plan.shown is None:
        return
    position, box = plan.shown
    rows = []
    for one in measured:
        pair = plan.pairs[one.scale][position]
        if pair.large in one.pictures:
            rows.append(cells(one, pair, box, plan.protocol))
    if not rows:
        report.line(f"nothing of {pair.large} could be drawn")
        return
    try:
        draw(rows, path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
