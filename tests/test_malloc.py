"""Tests of lit_restore.malloc; each setting is made in a process of its own."""

import os
import subprocess
import sys

import pytest

from lit_restore import malloc

GLIBC = malloc._is_glibc()
# Blocks of 8 MiB are freed and taken again; a page that the process never saw costs a fault.
FAULTS = """
import resource, sys
from lit_restore.malloc import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
for step in range(30):
    if step == 5:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [bytes(8 * 2**20) + b"x" for _ in range(3)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def run(code: str, *arguments: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.mark.skipif(not GLIBC, reason="the setting is glibc's")
def test_freed_memory_is_not_taken_from_the_kernel_again() -> None:
    kept, plain = int(run(FAULTS, "keep")), int(run(FAULTS, "plain"))

    assert kept * 10 < plain


CALL = "from lit_restore.malloc import keep_freed_memory; print(keep_freed_memory())"


@pytest.mark.skipif(not GLIBC, reason="the setting is glibc's")
def test_it_says_that_it_was_made() -> None:
    assert run(CALL, LIT_RESTORE_MALLOC="1") == "True"


def test_the_environment_can_refuse_it() -> None:
    assert run(CALL, LIT_RESTORE_MALLOC="0") == "False"


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)

    assert malloc.keep_freed_memory() is False


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> str:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "confstr", unknown)

    assert malloc.keep_freed_memory() is False


def test_importing_the_library_makes_no_setting() -> None:
    code = "import sys, lit_restore, lit_restore.nn, lit_restore.models; print(*sys.modules)"

    assert "lit_restore.malloc" not in run(code).split()
