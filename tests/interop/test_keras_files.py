"""Tests of lit_restore.interop.keras_files on a file of every format.

Those of Keras 2 and 3 are as the real ones are; whole models of Keras 1 exist here only as written
by these tests, after what that version of Keras documents.
"""

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lit_restore.interop import KerasFile, KerasFileError, read_keras

Arrays = dict[str, np.ndarray[Any, Any]]
RANDOM = np.random.default_rng(0)


def array(*shape: int) -> np.ndarray[Any, Any]:
    return RANDOM.standard_normal(shape).astype(np.float32)


def layer(class_name: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "name": name, "config": {"name": name, **config}}


def model(*layers: dict[str, Any], name: str = "model", kind: str = "Functional") -> dict[str, Any]:
    return {"class_name": kind, "name": name, "config": {"name": name, "layers": list(layers)}}


def write_groups(group: h5py.Group, layers: Mapping[str, Arrays], **attributes: str) -> None:
    """Write layers as Keras 1 and 2 do; the arrays' names are whole."""
    group.attrs["layer_names"] = np.array([name.encode() for name in layers])
    group.attrs.update(attributes)
    for name, arrays in layers.items():
        one = group.create_group(name)
        one.attrs["weight_names"] = np.array([key.encode() for key in arrays], dtype="S60")
        for key, value in arrays.items():
            one.create_dataset(key, data=value)


def write_variables(group: h5py.Group, arrays: Sequence[Any], name: str | None = None) -> None:
    variables = group.create_group("vars")
    if name is not None:
        variables.attrs["name"] = name
    for index, value in enumerate(arrays):
        variables.create_dataset(str(index), data=value)


def shapes(file: KerasFile) -> dict[str, dict[str, tuple[int, ...]]]:
    return {
        one.name: {leaf: value.shape for leaf, value in one.weights.items()}
        for one in file.layers
        if one.weights
    }


def norm(name: str, size: int, suffix: str = ":0") -> Arrays:
    leaves = ("gamma", "beta", "moving_mean", "moving_variance")
    return {f"{name}/{leaf}{suffix}": array(size) for leaf in leaves}


def test_a_weights_file_of_keras_2_gives_its_layers_in_order(tmp_path: Path) -> None:
    kernel = array(3, 3, 2, 5)
    layers = {
        "input_1": {},
        "z_conv": {"z_conv/kernel:0": kernel, "z_conv/bias:0": array(5)},
        "bn": norm("bn", 5),
    }
    with h5py.File(tmp_path / "w.h5", "w") as file:
        write_groups(file, layers, keras_version="2.2.2", backend="tensorflow")

    found = read_keras(tmp_path / "w.h5")

    assert [one.name for one in found.layers] == ["input_1", "z_conv", "bn"]
    assert list(found.layers[2].weights) == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert found.layers[1].weights["kernel"].tobytes() == kernel.tobytes()
    assert (found.config, found.keras_version, found.backend) == (None, "2.2.2", "tensorflow")
    assert (found.kernel_order, found.rotated) == ("hwio", False)
    assert found.layers[1].class_name is None


def test_a_whole_model_of_keras_2_gives_classes_and_arguments(tmp_path: Path) -> None:
    config = model(layer("InputLayer", "in"), layer("Conv2D", "conv", filters=4))
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        arrays = {"conv/kernel:0": array(3, 3, 3, 4), "conv/bias:0": array(4)}
        write_groups(file.create_group("model_weights"), {"in": {}, "conv": arrays})
        write_groups(file.create_group("optimizer_weights"), {"Adam": {"Adam/iter:0": array(1)}})

    found = read_keras(tmp_path / "m.h5")

    assert found.config == config
    assert [one.class_name for one in found.layers] == ["InputLayer", "Conv2D"]
    assert found.layers[1].config == {"name": "conv", "filters": 4}
    assert shapes(found) == {"conv": {"kernel": (3, 3, 3, 4), "bias": (4,)}}


