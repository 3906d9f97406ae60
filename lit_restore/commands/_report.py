"""Telling how a batch of files went: to a person, or to a program."""

import json
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TextIO

_CLEAR_LINE = "\r\033[K"


@dataclass(frozen=True)
class Result:
    """What became of one output.

    Attributes:
        source: The input.
        output: The file; ``None`` if there is none.
        status: Whether it was made.
        reason: Why not, in one line.
        seconds: Of work for it.
        size: Its height and width in pixels, if it was made.
    """

    source: Path
    output: Path | None
    status: Literal["done", "skipped", "failed"]
    reason: str = ""
    seconds: float = 0.0
    size: tuple[int, int] | None = None


class Report:
    """Keeps the results of a batch and tells of them.

    Failures and warnings go to stderr, a line each, and so does the progress if that is a terminal;
    the count goes to stdout at the end, or a JSON document instead. As a context it catches the
    warnings about image files.

    Args:
        done: The word for an output that was made, such as ``"restored"``.
        total: Number of inputs.
        as_json: Whether to print JSON.
    """

    def __init__(self, done: str, total: int, as_json: bool) -> None:
        self.done = done
        self.total = total
        self.as_json = as_json
        self.results: list[Result] = []
        self._lines: list[str] = []
        self._document: dict[str, Any] = {}
        self._troubled = False
        self._started = 0
        self._terminal = sys.stderr.isatty()
        self._warnings = warnings.catch_warnings()
        self._show = warnings.showwarning

    def __enter__(self) -> Self:
        from PIL.Image import DecompressionBombWarning

        from lit_restore.data.images import ImageFileWarning

        self._warnings.__enter__()
        warnings.simplefilter("ignore", DecompressionBombWarning)  # the limit refuses or allows
        warnings.simplefilter("always", ImageFileWarning)
        self._show = warnings.showwarning
        warnings.showwarning = self._show_warning
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._warnings.__exit__(kind, error, traceback)
        self._clear()

    def _show_warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        from lit_restore.data.images import ImageFileWarning

        if issubclass(category, ImageFileWarning):
            self.line(f"warning: {message}")
        else:
            self._show(message, category, filename, lineno, file, line)

    def progress(self, path: Path) -> None:
        """Show which input is next, where someone can see it."""
        self._started += 1
        if self._terminal:
            sys.stderr.write(f"{_CLEAR_LINE}{self._started}/{self.total} {path.name}")
            sys.stderr.flush()

    def passing(self, text: str) -> None:
        """Show what holds for the moment, where someone can see it."""
        if self._terminal:
            sys.stderr.write(f"{_CLEAR_LINE}{text}")
            sys.stderr.flush()

    def line(self, text: str) -> None:
        """Write a line to stderr."""
        self._clear()
        sys.stderr.write(f"{text}\n")

    def add(self, result: Result) -> None:
        """Keep a result; a failure is told at once."""
        self.results.append(result)
        if result.status == "failed":
            self.line(f"failed: {result.reason}")

    def trouble(self, text: str) -> None:
        """Write a line to stderr, of what went wrong with no output in particular."""
        self._troubled = True
        self.line(text)

    def conclude(self, name: str, values: Mapping[str, Any], lines: Sequence[str]) -> None:
        """Keep what is to be told of all outputs together.

        Args:
            name: Of it in the JSON document.
            values: What stands there.
            lines: What is printed above the count instead.
        """
        self._document[name] = dict(values)
        self._lines += lines

    def finish(self) -> int:
        """Print the count or the JSON document; return the exit code."""
        counts = {
            word: sum(result.status == status for result in self.results)
            for word, status in ((self.done, "done"), ("skipped", "skipped"), ("failed", "failed"))
        }
        if counts["skipped"]:
            self.line("skipped what exists already; --overwrite replaces it")
        if self.as_json:
            results = [self._plain(result) for result in self.results]
            document = {"results": results, **counts, **self._document}
            sys.stdout.write(json.dumps(document, indent=2) + "\n")
        else:
            count = ", ".join(f"{word} {number}" for word, number in counts.items())
            sys.stdout.write("".join(f"{line}\n" for line in (*self._lines, count)))
        return 1 if counts["failed"] or self._troubled else 0

    def _plain(self, result: Result) -> dict[str, Any]:
        return {
            "input": str(result.source),
            "output": str(result.output) if result.output else None,
            "status": self.done if result.status == "done" else result.status,
            "reason": result.reason,
            "seconds": round(result.seconds, 4),
            "size": list(result.size) if result.size else None,
        }

    def _clear(self) -> None:
        if self._terminal:
            sys.stderr.write(_CLEAR_LINE)
