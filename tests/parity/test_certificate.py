"""Tests of parity.certificate and parity.page."""

import json
import math
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch

import parity.__main__ as command
from parity.arrays import Draw
from parity.case import Case
from parity.certificate import certify, environment, exercised, to_json
from parity.judge import Result
from parity.page import to_html

RIGHT = Result("layer/x/k3", "float64", {"output": 1e-16, "d x": 3e-16}, bound=1e-15)
ROUGH = Result("layer/x/k3", "float32", {"output": 2e-8, "d x": 1e-8}, bound=1e-7)
NOTICED = Result("layer/x/k3", "float64", {"output": 0.5}, bound=1e-15, variant="<wrong> & bad")
OTHER_SHAPE = Result("layer/x/k3", "float64", {"output": math.inf}, bound=1e-15, variant="larger")
DIFFERS = Result("layer/x/k3", "float64", {"a": 1e-17, "b": 0.25, "c": 0.5}, bound=1e-15)


def case(name: str = "layer/x/k3", **options: object) -> Case:
    inputs = {"image": Draw((2, 5, 7, 3)), "kernel": Draw((3, 3, 3, 4))}
    return Case(name, inputs, dict, "layers.x", {}, **options)  # type: ignore[arg-type]


def test_a_certificate_tells_where_and_with_what() -> None:
    certificate = certify([case()], [RIGHT, ROUGH, NOTICED])
    found = certificate["environment"]
    assert found == environment()
    assert found["torch"].startswith(torch.__version__.partition("+")[0])
    assert all(found[name] for name in ("python", "cpu", "threads", "numpy", "lit-restore"))
    assert certificate["reference_versions"]["layer"]["keras"]
    assert certificate["passed"] is True
    assert certificate["summary"] == [
        "2 of 2 comparisons agree",
        "1 of 1 wrong variants are noticed",
    ]


def test_the_worst_float64_error_leaves_out_what_keras_computes_in_float32() -> None:
    single = Result("metric/y", "float64", {"output": 1e-7}, bound=1e-6)
    cases = [case(), case("metric/y", precision="float32", accepted="its type")]
    certificate = certify(cases, [RIGHT, single, NOTICED])
    assert certificate["worst_float64"] == 3e-16
    assert certificate["accepted"] == {"metric/y": "its type"}


def test_the_first_diverging_array_is_named_and_another_shape_is_null() -> None:
    content = json.loads(to_json(certify([case()], [DIFFERS, OTHER_SHAPE], {"keras": "4.0"})))
    assert content["passed"] is False
    assert content["reference"] == "live"
    assert content["reference_versions"] == {"layer": {"keras": "4.0"}}
    bad, larger = content["results"]
    assert (bad["first_diverging"], bad["worst"]) == ("b", 0.25)
    assert larger["errors"] == {"output": None}


def test_exercised_attributes_are_gathered_by_group() -> None:
    cases = [
        case("layer/x/a", settings={"stride": 2, "padding": "same"}),
        case("layer/x/b", settings={"stride": 1, "widths": [3, 4]}, precision="exact"),
    ]
    assert exercised(cases) == {
        "layer/x": {
            "stride": [1, 2],
            "padding": ["same"],
            "widths": ["[3, 4]"],
            "kernel_size": [3],
            "image_size": ["5x7"],
            "type": ["float32", "float64", "uint8"],
        }
    }


def test_chainer_s_arrays_are_read_in_its_own_layout() -> None:
    inputs = {"image": Draw((2, 3, 5, 7)), "weight": Draw((4, 3, 9, 9))}
    chainer = replace(case(), inputs=inputs, framework="chainer")
    found = exercised([chainer])["layer/x"]
    assert (found["kernel_size"], found["image_size"]) == ([9], ["5x7"])


class Page(HTMLParser):
    """Reads a page; fails on tags that are not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attributes if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_is_whole_says_all_and_needs_nothing_else() -> None:
    results = [RIGHT, ROUGH, NOTICED, OTHER_SHAPE]
    page = Page(to_html(certify([case(accepted="since <so>")], results)))
    assert page.open == []
    assert page.links == []
    assert "script" not in page.tags
    text = "\n".join(page.words)
    for said in ("agrees", "x/k3: <wrong> & bad", "infinite", "3.0e-16", "since <so>"):
        assert said in text
    assert "DIFFERS" not in text


def test_the_page_shows_what_differs_and_where() -> None:
    text = "\n".join(Page(to_html(certify([case()], [DIFFERS], {"keras": "4.0"}))).words)
    assert "DIFFERS" in text
    assert "live Keras" in text
    assert "b" in text.split("\n")


def test_the_command_writes_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, data = tmp_path / "parity.html", tmp_path / "parity.json"
    assert command.main(["loss/absolute", "--html", str(page), "--json", str(data)]) == 0
    assert Page(page.read_text()).open == []
    assert json.loads(data.read_text())["passed"] is True
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parity.html", "parity.json"]


def test_a_certificate_that_cannot_be_written_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["loss/absolute", "--json", str(tmp_path / "nowhere" / "c.json")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