def test_names_of_layers_cut_into_pieces_are_joined(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        write_groups(file, {name: {f"{name}/bias:0": array(2)} for name in "abc"})
        del file.attrs["layer_names"]
        file.attrs["layer_names0"] = np.array([b"c"])
        file.attrs["layer_names1"] = np.array([b"a", b"b"])

    assert list(shapes(read_keras(tmp_path / "w.h5"))) == ["c", "a", "b"]


def test_keras_1_names_are_those_of_keras_2_in_the_result(tmp_path: Path) -> None:
    size = 6
    stats = ("gamma", "beta", "running_mean", "running_std")
    layers = {
        "conv_1": {"conv_1_W:0": array(3, 3, 2, size), "conv_1_b:0": array(size)},
        "bn": {f"bn_{leaf}": array(size) for leaf in stats},
        "prelu_1": {"prelu_1_alphas": array(size)},
    }  # fmt: skip
    with h5py.File(tmp_path / "w.h5", "w") as file:
        write_groups(file, layers)

    found = read_keras(tmp_path / "w.h5")

    assert [list(one.weights) for one in found.layers] == [
        ["kernel", "bias"],
        ["gamma", "beta", "moving_mean", "moving_variance"],
        ["alpha"],
    ]
    assert (found.layers[1].weights["moving_variance"] == layers["bn"]["bn_running_std"]).all()


def test_the_first_keras_only_numbered_its_layers_and_arrays(tmp_path: Path) -> None:
    kernel = array(4, 3, 5, 5)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["nb_layers"] = 2
        for index, arrays in enumerate([[], [kernel, array(4)]]):
            group = file.create_group(f"layer_{index}")
            group.attrs["nb_params"] = len(arrays)
            for number, value in enumerate(arrays):
                group.create_dataset(f"param_{number}", data=value)

    found = read_keras(tmp_path / "w.h5")

    assert shapes(found) == {"layer_1": {"kernel": (5, 5, 3, 4), "bias": (4,)}}
    assert (found.kernel_order, found.rotated) == ("oihw", True)


def test_a_whole_sequential_of_keras_1_tells_its_order(tmp_path: Path) -> None:
    config = {
        "class_name": "Sequential",
        "config": [layer("Convolution2D", "c", dim_ordering="th", nb_filter=3)],
    }
    kernel = array(3, 3, 3, 3)  # its shape tells nothing
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["keras_version"] = b"1.2.2"
        arrays = {"c_W": kernel, "c_b": array(3)}
        write_groups(file.create_group("model_weights"), {"c": arrays})

    found = read_keras(tmp_path / "m.h5")

    expected = kernel[:, :, ::-1, ::-1].transpose(2, 3, 1, 0)
    assert (found.layers[0].weights["kernel"] == expected).all()
    assert found.layers[0].class_name == "Convolution2D"
    assert found.keras_version == "1.2.2"


@pytest.mark.parametrize("counted", [True, False])
def test_weights_of_keras_3_are_named_by_class_and_attribute(tmp_path: Path, counted: bool) -> None:
    with h5py.File(tmp_path / "a.weights.h5", "w") as file:
        for group, own, arrays in [
            ("batch_normalization", "norm", [array(5) for _ in range(4)]),
            ("conv2d", "first", [array(3, 3, 2, 5), array(5)]),
            ("conv2d_10", "last", [array(1, 1, 5, 3)]),
            ("conv2d_2", "middle", [array(1, 1, 5, 5), array(5)]),
            ("my_layer", "own", [array(7), array(8)]),
        ]:
            below = file.create_group(f"layers/{group}")
            write_variables(below, arrays, None if counted else own)
        write_variables(file.create_group("layers/dropout/seed_generator"), [array(2)])
        write_variables(file.create_group("optimizer"), [array(1)])

    found = read_keras(tmp_path / "a.weights.h5")

    names = (
        ["batch_normalization", "conv2d", "conv2d_2", "conv2d_10", "my_layer"]
        if counted
        else ["norm", "first", "middle", "last", "own"]
    )
    assert list(shapes(found)) == names
    assert [list(one.weights) for one in found.layers] == [
        ["gamma", "beta", "moving_mean", "moving_variance"],
        ["kernel", "bias"],
        ["kernel", "bias"],
        ["kernel"],
        ["0", "1"],
    ]
    assert found.layers[1].class_name == "Conv2D"


def test_arrays_of_keras_3_that_only_the_configuration_can_name_need_it(tmp_path: Path) -> None:
    config = model(layer("BatchNormalization", "bn", scale=False, center=True))
    with h5py.File(tmp_path / "a.weights.h5", "w") as file:
        arrays = [array(4) for _ in range(3)]
        write_variables(file.create_group("layers/batch_normalization"), arrays, "bn")

    with pytest.raises(KerasFileError, match=r"'bn' .* numbers its 3 arrays; expected the config"):
        read_keras(tmp_path / "a.weights.h5")
    found = read_keras(tmp_path / "a.weights.h5", config=config)

    assert list(found.layers[0].weights) == ["beta", "moving_mean", "moving_variance"]
    assert (found.layers[0].weights["beta"] == arrays[0]).all()
    assert found.config == config


def test_a_keras_archive_gives_layers_in_the_order_of_its_configuration(tmp_path: Path) -> None:
    inner = model(layer("Conv2D", "conv"), name="inner")
    config = model(layer("Dense", "b"), layer("Conv2D", "z"), inner, layer("Dense", "a"))
    content = BytesIO()
    with h5py.File(content, "w") as file:
        write_variables(file.create_group("layers/dense_1"), [array(4, 2), array(2)])
        write_variables(file.create_group("layers/dense"), [array(3, 4), array(4)])
        write_variables(file.create_group("layers/conv2d"), [array(1, 1, 2, 4), array(4)])
        write_variables(
            file.create_group("layers/functional/layers/conv2d"), [array(2, 2, 4, 4), array(4)]
        )
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", content.getvalue())

    found = read_keras(tmp_path / "m.keras")

    assert shapes(found) == {
        "b": {"kernel": (3, 4), "bias": (4,)},
        "z": {"kernel": (1, 1, 2, 4), "bias": (4,)},
        "inner/conv": {"kernel": (2, 2, 4, 4), "bias": (4,)},
        "a": {"kernel": (4, 2), "bias": (2,)},
    }
    assert list(shapes(found)) == ["b", "z", "inner/conv", "a"]
    assert found.keras_version == "3.15.1"


def nested() -> dict[str, Any]:
    """A model in a model in a model, each with a layer called as in no other."""
    deep = model(layer("Conv2D", "c2"), layer("BatchNormalization", "b2"), name="deep")
    outer = model(
        layer("Conv2D", "c1"),
        layer("BatchNormalization", "b1", trainable=False),
        deep,
        layer("ReLU", "r"),
        name="outer",
    )
    return model(layer("InputLayer", "in"), outer)


@pytest.mark.parametrize("prefix", ["", "outer/", "scope/outer/"])
def test_a_nested_models_arrays_go_to_its_layers_by_name(tmp_path: Path, prefix: str) -> None:
    arrays = {
        f"{prefix}c2/kernel:0": array(1, 1, 2, 3),
        f"{prefix}c1/kernel:0": array(3, 3, 2, 2),
        **norm(f"{prefix}b2", 3),
        **norm(f"{prefix}b1", 2),
    }
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(nested())
        write_groups(file.create_group("model_weights"), {"in": {}, "outer": arrays})

    found = read_keras(tmp_path / "m.h5")

    stats = ("gamma", "beta", "moving_mean", "moving_variance")
    assert shapes(found) == {
        "outer/c1": {"kernel": (3, 3, 2, 2)},
        "outer/b1": {leaf: (2,) for leaf in stats},
        "outer/deep/c2": {"kernel": (1, 1, 2, 3)},
        "outer/deep/b2": {leaf: (3,) for leaf in stats},
    }


def test_a_nested_models_arrays_with_strange_scopes_go_in_keras_order(tmp_path: Path) -> None:
    """All that is trained first, then the statistics and what is frozen, layer by layer."""
    leaves = ["kernel", "bias", "kernel_1", "bias_1", "gamma_1", "beta_1", "gamma", "beta"]
    leaves += ["moving_mean", "moving_variance", "moving_mean_1", "moving_variance_1"]
    arrays = {f"{leaf}:0": np.float32([index]) for index, leaf in enumerate(leaves)}
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(nested())
        write_groups(file.create_group("model_weights"), {"in": {}, "outer": arrays})

    found = {one.name: one.weights for one in read_keras(tmp_path / "m.h5").layers}

    order = {
        name: [int(found[f"outer/{name}"][leaf][0]) for leaf in found[f"outer/{name}"]]
        for name in ("c1", "b1", "deep/c2", "deep/b2")
    }
    assert order == {"c1": [0, 1], "b1": [6, 7, 8, 9], "deep/c2": [2, 3], "deep/b2": [4, 5, 10, 11]}


def test_a_nested_models_arrays_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(nested())
        write_groups(file.create_group("model_weights"), {"outer": {"kernel:0": array(1)}})

    with pytest.raises(
        KerasFileError, match=r"'outer' should hold kernel, bias, .* it holds kernel"
    ):
        read_keras(tmp_path / "m.h5")


def test_without_a_configuration_a_nested_models_layers_keep_their_scopes(tmp_path: Path) -> None:
    layers = {
        "seq": {"seq/conv/kernel:0": array(1, 1, 2, 2), "seq/dense/kernel:0": array(2, 2)},
        "conv2d_1": {"conv2d_1_1/kernel:0": array(1, 1, 2, 2)},
        "plain": {"model/plain/kernel:0": array(1, 1, 2, 2)},
    }
    with h5py.File(tmp_path / "w.h5", "w") as file:
        write_groups(file, layers)

    assert list(shapes(read_keras(tmp_path / "w.h5"))) == [
        "seq/conv",
        "seq/dense",
        "conv2d_1",
        "plain",
    ]


def test_arrays_come_in_the_machines_byte_order(tmp_path: Path) -> None:
    value = np.arange(6, dtype=">f8").reshape(2, 3)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        write_groups(file, {"d": {"d/kernel": value, "d/bias": np.arange(3, dtype=">f2")}})

    weights = read_keras(tmp_path / "w.h5").layers[0].weights

    assert [one.dtype for one in weights.values()] == [np.float64, np.float16]
    assert (weights["kernel"] == value).all()


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"layer_names": ["a", "b"]}, "no layer 'b' in the file: it is cut or damaged"),
        ({"layer_names": ["a", "a"]}, "listed once each, 'a' is there twice"),
        ({"layer_names": [1, 2]}, "'layer_names' must hold texts, got int64"),
        ({"layer_names": [b"\xff"]}, "is not UTF-8"),
        ({"keras_version": ["2", "3"]}, "'keras_version' must be one text, got 2"),
        ({"model_config": "{"}, "model_config must be JSON"),
        ({"model_config": "[]"}, "must be a JSON object, got list"),
        ({"model_config": "[" * 100_000}, "nested too deeply"),
        ({"model_config": '{"class_name": "Dense", "config": {}}'}, "must be a model's"),
        ({"model_config": '{"class_name": "M", "config": {"layers": [3]}}'}, "is no layer"),
        ({"model_config": '{"class_name": "M", "config": 3}'}, "a M .* has no arguments"),
    ],
)
def test_what_keras_never_writes_is_an_error(
    tmp_path: Path, attributes: dict[str, Any], message: str
) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        write_groups(file, {"a": {"a/kernel": array(2, 2)}})
        file.attrs.update(attributes)

    with pytest.raises(KerasFileError, match=message) as caught:
        read_keras(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([b"a/kernel", b"a/bias"], "no array 'a/a/bias' in the file"),
        ([b"/a/a/kernel"], "no array 'a//a/a/kernel'"),
        ([b"../a/a/kernel"], "no array"),
        ([b"a/kernel", b"a/kernel"], "'a/kernel' is there twice"),
    ],
)
def test_a_layer_holds_just_what_it_lists(tmp_path: Path, names: list[bytes], message: str) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        write_groups(file, {"a": {"a/kernel": array(2, 2)}})
        file["a"].attrs["weight_names"] = np.array(names)

    with pytest.raises(KerasFileError, match=message):
        read_keras(tmp_path / "w.h5")


