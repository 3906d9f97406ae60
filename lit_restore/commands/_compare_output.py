"""What a comparison leaves in its folder: the table, the curves, and the figures of every run."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from lit_restore.commands._compare_curves import Curves, curves_csv, draw_curves
from lit_restore.commands._compare_experiment import Experiment
from lit_restore.commands._compare_logs import Point, finite
from lit_restore.commands._compare_run import Run, changed, result_of
from lit_restore.commands._compare_table import Row, as_csv, as_markdown, summarise, to_csv

T = TypeVar("T")
Results = Sequence[tuple[Run, dict[str, Any]]]


class Summary(NamedTuple):
    """What the finished runs say together.

    Attributes:
        table: In Markdown; empty if no figure is known.
        rows: Of the table.
        runs: Every finished run in plain values.
        notes: What a reader should know of them.
    """

    table: str
    rows: list[Row]
    runs: list[dict[str, Any]]
    notes: list[str]

    def plain(self) -> dict[str, Any]:
        """Give it in values that JSON can hold."""
        rows = [
            {
                name: finite(value) if isinstance(value, float) else value
                for name, value in asdict(row).items()
            }
            for row in self.rows
        ]
        return {"rows": rows, "runs": self.runs, "notes": self.notes}


def write_summary(experiment: Experiment, runs: Sequence[Run], out: Path) -> Summary:
    """Write ``table.md``, ``table.csv``, ``runs.csv``, ``curves.csv`` and ``curves.png``.

    Args:
        experiment: Which figures and which curve.
        runs: All of the experiment, in the order of arms; those that are not finished are left
            out.
        out: Folder of the files.
    """
    from lit_restore.atomic import replace_file

    results = [(run, result) for run in runs if (result := result_of(run))]
    rows = [row for name in experiment.figures for row in _rows(experiment, results, name)]
    notes = _notes(experiment, runs, results)
    table = as_markdown(rows, experiment.seeded, notes) if rows else ""
    curves = _curves(experiment, results)
    files = {"runs.csv": _runs_csv(experiment, results)}
    if rows:
        files |= {"table.md": table, "table.csv": as_csv(rows)}
    if any(curves.values()):
        files["curves.csv"] = curves_csv(curves)
        draw_curves(curves, experiment.curve or "", out / "curves.png")
    for name, text in files.items():
        replace_file(out / name, text.encode())
    return Summary(table, rows, [_plain(run, result) for run, result in results], notes)


def lacking(experiment: Experiment, runs: Sequence[Run]) -> list[str]:
    """Tell which names of the experiment finished runs know nothing of, a line for each name.

    Args:
        experiment: Which figures and which curve.
        runs: That should know them.
    """
    results = [(run, result) for run in runs if (result := result_of(run))]
    wanted = [(name, "figures") for name in experiment.figures]
    if experiment.curve is not None:
        wanted.append((experiment.curve, "curves"))
    told = []
    for name, kind in wanted:
        without = [(str(run), result[kind]) for run, result in results if name not in result[kind]]
        if without:
            there = ", ".join(sorted(without[0][1])) or "nothing"
            runs_told = "; ".join(run for run, _ in without)
            told.append(f"{name} was not logged, but {there}, by {runs_told}")
    return told


def _rows(experiment: Experiment, results: Results, name: str) -> list[Row]:
    def figure(result: dict[str, Any]) -> float | None:
        return _known(result["figures"][name]) if name in result["figures"] else None

    return summarise(name, _by_arm(experiment, results, figure))


def _curves(experiment: Experiment, results: Results) -> Curves:
    def curve(result: dict[str, Any]) -> list[Point] | None:
        points = result["curves"].get(experiment.curve, [])
        return [Point(epoch, step, _known(value)) for epoch, step, value in points] or None

    return _by_arm(experiment, results, curve)


def _by_arm(
    experiment: Experiment, results: Results, value: Callable[[dict[str, Any]], T | None]
) -> dict[str, dict[int, T]]:
    found: dict[str, dict[int, T]] = {arm: {} for arm in experiment.configs}
    for run, result in results:
        one = value(result)
        if one is not None:
            found[run.arm][run.seed] = one
    return found


def _notes(experiment: Experiment, runs: Sequence[Run], results: Results) -> list[str]:
    done = [run for run, _ in results]
    notes = []
    missing = [str(run) for run in runs if run not in done and not changed(run)]
    if missing:
        notes.append(f"Not finished: {'; '.join(missing)}.")
    others = [str(run) for run in runs if changed(run)]
    if others:
        notes.append(f"Left out, since made with other options: {'; '.join(others)}.")
    for seed in experiment.seeds:
        divisions = {result["division"] for run, result in results if run.seed == seed}
        if len(divisions) > 1:
            notes.append(f"Seed {seed}: not all arms had the same division of the pictures.")
    return notes


def _runs_csv(experiment: Experiment, results: Results) -> str:
    lines: list[list[object]] = [["arm", "seed", "seconds", *experiment.figures]]
    for run, result in results:
        figures = [result["figures"].get(name) for name in experiment.figures]
        lines.append([run.arm, run.seed, result["seconds"], *figures])
    return to_csv(lines)


def _plain(run: Run, result: dict[str, Any]) -> dict[str, Any]:
    kept = {name: result[name] for name in ("arm", "seed", "figures", "seconds")}
    return {**kept, "folder": str(run.folder)}


def _known(value: float | None) -> float:
    return math.nan if value is None else value
