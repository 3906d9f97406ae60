"""A process of its own that computes references, and how it is asked."""

import os
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from parity.arrays import Arrays
from parity.case import Case
from parity.judge import Reference, distances
from parity.wire import receive, send

ROOT = Path(__file__).resolve().parent.parent


class ReferenceMissingError(RuntimeError):
    """The reference's framework is not installed, or its process has died."""


class Worker(ABC):
    """A process that computes references; a context manager.

    Attributes:
        framework: Whose cases it computes: the ``framework`` of a ``Case``.
        versions: Of the framework and of NumPy.
    """

    framework: str
    versions: dict[str, str]

    @abstractmethod
    def command(self) -> list[str]:
        """Say how the process is started."""

    def environment(self) -> Mapping[str, str]:
        """Say which environment variables it gets beside our own."""
        return {}

    def greeted(self) -> None:
        """Look at the versions; whatever this raises ends the process."""
        return

    def __enter__(self) -> Self:
        self._log: IO[bytes] = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self.command(),
            cwd=ROOT,
            env={**os.environ, **self.environment()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        try:
            self.versions, _ = self._exchange()
            self.greeted()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    def compute(self, case: Case, dtype: str) -> Arrays:
        """Have a case computed in one type.

        Raises:
            ValueError: If the reference function fails, with what it says.
            ReferenceMissingError: If the process dies.
        """
        request = {
            "reference": case.reference,
            "settings": dict(case.settings or {}),
            "variables": case.variables,
            "dtype": dtype,
        }
        return self.ask(request, case.arrays(dtype))

    def ask(self, request: dict[str, Any], arrays: Arrays) -> Arrays:
        """Have a reference function computed.

        Args:
            request: ``reference``, its ``settings``, the ``variables``, and the ``dtype``.
            arrays: The inputs, in that type.

        Raises:
            ValueError: If the function fails, with what it says.
            ReferenceMissingError: If the process dies.
        """
        answer, result = self._exchange(request, arrays)
        if "error" in answer:
            raise ValueError(answer["error"])
        return result

    def reference(self, case: Case) -> Reference:
        """Have a case computed in every type."""
        best, *others = (self.compute(case, dtype) for dtype in case.dtypes)
        return Reference(best, distances(case, others[0], Reference(best)) if others else {})

    def _exchange(
        self, request: dict[str, Any] | None = None, arrays: Arrays | None = None
    ) -> tuple[dict[str, Any], Arrays]:
        """Send a request, if there is one, and wait for what comes."""
        requests = cast(IO[bytes], self._process.stdin)
        answers = cast(IO[bytes], self._process.stdout)
        try:
            if request is not None:
                send(requests, request, arrays)
            return receive(answers)
        except (BrokenPipeError, EOFError):
            self._process.wait()
            self._log.seek(0)
            last = self._log.read().decode(errors="replace").strip()[-2000:]
            name = self.framework.capitalize()
            raise ReferenceMissingError(f"{name}'s process has died:\n{last}") from None

    def _close(self) -> None:
        self._process.communicate()
        self._log.close()
