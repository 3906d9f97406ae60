"""Tests of lit_restore.cli."""

import importlib
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from lit_restore import __version__, cli

HEAVY = {"PIL", "jsonargparse", "lightning", "numpy", "torch", "torchmetrics", "torchvision"}
TRAINERS = {"fit", "validate", "test", "predict"}
Replace = Callable[[Callable[[list[str]], int | None]], list[list[str]]]


@pytest.fixture
def replace(monkeypatch: pytest.MonkeyPatch) -> Replace:
    """Lets a function stand for every verb's, and lists the words that it gets."""

    def install(main: Callable[[list[str]], int | None]) -> list[list[str]]:
        calls: list[list[str]] = []
        module = ModuleType("stand_in")

        def noting(words: list[str]) -> int | None:
            calls.append(words)
            return main(words)

        module.main = noting  # type: ignore[attr-defined]
        monkeypatch.setattr(importlib, "import_module", lambda name: module)
        return calls

    return install


def _raises(error: BaseException) -> Callable[[list[str]], int]:
    def main(words: list[str]) -> int:
        raise error

    return main


def _command(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lit_restore", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_every_verb(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 0

    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.startswith("usage: lit-restore VERB ...\n")
    for name, verb in cli.VERBS.items():
        assert any(line.split() == [name, *verb.help.split()] for line in captured.out.splitlines())


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_version_is_the_packages(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([word]) == 0
    assert capsys.readouterr().out == f"lit-restore {__version__}\n"


@pytest.mark.parametrize(
    ("word", "near"), [("fti", "fit"), ("Restore", "restore"), ("pridict", "predict")]
)
def test_an_unknown_verb_is_answered_with_the_nearest(
    word: str, near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([word, "--config", "a.yaml"]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert f"there is no verb {word!r}. Did you mean {near!r}? The verbs are: fit," in captured.err


def test_nothing_is_guessed_where_nothing_is_near(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["xyzzy"]) == 2
    assert "no verb 'xyzzy'. The verbs are: " in capsys.readouterr().err


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_has_a_module_with_a_main(verb: str) -> None:
    assert callable(importlib.import_module(cli.VERBS[verb].module).main)


@pytest.mark.parametrize("verb", cli.VERBS)
def test_a_verb_gets_its_words_and_the_trainers_their_name_as_well(
    verb: str, replace: Replace
) -> None:
    calls = replace(lambda words: 0)

    assert cli.main([verb, "a", "--b", "c"]) == 0

    assert calls == [[verb, "a", "--b", "c"] if verb in TRAINERS else ["a", "--b", "c"]]


@pytest.mark.parametrize(("result", "code"), [(None, 0), (0, 0), (1, 1), (2, 2), (3, 3)])
def test_a_verbs_result_is_the_exit_code(result: int | None, code: int, replace: Replace) -> None:
    replace(lambda words: result)

    assert cli.main(["restore"]) == code


@pytest.mark.parametrize(
    ("stop", "code"),
    [
        (SystemExit(), 0),
        (SystemExit(2), 2),
        (SystemExit(143), 143),
        (SystemExit("why"), 1),
        (KeyboardInterrupt(), 130),
    ],
    ids=repr,
)
def test_a_stop_becomes_an_exit_code(stop: BaseException, code: int, replace: Replace) -> None:
    replace(_raises(stop))

    assert cli.main(["fit"]) == code


def test_a_bug_shows_its_trace(replace: Replace) -> None:
    replace(_raises(ZeroDivisionError("a bug")))

    with pytest.raises(ZeroDivisionError, match="a bug"):
        cli.main(["fit"])


def test_a_call_from_python_leaves_signals_alone(replace: Replace) -> None:
    before = signal.getsignal(signal.SIGTERM)
    replace(lambda words: 0)

    cli.main(["models"])

    assert signal.getsignal(signal.SIGTERM) is before


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, lit_restore.cli as c; c.main(['--help']); print(*sys.modules, sep='\\n')"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert "lit_restore.cli" in output.splitlines()
    assert HEAVY.isdisjoint(output.splitlines())


def test_the_module_is_the_command_and_its_code_is_the_process_status() -> None:
    helped, unknown = _command("--help"), _command("restor")

    assert (helped.returncode, unknown.returncode) == (0, 2)
    assert helped.stdout.startswith("usage: lit-restore VERB")
    assert "Did you mean 'restore'?" in unknown.stderr


def test_sigterm_ends_the_process_with_143(tmp_path: Path) -> None:
    waiting = tmp_path / "waiting.py"
    waiting.write_text(
        "import sys, time\n"
        "def main(words):\n"
        "    sys.stdout.write('ready\\n'); sys.stdout.flush(); time.sleep(60)\n"
    )
    code = (
        "import sys; from lit_restore import cli\n"
        f"sys.path.insert(0, {str(tmp_path)!r}); sys.argv = ['lit-restore', 'models']\n"
        "cli.VERBS['models'] = cli.Verb('waiting', ''); sys.exit(cli.main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
