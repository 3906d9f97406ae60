"""``python -m parity readme``: the figures that the README shows, put there by a command."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from parity.case import Case
from parity.judge import Result
from parity.mutants import KINDS
from parity.mutate import Kill

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- parity: python -m parity readme -->\n", "<!-- /parity -->\n"
_HEAD = ("level", "cases", "worst float64 error", "wrong variants", *KINDS)


def figures(cases: Sequence[Case], results: Sequence[Result], kills: Sequence[Kill]) -> str:
    """Lay out a row per level in Markdown, and a line that sums up.

    Args:
        cases: All of them.
        results: Of the right variants; others do not count.
        kills: Of all wrong variants and mutants.
    """
    levels = list(dict.fromkeys(case.level for case in cases))
    rows = [_HEAD, ("---",) * len(_HEAD)]
    rows += [_row(level, cases, results, kills) for level in levels]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", *_sums(cases, results, kills)]) + "\n"


def _row(
    level: str, cases: Sequence[Case], results: Sequence[Result], kills: Sequence[Kill]
) -> tuple[str, ...]:
    own = [case for case in cases if case.level == level]
    mine = [kill for kill in kills if kill.case.startswith(f"{level}/")]
    counts = (_share([kill for kill in mine if kill.kind == kind]) for kind in ("variant", *KINDS))
    return level, str(len(own)), _worst(own, results), *counts


def _share(kills: Sequence[Kill]) -> str:
    kills = [kill for kill in kills if not kill.reason]
    return f"{sum(kill.noticed for kill in kills)}/{len(kills)}" if kills else ""


def _worst(cases: Sequence[Case], results: Sequence[Result]) -> str:
    names = {case.name for case in cases if case.precision == "given"}
    errors = [
        max(one.errors.values())
        for one in results
        if one.case in names and one.dtype == "float64" and not one.variant
    ]
    return f"{max(errors):.0e}" if errors else ""


def _sums(cases: Sequence[Case], results: Sequence[Result], kills: Sequence[Kill]) -> Iterator[str]:
    right = [one for one in results if not one.variant]
    built_in = _share([kill for kill in kills if kill.kind == "variant"])
    mutants = _share([kill for kill in kills if kill.kind != "variant"])
    equivalent = sum(bool(kill.reason) for kill in kills)
    but = f" ({equivalent} more are equivalent)" if equivalent else ""
    yield f"{len(cases)} cases, {sum(one.passed for one in right)}/{len(right)} comparisons agree."
    yield f"{built_in} wrong variants (each in every type that counts) and"
    yield f"{mutants} mutants of networks are noticed{but}."
    yield f"The worst float64 error is {_worst(cases, results)} of an array's largest value."


def put(text: str, block: str) -> str:
    """Put the figures between their marks in a page.

    Raises:
        ValueError: If the marks are missing.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected the lines {BEGIN.strip()!r} and {END.strip()!r}, got none")
    return before + begin + block + end + after
