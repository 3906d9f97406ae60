"""Tests of lit_restore.interop.keras_process: what Keras is never given, and what it answers."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lit_restore.interop import keras_process
from lit_restore.interop.keras_process import NotComparedError, run_keras

HAS_KERAS = importlib.util.find_spec("tensorflow") is not None


def config(layer: dict[str, Any]) -> dict[str, Any]:
    start = {"class_name": "InputLayer", "config": {"name": "i", "batch_shape": [None, 2]}}
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [start, layer]}}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Pretend that Keras is installed, and list what would have been started."""
    folders: list[Path] = []
    monkeypatch.setattr(keras_process, "_start", folders.append)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    return folders


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ({"class_name": "Lambda", "config": {}}, "may run code: Lambda"),
        ({"class_name": "Dense", "config": {"activation": {"class_name": "__lambda__"}}}, "__lam"),
        ({"class_name": "system", "module": "os", "config": {}}, "module 'os'"),
        ({"class_name": "Dense", "config": {"a": [{"module": "keras_.x"}]}}, "module 'keras_.x'"),
    ],
)
def test_keras_is_never_given_what_holds_code(
    tmp_path: Path, started: list[Path], layer: dict[str, Any], message: str
) -> None:
    with pytest.raises(NotComparedError, match=message):
        run_keras(tmp_path / "m.h5", config(layer), [], whole=True)
    assert started == []


def test_without_keras_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(NotComparedError, match=r"tensorflow is not installed: pip install 'lit-"):
        run_keras(tmp_path / "m.h5", config({"class_name": "ReLU", "config": {}}), [], whole=True)


@pytest.mark.skipif(not HAS_KERAS, reason="TensorFlow is not installed")
def test_what_keras_refuses_is_said_in_one_line(tmp_path: Path) -> None:
    layer = {"class_name": "Unheard", "config": {"name": "u"}, "module": "keras.layers"}
    samples = [[np.ones((1, 2), np.float32)]]

    with pytest.raises(
        NotComparedError, match=r"Keras does not run this file: .*Unheard"
    ) as caught:
        run_keras(tmp_path / "w.weights.h5", config(layer), samples, whole=False)
    assert "\n" not in str(caught.value)