def test_no_file_and_no_keras_file_are_errors(tmp_path: Path) -> None:
    with pytest.raises(KerasFileError, match="there is no such file"):
        read_keras(tmp_path / "none.h5")
    (tmp_path / "empty.h5").touch()
    with pytest.raises(KerasFileError, match="cannot be read as HDF5"):
        read_keras(tmp_path / "empty.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["data"] = array(3)
    with pytest.raises(KerasFileError, match="no layers as any Keras writes them"):
        read_keras(tmp_path / "other.h5")


def test_an_unknown_order_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="order must be one of hwio, oihw, got 'th'"):
        read_keras(tmp_path / "w.h5", order="th")  # type: ignore[arg-type]


REAL = {
    "vgg16/vgg16_imagenet_notop_keras.h5": ("2.2.4", 13, 14_714_688, False),
    "weights/keras/dncnn_cszn/model.h5": ("2.2.2", 32, 558_016, False),
    "weights/keras/gho_ost/trained_autoencoder.h5": ("2.10.0", 8, 120_963, False),
    "weights/keras/gho_ost/trained_conv_model.h5": ("2.10.0", 6, 47_107, False),
    "weights/keras/gho_ost/trained_unet.h5": ("2.10.0", 14, 266_339, False),
    "weights/keras/srcnn_markprecursor/m_model_adam_new30.h5": (None, 3, 20_353, False),
    "weights/keras/titu1994/ResNetSR_2X.h5": ("2.0.9", 27, 486_659, False),
    "weights/keras/titu1994/SR_Weights_2X.h5": (None, 3, 20_099, True),
}


@pytest.mark.skipif("LIT_RESTORE_DATA" not in os.environ, reason="LIT_RESTORE_DATA is not set")
@pytest.mark.parametrize("name", REAL)
def test_a_real_file_gives_all_its_arrays(name: str) -> None:
    version, layers, numbers, rotated = REAL[name]

    found = read_keras(Path(os.environ["LIT_RESTORE_DATA"]) / name)

    weighted = [one.weights for one in found.layers if one.weights]
    sizes = sum(array.size for weights in weighted for array in weights.values())
    assert (found.keras_version, len(weighted), sizes) == (version, layers, numbers)
    assert (found.kernel_order, found.rotated) == (("oihw" if rotated else "hwio"), rotated)
