"""``lit-restore compare``: train the same config in several arms and seeds, and compare them."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lit_restore.commands._batch import UsageError
from lit_restore.commands._compare_curves import can_draw
from lit_restore.commands._compare_experiment import (
    Experiment,
    folder_name,
    parse_yaml,
    read_experiment,
)
from lit_restore.commands._compare_output import lacking, write_summary
from lit_restore.commands._compare_process import Processes, Start
from lit_restore.commands._compare_run import Run, begin_anew, carry_out_all, changed, result_of
from lit_restore.commands._near import guess
from lit_restore.commands._parser import Parser
from lit_restore.commands._verb import carry_out

FAILED, MISSING = 1, 3


def main(argv: Sequence[str], start: Start | None = None) -> int:
    """Carry out an experiment.

    Args:
        argv: The words after ``lit-restore compare``.
        start: Runs ``fit`` and ``test``; in processes of their own if None.

    Returns:
        0 all runs are done, 1 some failed, 3 matplotlib is missing. Wrong usage ends in
        ``SystemExit`` 2.
    """
    return carry_out(_parser(), argv, lambda arguments: _compare(arguments, start))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="lit-restore compare",
        description="Train the same config in several arms and seeds, each run in a process of "
        "its own, then write a table with means and spreads, and the curves. Runs that are "
        "finished are kept, so that the same command goes on where it was stopped. A test figure "
        "is of the checkpoint that the experiment names, last.ckpt unless it says otherwise.",
    )
    parser.add_argument(
        "experiment",
        type=Path,
        metavar="EXPERIMENT.yaml",
        help="config, arms, common (options by dotted keys), figures, curve, seeds, seeded, "
        "checkpoint",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="made if missing")
    parser.add_argument("--seeds", type=_count, metavar="N", help="seeds 0 to N - 1 (the file's)")
    parser.add_argument("--arms", nargs="+", metavar="NAME", help="run only these")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="an option of every arm"
    )
    parser.add_argument(
        "--jobs", type=_count, default=1, metavar="N", help="runs at once, which share the cores"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="begin anew what was made with other options"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")
    return parser


def _compare(arguments: argparse.Namespace, start: Start | None) -> int:
    experiment = read_experiment(arguments.experiment, arguments.seeds, _options(arguments.set))
    arms = _arms(arguments.arms, experiment)
    if experiment.curve is not None and not can_draw():
        sys.stderr.write(
            "lit-restore compare: matplotlib, which draws the curve, is missing; install the "
            "extra: pip install 'lit-restore[compare]' ('.[compare]' in its repository), or leave "
            "out the experiment's curve\n"
        )
        return MISSING
    runs = _runs(experiment, arguments.out)
    asked = [run for run in runs if run.arm in arms]
    todo = _todo(asked, arguments.overwrite)
    _make(arguments.out)
    failures: list[str] = []
    told = 0

    def after(run: Run, result: dict[str, Any]) -> None:
        nonlocal told
        told += 1
        if "failed" in result:
            failures.append(f"{run}: {result['failed']}")
        sys.stderr.write(f"{told}/{len(todo)} {run}: {_said(experiment, result)}\n")
        write_summary(experiment, runs, arguments.out)  # so that it can be looked at meanwhile

    carry_out_all(todo, arguments.jobs, start or Processes(arguments.jobs), after)
    unknown = lacking(experiment, asked)
    sys.stderr.write("".join(f"failed: {line}\n" for line in unknown))
    failures += unknown
    summary = write_summary(experiment, runs, arguments.out)
    if arguments.json:
        document = {**summary.plain(), "failures": failures}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        sys.stdout.write(summary.table or "no figure is known yet\n")
    return FAILED if failures else 0


def _runs(experiment: Experiment, out: Path) -> list[Run]:
    """All runs, a seed after the other: so every arm soon has one."""
    return [
        Run(
            arm,
            seed,
            out / "runs" / folder_name(arm) / f"seed_{seed}",
            experiment.config(arm, seed),
            experiment.checkpoint,
        )
        for seed in experiment.seeds
        for arm in experiment.configs
    ]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out: {folder}: {error.strerror or error}") from error


def _todo(asked: Sequence[Run], overwrite: bool) -> list[Run]:
    """Those of the runs that are not finished."""
    for run in asked:
        keys = changed(run)
        if keys and overwrite:
            begin_anew(run)
        elif keys:
            raise UsageError(
                f"{run.folder} was made with other options: {keys}; --overwrite begins it anew"
            )
    return [run for run in asked if result_of(run) is None]


def _arms(asked: Sequence[str] | None, experiment: Experiment) -> list[str]:
    for name in asked or ():
        if name not in experiment.configs:
            near = guess(name, experiment.configs)
            raise UsageError(
                f"--arms: there is no {name!r}.{near} There are: {', '.join(experiment.configs)}"
            )
    return list(asked or experiment.configs)


def _options(settings: Sequence[str]) -> dict[str, Any]:
    options = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not (key and equals):
            raise UsageError(f"--set: expected KEY=VALUE, got {setting!r}")
        options[key] = parse_yaml(text, f"--set: {key}")
    return options


def _said(experiment: Experiment, result: dict[str, Any]) -> str:
    if "failed" in result:
        return f"failed: {result['failed']}"
    found = [(name, result["figures"].get(name)) for name in experiment.figures]
    figures = [f"{name} {'unknown' if value is None else f'{value:.4g}'}" for name, value in found]
    return f"{', '.join(figures)} ({result['seconds']:.0f} s)"


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected 1 at least, got {number}")
    return number
