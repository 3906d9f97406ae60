"""Tests of what Chainer is a reference for, and of its worker."""

import dataclasses
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import parity.__main__ as command
from parity import live, stored
from parity.cases import CASES
from parity.judge import bound, distances, judge
from parity.live import ChainerWorker, ReferenceMissingError
from parity.wire import receive, send

OURS = {case.name: case for case in CASES if case.framework == "chainer"}
CONV = OURS["layer/chainer_conv/k3_s2_d1_8x10"]
CONSTRAINTS = Path(live.__file__).with_name("chainer-constraints.txt")
needs_chainer = pytest.mark.skipif(
    not live.CHAINER.is_file(), reason="Chainer has no environment: make parity-chainer"
)


@pytest.fixture(scope="module")
def chainer() -> Iterator[ChainerWorker]:
    with ChainerWorker() as worker:
        yield worker


def test_chainer_is_the_reference_of_every_level_that_segmentation_has() -> None:
    assert {case.level for case in OURS.values()} == {"layer", "loss", "model", "optimizer"}
    kinds = {name.split("/")[1] for name in OURS}
    assert all(kind.startswith("chainer_") for kind in kinds)
    for layer in ("conv", "deconv", "batch_norm", "max_pool", "average_pool", "resize"):
        assert f"chainer_{layer}" in kinds


def test_what_chainer_computed_is_stored_with_its_versions() -> None:
    for level in ("layer", "loss", "model", "optimizer"):
        assert stored.versions(f"chainer-{level}") == {"chainer": "7.8.1", "numpy": "1.23.5"}


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("layer/chainer_conv/k3_s2_d1_8x10", "TensorFlow's SAME"),
        ("layer/chainer_max_pool/k2_s2_7x9", "no window sticks out"),
        ("layer/chainer_average_pool/k3_s1_8x11", "TensorFlow's SAME"),
        ("layer/chainer_resize/13x16", "half pixels"),
        ("layer/chainer_batch_norm/train", "biased running variance"),
        ("loss/chainer_softmax_cross_entropy", "mean over all pixels"),
    ],
)
def test_each_trap_of_chainer_is_a_wrong_variant(name: str, variant: str) -> None:
    assert variant in OURS[name].wrong


def test_the_constraints_are_versions_only() -> None:
    lines = CONSTRAINTS.read_text().splitlines()
    assert {"chainer==7.8.1", "numpy==1.23.5"} < set(lines)
    assert all(re.fullmatch(r"[\w-]+==[\d.]+", line) for line in lines)
    (tools,) = (line for line in lines if line.startswith("setuptools=="))
    assert int(tools.split("==")[1].split(".")[0]) < 70


def test_a_missing_environment_ends_with_3_and_says_what_to_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live, "CHAINER", tmp_path / ".venv-chainer" / "bin" / "python")
    assert command.main(["golden", "--framework", "chainer", "--check"]) == 3
    assert "make parity-chainer" in capsys.readouterr().err


def test_a_process_that_dies_is_reported_as_chainers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho no memory left >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(live, "CHAINER", python)
    with (
        pytest.raises(ReferenceMissingError, match=r"Chainer.* has died:\nno mem"),
        ChainerWorker(),
    ):
        pass


def test_what_the_worker_shares_with_us_imports_neither_torch_nor_chainer() -> None:
    code = (
        "import sys, parity.arrays, parity.wire, parity.serving;"
        "sys.exit(bool({'torch', 'chainer'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_worker_greets_answers_and_tells_an_error() -> None:
    code = (
        "from parity.serving import serve\n"
        "def compute(request, arrays):\n"
        "    print('not an answer')\n"
        "    return {'x': arrays['x'] * request['factor']}\n"
        "serve({'name': 'test'}, compute)\n"
    )
    requests = io.BytesIO()
    send(requests, {"reference": "layers.x", "factor": 2}, {"x": np.array([0.5])})
    send(requests, {"reference": "layers.x", "factor": 2})
    run = subprocess.run(
        [sys.executable, "-c", code], input=requests.getvalue(), check=True, capture_output=True
    )
    answers = io.BytesIO(run.stdout)
    assert receive(answers) == ({"name": "test"}, {})
    assert receive(answers)[1]["x"].tolist() == [1.0]
    assert receive(answers)[0] == {"error": "layers.x: KeyError: 'x'"}
    assert run.stderr.strip().splitlines() == [b"not an answer"] * 2


@needs_chainer
@pytest.mark.parametrize("name", OURS)
def test_chainer_itself_agrees_with_us_and_with_what_is_stored(
    name: str, chainer: ChainerWorker
) -> None:
    case = OURS[name]
    reference = chainer.reference(case)
    assert all(one.passed for one in judge(case, reference))
    change = distances(case, reference.arrays, stored.read(case))
    assert max(change.values()) <= bound(case, case.dtypes[0])


@needs_chainer
def test_a_reference_that_fails_is_named_and_the_next_one_works(chainer: ChainerWorker) -> None:
    missing = dataclasses.replace(CONV, reference="layers.nothing")
    with pytest.raises(ValueError, match=r"layers\.nothing: AttributeError"):
        chainer.compute(missing, "float64")
    assert chainer.compute(CONV, "float32")["output"].dtype == np.float32
