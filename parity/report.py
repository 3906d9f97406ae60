"""How results are shown: a table for people, JSON for machines."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from parity.judge import Result

_HEAD = ("case", "level", "dtype", "where", "error", "bound", "verdict")


def table(results: Sequence[Result]) -> str:
    """Lay out a row per case and type, and a line that counts.

    A wrong variant has a row only if the comparison did not notice it.
    """
    rows = [_HEAD, *(_row(one) for one in results if not one.variant or not one.passed)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([*lines, *_counts(results)])


def _row(result: Result) -> tuple[str, ...]:
    level, _, name = result.case.partition("/")
    verdict = "agrees" if result.passed else "DIFFERS"
    if result.variant:
        name, verdict = f"{name} ({result.variant})", "NOT NOTICED"
    errors = f"{result.worst:.1e}", f"{result.bound:.1e}"
    return name, level, result.dtype, result.where, *errors, verdict


def _counts(results: Sequence[Result]) -> Iterator[str]:
    for is_wrong, verb in ((False, "agree"), (True, "are noticed")):
        some = [one for one in results if bool(one.variant) == is_wrong]
        what = "wrong variants" if is_wrong else "comparisons"
        if some:
            yield f"{sum(one.passed for one in some)} of {len(some)} {what} {verb}"


def to_json(results: Sequence[Result], reference: str) -> str:
    """Write all results, with the error of every array; null where the shapes differ.

    Args:
        results: What was compared.
        reference: What it was compared with.
    """
    return json.dumps({"reference": reference, "results": [_plain(one) for one in results]})


def _plain(result: Result) -> dict[str, Any]:
    errors = {name: _finite(error) for name, error in result.errors.items()}
    about = {"where": result.where, "worst": _finite(result.worst), "passed": result.passed}
    return asdict(result) | {"errors": errors} | about


def _finite(error: float) -> float | None:
    return error if math.isfinite(error) else None
