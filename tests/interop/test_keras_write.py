"""Tests of lit_restore.interop.keras_write: what it writes comes back, bit for bit."""

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from lit_restore.interop import KerasLayer, read_keras, write_keras

KINDS = {
    "Conv2D": {"kernel": 4, "bias": 1},
    "Conv2DTranspose": {"kernel": 4, "bias": 1},
    "DepthwiseConv2D": {"kernel": 4, "bias": 1},
    "SeparableConv2D": {"depthwise_kernel": 4, "pointwise_kernel": 4, "bias": 1},
    "Dense": {"kernel": 2, "bias": 1},
    "BatchNormalization": {"gamma": 1, "beta": 1, "moving_mean": 1, "moving_variance": 1},
    "LayerNormalization": {"gamma": 1, "beta": 1},
    "GroupNormalization": {"gamma": 1, "beta": 1},
    "PReLU": {"alpha": 3},
}
BITS = {"float16": "uint16", "float32": "uint32", "float64": "uint64"}


@st.composite
def layers(draw: st.DrawFn) -> list[KerasLayer]:
    """Some layers of every kind, in any order, of any bits: NaN payloads and -0.0 among them."""
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5))
    return [draw(layer(kind, f"{kind}_{index} é")) for index, kind in enumerate(kinds)]


@st.composite
def layer(draw: st.DrawFn, kind: str, name: str) -> KerasLayer:
    dtype = draw(st.sampled_from(sorted(BITS)))
    weights = {}
    for leaf, rank in KINDS[kind].items():
        shape = draw(arrays_of.array_shapes(min_dims=rank, max_dims=rank, max_side=3))
        weights[leaf] = draw(arrays_of.arrays(BITS[dtype], shape)).view(dtype)
    return KerasLayer(name, kind, None, weights)


def bits(found: Sequence[KerasLayer]) -> dict[str, dict[str, Any]]:
    return {
        one.name: {
            leaf: (value.dtype, value.shape, value.tobytes())
            for leaf, value in sorted(one.weights.items())
        }
        for one in found
    }


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(written=layers(), suffix=st.sampled_from([".weights.h5", ".h5"]))
def test_every_kind_of_layer_comes_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, written: list[KerasLayer], suffix: str
) -> None:
    path = tmp_path_factory.mktemp("written") / f"w{suffix}"

    write_keras(path, written)

    found = read_keras(path)
    assert bits(found.layers) == bits(written)
    if suffix == ".h5":
        assert [one.name for one in found.layers] == [one.name for one in written]


def sample(name: str, kind: str = "Dense", **weights: Any) -> KerasLayer:
    return KerasLayer(name, kind, None, weights or {"kernel": np.ones((2, 3), np.float32)})


def test_nested_models_come_back_with_their_layers(tmp_path: Path) -> None:
    norm = {leaf: np.float32([index]) for index, leaf in enumerate(KINDS["BatchNormalization"])}
    written = [
        sample("first"),
        sample("outer/norm", "BatchNormalization", **norm),
        sample("outer/deep/dense"),
        sample("outer/dense"),
        sample("seq/dense"),
    ]
    for suffix in (".weights.h5", ".h5"):
        path = tmp_path / f"w{suffix}"
        write_keras(path, written, models={"seq": "Sequential"})
        assert bits(read_keras(path).layers) == bits(written)

    with h5py.File(tmp_path / "w.h5") as file:
        names = file["outer"].attrs["weight_names"].tolist()
    assert [name.decode() for name in names] == [
        "norm/gamma:0",
        "norm/beta:0",
        "deep/dense/kernel:0",
        "dense/kernel:0",
        "norm/moving_mean:0",
        "norm/moving_variance:0",
    ]
    with h5py.File(tmp_path / "w.weights.h5") as file:
        assert set(file["layers"]) == {"dense", "functional", "sequential"}
        assert "layers/functional/layers/functional/layers/dense/vars/0" in file


def test_layers_without_arrays_count_among_their_class(tmp_path: Path) -> None:
    bare = KerasLayer("a", "LayerNormalization", None, {})
    full = sample("b", "LayerNormalization", gamma=np.ones(2), beta=np.ones(2))

    write_keras(tmp_path / "w.weights.h5", [bare, full])

    with h5py.File(tmp_path / "w.weights.h5") as file:
        assert list(file["layers/layer_normalization/vars"]) == []
        assert list(file["layers/layer_normalization_1/vars"]) == ["0", "1"]


