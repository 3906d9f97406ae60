"""Keras and Chainer themselves, each in a process of its own."""

import importlib.util
import os
import subprocess
import sys
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

_ROOT = Path(__file__).resolve().parent.parent
CHAINER = _ROOT / ".venv-chainer" / "bin" / "python"


class ReferenceRefusedError(ValueError):
    """Keras is set to run on something that is no independent reference."""


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
            cwd=_ROOT,
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


class KerasWorker(Worker):
    """Keras on TensorFlow.

    Raises:
        ReferenceRefusedError: If ``KERAS_BACKEND`` names another backend than TensorFlow. On the
            torch backend Keras would be PyTorch compared with itself.
        ReferenceMissingError: If TensorFlow or Keras is missing.
    """

    framework = "keras"

    def __init__(self) -> None:
        check_backend(os.environ.get("KERAS_BACKEND", "tensorflow"))
        for name in ("tensorflow", "keras"):
            if not _is_installed(name):
                raise ReferenceMissingError(
                    f"expected {name} for a live comparison, but it is not installed: "
                    "pip install 'lit-restore[parity]'"
                )

    def command(self) -> list[str]:
        """Run with our own interpreter."""
        return [sys.executable, "-m", "parity.worker"]

    def environment(self) -> Mapping[str, str]:
        """TensorFlow on the CPU, without its greetings."""
        return {
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "-1",
            "KERAS_BACKEND": "tensorflow",
        }

    def greeted(self) -> None:
        """Refuse another backend."""
        check_backend(self.versions.pop("backend"))


class ChainerWorker(Worker):
    """Chainer, in the environment that ``make parity-chainer`` sets up.

    Raises:
        ReferenceMissingError: If that environment is missing.
    """

    framework = "chainer"

    def __init__(self) -> None:
        if not CHAINER.is_file():
            raise ReferenceMissingError(
                f"expected Chainer in {CHAINER.parent.parent.name}, but there is no such "
                "environment: make parity-chainer"
            )

    def command(self) -> list[str]:
        """Run with the interpreter that has Chainer."""
        return [str(CHAINER), "-m", "parity.chainer_worker"]


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
