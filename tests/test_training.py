"""Tests of lit_restore.training: whose errors are told in one line, and whose show their trace."""

import logging
from typing import Any, NoReturn

import pytest

from lit_restore import training
from lit_restore.data import Mosaic


def ours() -> NoReturn:
    Mosaic(block=0)
    raise AssertionError


def wrapped() -> NoReturn:
    """As the parser does with what a constructor refuses."""
    try:
        ours()
    except ValueError as error:
        raise ValueError("sixty lines\n" * 60) from error


def missing() -> NoReturn:
    open("/nowhere/at/all")  # noqa: SIM115
    raise AssertionError


def theirs() -> NoReturn:
    int("x")
    raise AssertionError


def theirs_wrapped() -> NoReturn:
    raise ValueError("something") from KeyError("never raised")


def run(monkeypatch: pytest.MonkeyPatch, action: Any) -> int:
    monkeypatch.setattr(training, "LightningCLI", lambda *_, **__: action())
    return training.main(["fit"])


@pytest.mark.parametrize(
    ("action", "line"),
    [(ours, "block must be at least 1 pixel, got 0"),
     (wrapped, "block must be at least 1 pixel, got 0"),
     (missing, "[Errno 2] No such file or directory: '/nowhere/at/all'")],
)  # fmt: skip
def test_what_the_user_gave_wrong_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], action: Any, line: str
) -> None:
    assert run(monkeypatch, action) == 2
    assert capsys.readouterr().err == f"lit-restore fit: {line}\n"


@pytest.mark.parametrize("action", [theirs, theirs_wrapped])
def test_a_defect_shows_its_trace(monkeypatch: pytest.MonkeyPatch, action: Any) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|something"):
        run(monkeypatch, action)


def test_advertisements_are_left_out_and_news_is_not(caplog: pytest.LogCaptureFixture) -> None:
    training.quieten()
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    with caplog.at_level(logging.INFO, logger=logger.name):
        logger.info("Tip: try installing litlogger")
        logger.info("GPU available: False")
    assert [record.getMessage() for record in caplog.records] == ["GPU available: False"]
