"""How results are shown in a terminal."""

from collections.abc import Iterator, Sequence

from parity.judge import Result

_HEAD = ("case", "level", "dtype", "where", "error", "bound", "verdict")


def table(results: Sequence[Result]) -> str:
    """Lay out a row per case and type, and a line that counts.

    A wrong variant has a row only if the comparison did not notice it. ``where`` is the first array
    that differs, in the order of the computation, or the worst of those that agree.
    """
    rows = [_HEAD, *(_row(one) for one in results if not one.variant or not one.passed)]
    return "\n".join([*columns(rows), *counts(results)])


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay out rows of equal length in columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _row(result: Result) -> tuple[str, ...]:
    level, _, name = result.case.partition("/")
    verdict = "agrees" if result.passed else "DIFFERS"
    if result.variant:
        name, verdict = f"{name} ({result.variant})", "NOT NOTICED"
    errors = f"{result.worst:.1e}", f"{result.bound:.1e}"
    return name, level, result.dtype, result.where, *errors, verdict


def counts(results: Sequence[Result]) -> Iterator[str]:
    """Say how many comparisons agree, and how many wrong variants are noticed."""
    for is_wrong, verb in ((False, "agree"), (True, "are noticed")):
        some = [one for one in results if bool(one.variant) == is_wrong]
        what = "wrong variants" if is_wrong else "comparisons"
        if some:
            yield f"{sum(one.passed for one in some)} of {len(some)} {what} {verb}"
