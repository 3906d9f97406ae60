"""Whole saved Keras models as torch modules: against stored outputs, live Keras, published files.

``files/`` was made by ``make_files.py``; live tests need TensorFlow; the published files are not
in the repository: their tests read the folder that LIT_RESTORE_DATA names.
"""

import gzip
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

from lit_restore.interop import KerasFileError, load_keras
from lit_restore.interop._graph_activations import FUNCTIONS
from lit_restore.interop.graph import LAYERS, DepthToSpace, GraphError, GraphNetwork
from lit_restore.interop.keras_files import read_keras
from lit_restore.interop.keras_models import keras_layers
from lit_restore.interop.layouts import to_torch

HERE = Path(__file__).parent
STORED = sorted(path.relative_to(HERE) for path in HERE.glob("files/*/*.gz"))
REPLACED = {"coded": {"shuffle": DepthToSpace(2)}}
BOUND = 1e-6  # of an output's scale: float32 sums of up to some hundred terms, in another order
GRADIENT_BOUND = 2e-5  # the same through squares, sums over whole maps and several layers
LIVE = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed"
)


def opened(name: str, folder: Path, where: str = "files/keras2") -> Path:
    """Unpack a stored model."""
    stored = next((HERE / where).glob(f"{name}.*.gz"))
    path = folder / stored.name.removesuffix(".gz")
    path.write_bytes(gzip.decompress(stored.read_bytes()))
    return path


def to_map(array: np.ndarray) -> torch.Tensor:
    value = torch.from_numpy(array)
    return value.permute(0, 3, 1, 2) if value.ndim == 4 else value


def run(network: GraphNetwork, arrays: dict[str, np.ndarray]) -> list[torch.Tensor]:
    images = [to_map(arrays[f"input{i}"]) for i in range(len(network.graph["inputs"]))]
    with torch.inference_mode():
        outputs = network(*images)
    return list(outputs) if isinstance(outputs, tuple) else [outputs]


def check(network: GraphNetwork, arrays: dict[str, np.ndarray]) -> None:
    outputs = run(network, arrays)
    assert f"output{len(outputs)}" not in arrays
    for index, found in enumerate(outputs):
        expected = to_map(arrays[f"output{index}"])
        assert found.shape == expected.shape, index
        assert (found - expected).abs().max() <= BOUND * expected.abs().max(), index


