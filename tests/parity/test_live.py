"""Tests of parity.live, parity.worker and parity.wire."""

import dataclasses
import importlib.util
import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

import parity.__main__ as command
from parity import live, stored
from parity.case import Case
from parity.cases import CASES
from parity.judge import bound, distances, judge
from parity.live import KerasWorker, ReferenceMissingError, ReferenceRefusedError
from parity.wire import receive, send

BY_NAME = {case.name: case for case in CASES}
needs_keras = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed"
)


@pytest.fixture(scope="module")
def keras() -> Iterator[KerasWorker]:
    with KerasWorker() as worker:
        yield worker


def test_a_message_arrives_as_it_was_sent() -> None:
    stream = io.BytesIO()
    arrays = {"message": np.arange(6, dtype=np.uint8).reshape(2, 3), "x": np.array([0.1])}
    send(stream, {"reference": "layers.conv", "settings": {"stride": 2}}, arrays)
    send(stream, {})
    stream.seek(0)
    message, received = receive(stream)
    assert message == {"reference": "layers.conv", "settings": {"stride": 2}}
    assert {name: array.tolist() for name, array in received.items()} == {
        "message": [[0, 1, 2], [3, 4, 5]],
        "x": [0.1],
    }
    assert received["message"].dtype == np.uint8
    assert receive(stream) == ({}, {})


@pytest.mark.parametrize("kept", [0, 5, 100])
def test_a_stream_that_ends_early_is_an_error(kept: int) -> None:
    stream = io.BytesIO()
    send(stream, {})
    with pytest.raises(EOFError, match="got the end of the stream"):
        receive(io.BytesIO(stream.getvalue()[:kept]))


@pytest.mark.parametrize("args", [["--ref", "live", "loss"], ["golden"], ["golden", "--check"]])
def test_keras_on_the_torch_backend_is_refused_with_2(
    args: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert command.main(args) == 2
    assert "got KERAS_BACKEND=torch" in capsys.readouterr().err


def test_a_missing_tensorflow_ends_with_3_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live, "_is_installed", lambda name: False)
    assert command.main(["--ref", "live", "loss"]) == 3
    assert "pip install 'lit-restore[parity]'" in capsys.readouterr().err


def test_a_process_that_dies_is_reported_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho no memory left >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(live, "_is_installed", lambda name: True)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(ReferenceMissingError, match=r"has died:\nno memory left"), KerasWorker():
        pass


def test_only_tensorflow_is_a_reference() -> None:
    live.check_backend("tensorflow")
    with pytest.raises(ReferenceRefusedError, match="must run on tensorflow"):
        live.check_backend("jax")


def test_what_the_worker_shares_with_us_imports_no_torch() -> None:
    code = "import sys, parity.arrays, parity.wire; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@needs_keras
@pytest.mark.parametrize(
    "name",
    [
        "layer/conv/k3_s2_8x11",
        "layer/conv_transpose/k2_s3_5x6",
        "layer/upsample_concat_conv/k3_x2",
        "block/conv_bn_relu/train_d1",
        "metric/ssim",
        "picture/unit_range",
    ],
)
def test_keras_itself_agrees_with_us_and_with_what_is_stored(name: str, keras: KerasWorker) -> None:
    case = BY_NAME[name]
    reference = keras.reference(case)
    assert all(one.passed for one in judge(case, reference))
    change = distances(case, reference.arrays, stored.read(case))
    assert max(change.values()) <= bound(case, case.dtypes[0])


@needs_keras
@pytest.mark.parametrize(
    ("reference", "said"), [("layers.nothing", "AttributeError"), ("blocks.conv_bn_relu", "Error")]
)
def test_a_reference_that_fails_is_named_and_the_next_one_works(
    reference: str, said: str, keras: KerasWorker
) -> None:
    right: Case = BY_NAME["layer/conv/k3_s2_8x11"]
    with pytest.raises(ValueError, match=f"{reference}: .*{said}"):
        keras.compute(dataclasses.replace(right, reference=reference), "float64")
    assert keras.compute(right, "float32")["output"].dtype == np.float32


@needs_keras
def test_the_live_command_agrees(
    keras: KerasWorker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "KerasWorker", lambda: nullcontext(keras))
    assert command.main(["--ref", "live", "loss/absolute"]) == 0
    assert "2 of 2 comparisons agree" in capsys.readouterr().out
