"""``python -m parity mutate``: does the comparison notice when something is wrong?

Every wrong variant of every case, and the mutants of every network, must be noticed. A mutant that
provably computes the same is listed with the reason, and must not be.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from parity.case import Case
from parity.judge import Reference, Result, judge, measure
from parity.mutants import KINDS
from parity.report import columns

_BUILT_IN = "variant"
_COLUMNS = (_BUILT_IN, *KINDS)
_NONE = {
    "concatenation": "it joins nothing",
    "mode": "it has no layer that does something else in training",
}


@dataclass(frozen=True)
class Kill:
    """What became of one wrong variant or mutant.

    Attributes:
        case: The case's name.
        kind: ``"variant"`` if the case has it, else one of ``parity.mutants.KINDS``.
        name: What is wrong.
        dtype: What was computed in.
        noticed: Whether the comparison noticed.
        reason: Why it is equivalent; empty if it is not.
    """

    case: str
    kind: str
    name: str
    dtype: str
    noticed: bool
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether it was noticed, or is equivalent and was not."""
        return self.noticed != bool(self.reason)


def mutate(cases: Sequence[Case], read: Callable[[Case], Reference]) -> Iterator[Kill]:
    """Try every wrong variant in every type, and every mutant in float64."""
    for case in cases:
        reference = read(case)
        for result in judge(case, reference):
            if result.variant:
                yield _kill(case, result, _BUILT_IN)
        for name, function in case.mutants().items():
            kind, _, what = name.partition(" ")
            result = measure(case, reference, function, case.dtypes[0], what)
            yield _kill(case, result, kind, case.equivalent.get(name, ""))


def _kill(case: Case, result: Result, kind: str, reason: str = "") -> Kill:
    return Kill(case.name, kind, result.variant, result.dtype, not result.agrees, reason)


def matrix(kills: Sequence[Kill]) -> str:
    """Lay out how many of how many were noticed, by group of cases and by kind.

    Below it stand what survived, what is equivalent and why, what a network has none of, and the
    counts.
    """
    groups = list(dict.fromkeys(_group(kill) for kill in kills))
    rows = [("noticed of", *_COLUMNS), *(_row(group, kills) for group in groups)]
    return "\n".join([*columns(rows), *_remarks(kills), *_counts(kills)])


def _group(kill: Kill) -> str:
    level, what, *_ = kill.case.split("/")
    return kill.case if level == "model" else f"{level}/{what}"


def _row(group: str, kills: Sequence[Kill]) -> tuple[str, ...]:
    own = [kill for kill in kills if _group(kill) == group and not kill.reason]
    total = Counter(kill.kind for kill in own)
    noticed = Counter(kill.kind for kill in own if kill.noticed)
    cells = (f"{noticed[kind]}/{total[kind]}" if total[kind] else "-" for kind in _COLUMNS)
    return group, *cells


def _remarks(kills: Sequence[Kill]) -> Iterator[str]:
    for kill in kills:
        what = f"{kill.case}: {kill.kind} {kill.name} ({kill.dtype})"
        if not kill.passed:
            yield f"WRONG ABOUT EQUIVALENCE  {what}" if kill.reason else f"SURVIVED  {what}"
        elif kill.reason:
            yield f"equivalent  {what}: {kill.reason}"
    for case in dict.fromkeys(kill.case for kill in kills if kill.kind in KINDS):
        missing = set(_NONE) - {kill.kind for kill in kills if kill.case == case}
        yield from (f"no {kind} in {case}: {_NONE[kind]}" for kind in sorted(missing))


def _counts(kills: Sequence[Kill]) -> Iterator[str]:
    for kinds, what in (((_BUILT_IN,), "wrong variants"), (KINDS, "mutants of networks")):
        some = [kill for kill in kills if kill.kind in kinds and not kill.reason]
        if some:
            yield f"{sum(kill.noticed for kill in some)} of {len(some)} {what} are noticed"
    equivalent = sum(bool(kill.reason) for kill in kills)
    if equivalent:
        yield f"{equivalent} mutants are equivalent"
