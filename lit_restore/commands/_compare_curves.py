"""Curves of several arms: the mean over the seeds, between the lowest and the highest run."""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lit_restore.commands._compare_logs import Point
from lit_restore.commands._compare_table import to_csv

Curves = Mapping[str, Mapping[int, Sequence[Point]]]
"""By arm, and by seed."""

_DPI = 150


class Band(NamedTuple):
    """The runs of an arm together, at the places that all of them have.

    Attributes:
        places: Epochs or steps that were done.
        means: Of the runs.
        lowest: Of the runs.
        highest: Of the runs.
    """

    places: list[int]
    means: list[float]
    lowest: list[float]
    highest: list[float]


def can_draw() -> bool:
    """Whether matplotlib, which draws, is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def by_epochs(curves: Curves) -> bool:
    """Whether no run has two values in one epoch; otherwise they are told apart by steps."""
    runs = [points for runs in curves.values() for points in runs.values()]
    return all(len({point.epoch for point in points}) == len(points) for points in runs)


def band(runs: Mapping[int, Sequence[Point]], epochs: bool) -> Band:
    """Join the runs of an arm.

    Args:
        runs: By seed; at least one.
        epochs: Whether to count epochs, or else steps.
    """
    values = [{_place(point, epochs): point.value for point in points} for points in runs.values()]
    places = sorted(set.intersection(*(set(found) for found in values)))
    columns = [[found[place] for found in values] for place in places]
    means = [sum(column) / len(column) for column in columns]
    return Band(places, means, [min(one) for one in columns], [max(one) for one in columns])


def draw_curves(curves: Curves, name: str, path: Path) -> None:
    """Draw a line and a band for each arm.

    Args:
        curves: Arms without a run are left out.
        name: Of what is drawn.
        path: Of a PNG.
    """
    from matplotlib.figure import Figure

    from lit_restore.atomic import replacing

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    epochs = by_epochs(curves)
    for index, (arm, runs) in enumerate(curves.items()):
        if not runs:
            continue
        found, colour = band(runs, epochs), f"C{index % 10}"
        style = ("-", "--", ":")[index // 10 % 3]
        count = f"{len(runs)} run{'s' if len(runs) > 1 else ''}"
        axes.plot(found.places, found.means, style, color=colour, label=f"{arm} ({count})")
        axes.fill_between(
            found.places, found.lowest, found.highest, color=colour, alpha=0.15, linewidth=0
        )
    axes.set_xlabel("epochs" if epochs else "steps")
    axes.set_ylabel(name)
    axes.grid(alpha=0.3)
    axes.legend(title="mean, lowest to highest run")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=_DPI, format="png")


def curves_csv(curves: Curves) -> str:
    """Write every value as CSV; epochs and steps are those that were done."""
    lines: list[list[object]] = [["arm", "seed", "epochs", "steps", "value"]]
    for arm, runs in curves.items():
        for seed, points in runs.items():
            lines += [[arm, seed, one.epoch + 1, one.step + 1, one.value] for one in points]
    return to_csv(lines)


def _place(point: Point, epochs: bool) -> int:
    return (point.epoch if epochs else point.step) + 1
