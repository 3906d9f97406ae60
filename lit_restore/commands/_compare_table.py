"""Figures of several arms and seeds as a table: mean, spread, and the difference to the first."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields

Values = Mapping[str, Mapping[int, float]]
"""Of one figure: by arm, and by seed."""

_SIGNIFICANT = 4


@dataclass(frozen=True)
class Row:
    """One figure of one arm. NaN stands for what too few runs leave unknown.

    Attributes:
        arm: Its name.
        figure: Name of what was measured.
        n: How many runs.
        mean: Over the seeds.
        deviation: The standard deviation of one run (n - 1).
        lowest: Of all runs.
        highest: Of all runs.
        pairs: Seeds that this arm and the first arm both have; 0 for the first arm itself.
        difference: Mean of this arm less the first one, over those seeds.
        error: Standard error of that mean.
    """

    arm: str
    figure: str
    n: int
    mean: float
    deviation: float
    lowest: float
    highest: float
    pairs: int
    difference: float
    error: float


def summarise(figure: str, values: Values) -> list[Row]:
    """Compute a row for each arm.

    Args:
        figure: Name of what was measured.
        values: The first arm is the one that the others are compared with; arms without a run
            have no row.
    """
    first_arm = next(iter(values), "")
    first = values.get(first_arm, {})
    rows = []
    for arm, by_seed in values.items():
        if not by_seed:
            continue
        measured = list(by_seed.values())
        common = [] if arm == first_arm else [seed for seed in by_seed if seed in first]
        differences = [by_seed[seed] - first[seed] for seed in common]
        spread = _deviation(differences)
        error = spread / math.sqrt(len(differences)) if differences else math.nan
        mean, gain = _mean(measured), _mean(differences)
        extremes = (min(measured), max(measured))
        rows.append(
            Row(arm, figure, len(measured), mean, _deviation(measured), *extremes,
                len(common), gain, error)
        )  # fmt: skip
    return rows


def as_markdown(rows: Sequence[Row], seeded: Sequence[str], notes: Sequence[str] = ()) -> str:
    """Write rows as a table: a line for each arm, two columns for each figure.

    Args:
        rows: At least one.
        seeded: What a seed sets.
        notes: Lines to add below.
    """
    figures = list(dict.fromkeys(row.figure for row in rows))
    arms = list(dict.fromkeys(row.arm for row in rows))
    cells = {(row.arm, row.figure): row for row in rows}
    compared = any(row.pairs for row in rows)  # then the first arm is the one they differ from
    header, alignment = ["arm", "runs"], ["---", "---:"]
    for figure in figures:
        header += [figure, f"less that of {arms[0]}"] if compared else [figure]
        alignment += ["---:"] * (len(header) - len(alignment))
    lines = [header, alignment]
    digits = {figure: _digits([row for row in rows if row.figure == figure]) for figure in figures}
    for arm in arms:
        found = [cells.get((arm, figure)) for figure in figures]
        line = [arm, str(max(row.n for row in found if row))]
        for row, figure in zip(found, figures, strict=True):
            both = _cells(row, digits[figure])
            line += both if compared else both[:1]
        lines.append(line)
    table = "\n".join(f"| {' | '.join(map(_escape, line))} |" for line in lines)
    told = [
        "Mean ± standard deviation of a run (n - 1), lowest and highest run in brackets; the "
        "difference is paired by seed: its mean ± standard error.",
        f"A seed sets {', '.join(seeded)}; all else is the same in every run of an arm.",
    ]
    return "\n".join([table, "", *told, *notes, ""])


def as_csv(rows: Sequence[Row]) -> str:
    """Write rows as CSV, with nothing for what is unknown."""
    lines = [[field.name for field in fields(Row)]]
    lines += [[_plain(value) for value in astuple(row)] for row in rows]
    return to_csv(lines)


def to_csv(lines: Sequence[Sequence[object]]) -> str:
    """Write lines of cells as CSV."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    return buffer.getvalue()


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def _deviation(values: Sequence[float]) -> float:
    if len(values) < 2:
        return math.nan
    mean = _mean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _digits(rows: Sequence[Row]) -> int:
    """Decimals that a figure is told with in all rows."""
    largest = max((abs(row.mean) for row in rows if math.isfinite(row.mean)), default=0.0)
    if not largest:
        return _SIGNIFICANT
    return max(_SIGNIFICANT - 1 - math.floor(math.log10(largest)), 0)


def _cells(row: Row | None, digits: int) -> list[str]:
    if row is None:
        return ["", ""]
    text = f"{row.mean:.{digits}f}"
    if row.n > 1:
        text += (
            f" ± {row.deviation:.{digits}f} ({row.lowest:.{digits}f} to {row.highest:.{digits}f})"
        )
    difference = f"{row.difference:+.{digits}f}" if row.pairs else ""
    if row.pairs > 1:
        difference += f" ± {row.error:.{digits}f}"
    return [text, difference]


def _plain(value: object) -> str:
    return "" if isinstance(value, float) and math.isnan(value) else str(value)


def _escape(cell: str) -> str:
    return cell.replace("|", "\\|")
