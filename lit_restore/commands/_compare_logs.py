"""What a run's CSV logs say, those of a run that was cut and went on included."""

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_COUNTS = ("epoch", "step")


class Point(NamedTuple):
    """A value on a curve.

    Attributes:
        epoch: From 0; the one that was under way.
        step: From 0; of the last batch.
        value: What was logged.
    """

    epoch: int
    step: int
    value: float


class Logs(NamedTuple):
    """All that a run logged.

    Attributes:
        figures: What ``test`` logged, by name.
        curves: All else by name, in the order of steps.
        division: Hash of which pictures were trained and tested on; empty if it is not known.
    """

    figures: dict[str, float]
    curves: dict[str, list[Point]]
    division: str


def read_logs(folder: Path) -> Logs:
    """Read the logs of a run.

    Args:
        folder: With the folders ``version_N``; where two tell of one step, the later one holds.
    """
    figures: dict[str, float] = {}
    points: dict[str, dict[int, Point]] = {}
    division = ""
    for version in sorted(folder.glob("version_*"), key=_number):
        for row in _rows(version / "metrics.csv"):
            epoch, step = (int(float(row.get(name) or 0)) for name in _COUNTS)
            for name, text in row.items():
                if name in _COUNTS or not text:
                    continue
                if name.startswith("test/"):
                    figures[name] = float(text)
                else:
                    points.setdefault(name, {})[step] = Point(epoch, step, float(text))
        division = _division(version / "split.json") or division
    curves = {name: sorted(found.values(), key=_step) for name, found in points.items()}
    return Logs(figures, curves, division)


def finite(value: float | None) -> float | None:
    """Give what JSON can hold: None for NaN and infinity."""
    return value if value is not None and math.isfinite(value) else None


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def _number(version: Path) -> int:
    number = version.name.removeprefix("version_")
    return int(number) if number.isdigit() else -1


def _step(point: Point) -> int:
    return point.step


def _division(path: Path) -> str:
    if not path.exists():
        return ""
    return str(json.loads(path.read_text(encoding="utf-8")).get("hash", ""))
