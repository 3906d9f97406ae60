"""Ratios against targets, and how they are printed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A ratio measured in several rounds, and what it should be.

    Attributes:
        name: What is compared, ours last.
        values: One a round.
        target: The least that the median should be; None only reports.
    """

    name: str
    values: Sequence[float]
    target: float | None = None

    @property
    def median(self) -> float:
        """The ratio of the middle round."""
        return median(self.values)

    def line(self) -> str:
        """Median, lowest and highest round, target and verdict."""
        text = f"  {self.name:<58}{self.median:7.2f}x"
        if len(self.values) > 1:
            text += f"  ({min(self.values):.2f} to {max(self.values):.2f})"
        if self.target is not None:
            verdict = "met" if self.median >= self.target else "MISSED"
            text += f"  target {self.target:g}x {verdict}"
        return text


@dataclass(frozen=True)
class Report:
    """What one benchmark found.

    Attributes:
        title: Of the whole.
        lines: Measured values as text, before the ratios.
        figures: The ratios.
        data: Further values, for JSON alone.
    """

    title: str
    lines: Sequence[str]
    figures: Sequence[Figure]
    data: Mapping[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """The report as it is printed."""
        body = [f"  {line}" for line in self.lines]
        return "\n".join([self.title, *body, *(figure.line() for figure in self.figures)])

    def plain(self) -> dict[str, Any]:
        """The report in plain values, for JSON."""
        return asdict(self)
