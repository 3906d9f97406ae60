"""Rounds over the kinds of layers, each with a fresh seed that follows from the first one."""

import itertools
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import hypothesis
from hypothesis import HealthCheck, Phase, given

from parity.fuzz.check import Finding, Reference, examine
from parity.fuzz.strategies import TRIALS
from parity.fuzz.trial import Trial

EXAMPLES = 25


class _Disagreement(Exception):  # noqa: N818  what hypothesis shrinks is no error of this program
    def __init__(self, finding: Finding) -> None:
        super().__init__()
        self.finding = finding


@dataclass
class Tally:
    """What was seen of one kind of layers.

    Attributes:
        examples: Trials until the first finding.
        undecided: Those of them that a kink of ReLU left open.
        seconds: Time, that of shrinking included.
        closest: The array that came closest to its bound, in float64 and float32.
        finding: The smallest trial that differs; None if none does.
    """

    examples: int = 0
    undecided: int = 0
    seconds: float = 0.0
    closest: Finding | None = None
    finding: Finding | None = None

    def add(self, found: Finding | None) -> None:
        """Count one trial."""
        self.examples += 1
        self.undecided += found is None
        if found and (self.closest is None or found.share > self.closest.share):
            self.closest = found


def explore(
    kind: str,
    seed: int,
    tally: Tally,
    examples: int = EXAMPLES,
    reference: Reference | None = None,
) -> None:
    """Try some trials of one kind; of the first that differs, find the smallest alike.

    Args:
        kind: A key of ``parity.fuzz.kinds.KINDS``.
        seed: Chooses the trials.
        tally: What is counted on, and where the finding goes.
        examples: How many trials.
        reference: Computes the right arrays; the oracle if None.
    """

    def attempt(trial: Trial) -> None:
        found = examine(trial, reference)
        if not tally.finding:
            tally.add(found)
        if found and not found.agrees:
            tally.finding = found
            raise _Disagreement(found)

    options = hypothesis.settings(
        max_examples=examples,
        database=None,
        derandomize=False,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    started = time.monotonic()
    try:
        hypothesis.seed(seed)(options(given(TRIALS[kind])(attempt)))()
    except _Disagreement as last:
        tally.finding = last.finding
    finally:
        tally.seconds += time.monotonic() - started


def rounds(
    tallies: dict[str, Tally],
    seed: int,
    seconds: float,
    examples: int = EXAMPLES,
    reference: Reference | None = None,
) -> Iterator[str]:
    """Explore the kinds in turn, at least once each, until the time is up.

    A kind with a finding is left alone afterwards.

    Args:
        tallies: What is counted on, for each kind.
        seed: Chooses everything.
        seconds: How long, a last turn of one kind not counted.
        examples: Trials per turn.
        reference: Computes the right arrays; the oracle if None.

    Yields:
        The kind that has just been explored.
    """
    end = time.monotonic() + seconds
    for number in itertools.count():
        for kind, tally in tallies.items():
            if number and (time.monotonic() >= end or all(one.finding for one in tallies.values())):
                return
            if not tally.finding:
                explore(kind, derived(seed, number, kind), tally, examples, reference)
                yield kind


def derived(seed: int, number: int, kind: str) -> int:
    """Derive the seed of a round."""
    return zlib.crc32(f"{seed} {number} {kind}".encode())
