"""Trainer's verbs as processes of their own, which can all be asked to stop."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

STOPPED = 143  # what a training returns that was asked to stop, its last step saved


class Start(Protocol):
    """Runs ``lit-restore`` with the given words, and returns its status."""

    def __call__(self, words: Sequence[str], log: Path) -> int:
        """Run a verb to its end; what it says is added to the file ``log``."""

    def stop(self) -> None:
        """Ask whatever runs to end, and start no more."""


class Processes:
    """Starts ``lit-restore`` and waits for it; several threads may do so at once.

    Args:
        jobs: How many run at once; they share the cores, unless ``OMP_NUM_THREADS`` says how many
            threads each is to have.
    """

    def __init__(self, jobs: int) -> None:
        threads = str(max(_cores() // jobs, 1))
        self.environment = {"OMP_NUM_THREADS": threads, **os.environ, "PYTHONUNBUFFERED": "1"}
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False
        self._lock = threading.Lock()

    def __call__(self, words: Sequence[str], log: Path) -> int:
        """Run one process to its end."""
        with log.open("ab") as file:
            with self._lock:
                if self._stopped:
                    return STOPPED
                process = subprocess.Popen(
                    [sys.executable, "-m", "lit_restore", *words],
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    env=self.environment,
                )
                self._running.add(process)
            status = process.wait()
        with self._lock:
            self._running.discard(process)
        return status

    def stop(self) -> None:
        """Ask all processes to save their step and end, and start no more."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.terminate()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
