"""Tests of parity.readme."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import parity.__main__ as command
from parity.cases import CASES
from parity.judge import Result
from parity.mutate import Kill
from parity.readme import BEGIN, END, README, figures, put


def block() -> str:
    return README.read_text().partition(BEGIN)[2].partition(END)[0]


def test_the_readme_counts_the_cases_and_the_wrong_variants_that_there_are() -> None:
    variants = sum(len(case.wrong) * (1 if case.gates32 else len(case.dtypes)) for case in CASES)
    mutants = sum(len(case.mutants()) - len(case.equivalent) for case in CASES)
    comparisons = sum(len(case.dtypes) for case in CASES)
    text = " ".join(block().split())
    assert f"{len(CASES)} cases, {comparisons}/{comparisons} comparisons agree" in text
    assert f"{variants}/{variants} wrong variants" in text
    assert f"{mutants}/{mutants} mutants" in text
    for level in {case.level for case in CASES}:
        count = sum(case.level == level for case in CASES)
        assert re.search(rf"^\| {level} \| {count} \|", block(), re.MULTILINE)


def test_figures_tell_levels_and_sums() -> None:
    case = next(case for case in CASES if case.name == "loss/absolute")
    results = [Result(case.name, dtype, {"output": 3e-16}, bound=1e-6) for dtype in case.dtypes]
    kills = [
        Kill(case.name, "variant", "a", "float64", True),
        Kill(case.name, "variant", "b", "float64", False),
        Kill(case.name, "bias", "c", "float64", False, reason="none"),
    ]
    text = figures([case], results, kills)
    assert "| loss | 1 | 3e-16 | 1/2 |" in text
    assert "1 cases, 2/2 comparisons agree" in text
    assert "(1 more are equivalent)" in text


def test_the_command_ends_with_1_if_a_mutant_survives(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    case = next(case for case in CASES if case.name == "loss/absolute")
    page = tmp_path / "README.md"
    page.write_text(BEGIN + END)
    monkeypatch.setattr(command, "README", page)
    monkeypatch.setattr(command, "CASES", (case,))
    assert command.main(["readme"]) == 0
    survivor = replace(case, mutants=lambda: {"bias nothing wrong": case.ours})
    monkeypatch.setattr(command, "CASES", (survivor,))
    assert command.main(["readme"]) == 1
    assert "0/1 mutants of networks" in page.read_text()


def test_only_what_is_between_the_marks_changes() -> None:
    page = f"before\n{BEGIN}old\n{END}after\n"
    assert put(page, "new\n") == f"before\n{BEGIN}new\n{END}after\n"
    assert put(put(page, "x\n"), "new\n") == put(page, "new\n")
    with pytest.raises(ValueError, match="expected the lines"):
        put("no marks", "new\n")
