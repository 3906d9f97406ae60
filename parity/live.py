"""Keras itself, in a process of its own."""

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Any, cast

from parity.arrays import Arrays
from parity.case import Case
from parity.judge import Reference, distances
from parity.wire import receive, send

_ROOT = Path(__file__).resolve().parent.parent


class ReferenceRefusedError(ValueError):
    """Keras is set to run on something that is no independent reference."""


class ReferenceMissingError(RuntimeError):
    """TensorFlow or Keras is not installed, or its process has died."""


class KerasWorker:
    """The process that computes references; a context manager.

    Raises:
        ReferenceRefusedError: If ``KERAS_BACKEND`` names another backend than TensorFlow. On the
            torch backend Keras would be PyTorch compared with itself.
        ReferenceMissingError: If TensorFlow or Keras is missing.
    """

    versions: dict[str, str]

    def __init__(self) -> None:
        check_backend(os.environ.get("KERAS_BACKEND", "tensorflow"))
        for name in ("tensorflow", "keras"):
            if not _is_installed(name):
                raise ReferenceMissingError(
                    f"expected {name} for a live comparison, but it is not installed: "
                    "pip install 'lit-restore[parity]'"
                )

    def __enter__(self) -> "KerasWorker":
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        self._log: IO[bytes] = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "parity.worker"],
            cwd=_ROOT,
            env={**os.environ, **quiet, "KERAS_BACKEND": "tensorflow"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        try:
            self.versions, _ = self._exchange()
            check_backend(self.versions.pop("backend"))
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
        """Have Keras compute a case in one type.

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
        answer, arrays = self._exchange(request, case.arrays(dtype))
        if "error" in answer:
            raise ValueError(answer["error"])
        return arrays

    def reference(self, case: Case) -> Reference:
        """Have Keras compute a case in every type."""
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
            raise ReferenceMissingError(f"Keras's process has died:\n{last}") from None

    def _close(self) -> None:
        self._process.communicate()
        self._log.close()


def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def check_backend(backend: str) -> None:
    """Refuse another backend than TensorFlow.

    Raises:
        ReferenceRefusedError: As said.
    """
    if backend != "tensorflow":
        raise ReferenceRefusedError(
            "Keras must run on tensorflow to be an independent reference, "
            f"got KERAS_BACKEND={backend}"
        )