def test_arrays_are_written_in_kerass_order_whatever_order_they_come_in(tmp_path: Path) -> None:
    backwards = {"bias": np.zeros(3), "kernel": np.ones((2, 3))}

    write_keras(tmp_path / "w.weights.h5", [sample("d", **backwards)])

    with h5py.File(tmp_path / "w.weights.h5") as file:
        assert file["layers/dense/vars/0"].shape == (2, 3)


def test_more_names_than_one_attribute_holds_come_back(tmp_path: Path) -> None:
    written = [sample(f"{'long' * 100}_{index}") for index in range(200)]

    write_keras(tmp_path / "w.h5", written)

    with h5py.File(tmp_path / "w.h5") as file:
        assert {"layer_names0", "layer_names1"} < set(file.attrs)
    assert [one.name for one in read_keras(tmp_path / "w.h5").layers] == [
        one.name for one in written
    ]


@pytest.mark.parametrize(
    ("name", "written", "message"),
    [
        ("w.npz", [], "written as .weights.h5 or .h5, got w.npz"),
        ("w.h5", [sample("a"), sample("a")], "'a' is there twice"),
        ("w.h5", [sample("a"), sample("a/b")], "must not share the name 'a'"),
        ("w.h5", [sample("")], "must be a text, or several joined by /, got ''"),
        ("w.h5", [sample("../a")], "must be a text"),
        ("w.h5", [sample("a", text=np.array(["b"]))], "a text: expected plain numbers"),
        ("w.h5", [sample("a", gamma=np.ones(2))], "a Dense has kernel, bias; got gamma"),
        (
            "w.weights.h5",
            [KerasLayer("a", None, None, {"kernel": np.ones(1)})],
            "a: .weights.h5 files need to know every layer's class",
        ),
    ],
)
def test_what_keras_could_not_read_is_not_written(
    tmp_path: Path, name: str, written: list[KerasLayer], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write_keras(tmp_path / name, written)
    assert list(tmp_path.iterdir()) == []


LIVE = """
import sys, keras, numpy as np
from keras import layers as L
folder = sys.argv[1]
inner = keras.Sequential([keras.Input((4, 4, 5)), L.Conv2D(4, 1), L.BatchNormalization()], name="s")
start = keras.Input((6, 6, 3))
x = L.Conv2D(5, 3, name="conv")(start)
x = inner(x)
x = L.LayerNormalization(center=False, scale=False)(x)
x = L.PReLU(shared_axes=[1, 2])(L.SeparableConv2D(6, 3, padding="same")(x))
x = L.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(L.LayerNormalization()(x))
model = keras.Model(start, L.Dense(2)(L.Conv2DTranspose(3, 2)(L.GroupNormalization(2)(x))))
draw = np.random.default_rng(0)
if sys.argv[2] == "save":
    for one in model.weights:
        one.assign(draw.standard_normal(one.shape))
    model.save(f"{folder}/live.keras"); model.save(f"{folder}/live.h5")
    model.save_weights(f"{folder}/live.weights.h5")
else:
    for name in ("again.weights.h5", "again.h5"):
        for one in model.weights:
            one.assign(one * 0 + 7)
        model.load_weights(f"{folder}/{name}")
        draw = np.random.default_rng(0)
        for one in model.weights:
            expected = draw.standard_normal(one.shape).astype("float32")
            assert (one.numpy() == expected).all(), (name, one.path)
print("done")
"""


def run_keras(folder: Path, what: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIVE, str(folder), what], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip().endswith("done"), done.stderr[-2000:]


@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed"
)
def test_keras_3_files_are_read_and_what_is_written_keras_3_reads(tmp_path: Path) -> None:
    run_keras(tmp_path, "save")

    whole = read_keras(tmp_path / "live.keras")
    config = whole.config
    for name in ("live.h5", "live.weights.h5"):
        other = read_keras(tmp_path / name, config=config)
        assert bits([one for one in other.layers if one.weights]) == bits(
            [one for one in whole.layers if one.weights]
        )
    write_keras(tmp_path / "again.weights.h5", whole.layers, models={"s": "Sequential"})
    write_keras(tmp_path / "again.h5", whole.layers)

    run_keras(tmp_path, "load")