@pytest.mark.parametrize("stored", STORED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_stored_model_gives_what_keras_gave(stored: Path, tmp_path: Path) -> None:
    name = stored.name.split(".")[0]
    network = load_keras(opened(name, tmp_path, str(stored.parent)), layers=REPLACED.get(name))
    with np.load(HERE / stored.with_name(f"{name}.npz")) as arrays:
        check(network, dict(arrays))
        again = GraphNetwork(json.loads(json.dumps(network.graph))).eval()
        again.load_state_dict(network.state_dict())
        for found, expected in zip(run(again, arrays), run(network, arrays), strict=True):
            assert torch.equal(found, expected)


@pytest.mark.parametrize("stored", STORED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_models_arrays_come_back_bit_for_bit(stored: Path, tmp_path: Path) -> None:
    name = stored.name.split(".")[0]
    path = opened(name, tmp_path, str(stored.parent))
    back = {
        layer.name: layer for layer in keras_layers(load_keras(path, layers=REPLACED.get(name)))
    }
    found = {layer.name: layer for layer in read_keras(path).layers if layer.weights}
    assert set(back) == set(found)
    for place, layer in found.items():
        kind = back[place].class_name
        assert kind is not None
        for key, tensor in to_torch(kind, layer.weights).items():
            assert torch.equal(tensor, to_torch(kind, back[place].weights)[key])
        sizes = sorted((array.shape, array.tobytes()) for array in layer.weights.values())
        assert sizes == sorted((a.shape, a.tobytes()) for a in back[place].weights.values())


def test_stored_models_have_every_kind_of_layer_and_function(tmp_path: Path) -> None:
    kinds, functions = set(), set()
    for stored in STORED:
        name = stored.name.split(".")[0]
        path = opened(name, tmp_path, str(stored.parent))
        for node in load_keras(path, layers=REPLACED.get(name)).graph["nodes"]:
            kinds.add(node["layer"])
            functions.add(node["arguments"].get("function"))
    assert kinds - {"Again"} == set(LAYERS)
    assert functions - {None} == set(FUNCTIONS)


def test_stored_models_notice_an_error(tmp_path: Path) -> None:
    network = load_keras(opened("nested", tmp_path))
    arrays = dict(np.load(HERE / "files/keras2/nested.npz"))
    for node in network.graph["nodes"]:
        if node["layer"] == "BatchNormalization":
            network.layer(node["name"]).epsilon = 1e-5
    with pytest.raises(AssertionError):
        check(network, arrays)


def test_a_lambda_is_named_and_its_code_not_run(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=r"shuffle.*code, which is not run.*DepthToSpace"):
        load_keras(opened("coded", tmp_path))


def test_only_layers_of_graphs_replace_others(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=r"shuffle: expected a layer of lit_restore\.interop"):
        load_keras(opened("coded", tmp_path), layers={"shuffle": torch.nn.PixelShuffle(2)})


def test_arrays_without_a_place_and_places_without_arrays_are_all_listed(tmp_path: Path) -> None:
    path = opened("sequential", tmp_path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        layers = config["config"]["layers"]
        layers[:] = [entry for entry in layers if entry["class_name"] != "BatchNormalization"]
        next(entry for entry in layers if entry["class_name"] == "Conv2D")["config"]["use_bias"] = 0
        file.attrs["model_config"] = json.dumps(config)
    with pytest.raises(ValueError, match=r"batch_normalization.*gamma|bias must be") as caught:
        load_keras(path)
    assert "sequential.h5" in str(caught.value)


def test_an_array_of_another_shape_is_refused_with_both_shapes(tmp_path: Path) -> None:
    path = opened("sequential", tmp_path)
    with h5py.File(path, "r+") as file:
        group = next(name for name in file["model_weights"] if name.startswith("batch"))
        inner = file["model_weights"][group][group]
        del inner["beta:0"]
        inner["beta:0"] = np.zeros(5, np.float32)
    with pytest.raises(KerasFileError, match=r"bias: the model wants \(6,\), the file has \(5,\)"):
        load_keras(path)


def test_weights_alone_want_a_configuration(tmp_path: Path) -> None:
    path = opened("sequential", tmp_path)
    with h5py.File(path, "r+") as file:
        config = file.attrs["model_config"]
        del file.attrs["model_config"]
    with pytest.raises(KerasFileError, match=r"give the model's \.json as config"):
        load_keras(path)
    (tmp_path / "model.json").write_text(config)
    arrays = dict(np.load(HERE / "files/keras2/sequential.npz"))
    check(load_keras(path, config=tmp_path / "model.json"), arrays)
    with pytest.raises(KerasFileError, match="there is no such file"):
        load_keras(path, config=tmp_path / "other.json")
    (tmp_path / "broken.json").write_text("[1]")
    with pytest.raises(KerasFileError, match="got no JSON object"):
        load_keras(path, config=tmp_path / "broken.json")


def test_the_class_of_keras_2_2_is_the_same_model(tmp_path: Path) -> None:
    path = opened("nested", tmp_path)
    with h5py.File(path, "r+") as file:
        config = file.attrs["model_config"].replace('"Functional"', '"Model"')
        file.attrs["model_config"] = config
    check(load_keras(path), dict(np.load(HERE / "files/keras2/nested.npz")))


def test_arrays_in_double_precision_stay_so(tmp_path: Path) -> None:
    path = opened("sequential", tmp_path)
    with h5py.File(path, "r+") as file:
        arrays: list[str] = []
        file.visititems(lambda name, item: arrays.append(name) if hasattr(item, "shape") else None)
        for name in arrays:
            value = file[name][()].astype(np.float64) + 1e-12
            del file[name]
            file[name] = value
    network = load_keras(path)
    assert all(value.dtype == torch.float64 for value in network.parameters())
    single = load_keras(opened("sequential", tmp_path)).double()
    for name, value in network.state_dict().items():
        assert 0 < (value - single.state_dict()[name]).abs().max() < 1e-11


def keras1(path: Path, order: str, kernel: np.ndarray, bias: np.ndarray) -> Path:
    """Write a whole model as Keras 1.2 did, of one convolution; synthetic, from its source code."""
    size = [None, 8, 9, 3] if order == "tf" else [None, 3, 8, 9]
    config = {"name": "convolution2d_1", "trainable": True, "nb_filter": 4, "nb_row": 3}
    config |= {"nb_col": 2, "border_mode": "valid", "subsample": [1, 1], "dim_ordering": order}
    config |= {"bias": True, "activation": "relu", "batch_input_shape": size}
    model = {
        "class_name": "Sequential",
        "config": [{"class_name": "Convolution2D", "config": config}],
    }
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "1.2.2"
        file.attrs["model_config"] = json.dumps(model)
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [b"convolution2d_1"]
        layer = group.create_group("convolution2d_1")
        layer.attrs["weight_names"] = [b"convolution2d_1_W", b"convolution2d_1_b"]
        layer["convolution2d_1_W"], layer["convolution2d_1_b"] = kernel, bias
    return path


def test_whole_models_of_keras_1_in_either_order_are_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kernel, bias = (rng.normal(size=size).astype(np.float32) for size in ((3, 2, 3, 4), 4))
    theano = kernel[::-1, ::-1].transpose(3, 2, 0, 1)  # a true convolution's kernel
    image = torch.rand(2, 3, 8, 9)
    last = load_keras(keras1(tmp_path / "tf.h5", "tf", kernel, bias))
    first = load_keras(keras1(tmp_path / "th.h5", "th", theano, bias))
    weight = torch.from_numpy(kernel).permute(3, 2, 0, 1)
    expected = torch.nn.functional.conv2d(image, weight, torch.from_numpy(bias)).relu()
    assert torch.equal(last(image), expected)
    assert torch.equal(first(image), expected)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All models as Keras saves them today, in three formats, with outputs and gradients."""
    folder = tmp_path_factory.mktemp("live")
    command = [sys.executable, str(HERE / "make_files.py"), str(folder), "all"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return folder


@LIVE
@pytest.mark.parametrize("suffix", ["h5", "keras", "weights.h5"])
def test_every_model_gives_what_keras_gives_today(suffix: str, live: Path) -> None:
    names = sorted(path.stem for path in live.glob("*.npz"))
    assert len(names) >= 9
    for name in names:
        config = live / f"{name}.json" if suffix == "weights.h5" else None
        network = load_keras(live / f"{name}.{suffix}", config=config)
        check(network, dict(np.load(live / f"{name}.npz")))


@LIVE
def test_gradients_are_those_of_keras(live: Path) -> None:
    parameters = 0
    for path in sorted(live.glob("*.keras")):
        network = load_keras(path)
        arrays = dict(np.load(path.with_suffix(".npz")))
        inputs = [f"input{i}" for i in range(len(network.graph["inputs"]))]
        images = [to_map(arrays[name]).requires_grad_() for name in inputs]
        outputs = network(*images)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        sum((value**2).sum() for value in outputs).backward()
        found = {name: to_keras_order(i.grad) for name, i in zip(inputs, images, strict=True)}
        found |= parameter_gradients(network)
        for name, value in found.items():
            if (expected := arrays.get(f"gradient {name}")) is not None:
                error = np.abs(value - expected).max()
                assert error <= GRADIENT_BOUND * np.abs(expected).max(), (path.stem, name)
                parameters += name not in inputs
    assert parameters > 80


def to_keras_order(value: torch.Tensor | None) -> np.ndarray:
    assert value is not None
    return (value.permute(0, 2, 3, 1) if value.ndim == 4 else value).numpy()


def parameter_gradients(network: GraphNetwork) -> dict[str, np.ndarray]:
    """Lay gradients out as Keras does: they take the parameters' places."""
    for parameter in network.parameters():
        assert parameter.grad is not None
        parameter.data = parameter.grad
    return {
        f"{layer.name}/{_leaf(layer.class_name, leaf)}": array
        for layer in keras_layers(network)
        for leaf, array in layer.weights.items()
    }


def _leaf(class_name: str | None, leaf: str) -> str:
    return "kernel" if (class_name, leaf) == ("DepthwiseConv2D", "depthwise_kernel") else leaf


@pytest.fixture(scope="module")
def data() -> Path:
    root = os.environ.get("LIT_RESTORE_DATA")
    if not root or not Path(root, "weights", "keras").is_dir():
        pytest.skip("LIT_RESTORE_DATA names no folder with weights/keras")
    return Path(root)


@LIVE
def test_published_models_give_what_keras_predicts(data: Path, tmp_path: Path) -> None:
    photographs = sorted((data / "natural" / "bsds500_test").glob("*.jpg"))[:2]
    pictures = [Image.open(file).convert("RGB").resize((600, 400)) for file in photographs]
    images = np.stack([np.asarray(picture, np.float32) / 255 for picture in pictures])
    np.save(tmp_path / "images.npy", images)
    paths = [data / "weights" / "keras" / "gho_ost" / f"{name}.h5" for name in GHO_OST]
    command = [sys.executable, "-c", PREDICT, str(tmp_path), *map(str, paths)]
    subprocess.run(command, check=True, capture_output=True)
    for path in paths:
        expected = to_map(np.load(tmp_path / f"{path.stem}.npy"))
        with torch.inference_mode():
            found = load_keras(path)(to_map(images))
        assert isinstance(found, torch.Tensor)
        assert found.shape == expected.shape
        assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()
        assert expected.std() > 0.1


GHO_OST = ("trained_unet", "trained_autoencoder", "trained_conv_model")
PREDICT = """
import os, sys
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
from pathlib import Path
import keras, numpy as np
images = np.load(Path(sys.argv[1], "images.npy"))
for path in map(Path, sys.argv[2:]):
    model = keras.models.load_model(path, compile=False)
    np.save(Path(sys.argv[1], path.stem), model.predict(images, batch_size=1, verbose=0))
"""


def dncnn(data: Path) -> GraphNetwork:
    folder = data / "weights" / "keras" / "dncnn_cszn"
    return load_keras(folder / "model.h5", config=folder / "model.json")


def noisy(data: Path) -> tuple[np.ndarray, np.ndarray]:
    """The procedure of the network's author: grey, noise of 25 levels, not clipped."""
    picture = Image.open(data / "natural" / "kodak" / "kodim01.png").convert("L")
    clean = np.asarray(picture) / 255
    noise = np.random.RandomState(0).randn(*clean.shape) * 25 / 255
    return clean, (clean + noise).astype(np.float32)


def test_the_published_denoiser_reaches_its_figure(data: Path) -> None:
    clean, image = noisy(data)
    with torch.inference_mode():
        found = dncnn(data)(torch.from_numpy(image)[None, None])
    assert isinstance(found, torch.Tensor)

    def psnr(value: np.ndarray) -> float:
        return float(-10 * np.log10(np.mean((value.clip(0, 1) - clean) ** 2)))

    assert psnr(image) == pytest.approx(20.23, abs=0.01)
    assert psnr(found[0, 0].numpy()) == pytest.approx(27.11, abs=0.01)


def test_the_published_denoiser_gives_what_keras_2_gave_on_a_patch(data: Path) -> None:
    with np.load(HERE / "files" / "dncnn.npz") as arrays:
        image, expected = arrays["input0"], arrays["output0"]
    with torch.inference_mode():
        found = dncnn(data)(to_map(image))
    assert isinstance(found, torch.Tensor)
    assert (found - to_map(expected)).abs().max() <= BOUND * np.abs(expected).max()
