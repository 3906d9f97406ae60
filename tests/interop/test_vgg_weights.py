"""Tests of lit_restore.interop.vgg_weights."""

import hashlib
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError

import h5py
import numpy as np
import pytest
import torch
from torch import Tensor

from lit_restore.interop import VGGWeightsError, load_vgg, save_keras_weights, vgg_weights
from lit_restore.interop.name_maps import VGG16_KERAS, VGG19_KERAS
from lit_restore.models import VGGFeatures

State = dict[str, Tensor]


def published(depth: int) -> State:
    """A state as torchvision stores it, classifier and all; every array has a value of its own."""
    layer = "block5_conv3" if depth == 16 else "block5_conv4"
    with torch.device("meta"):
        shapes = VGGFeatures(depth, layer).state_dict()
    # Expanded, they take no room in the file.
    values = {
        name: torch.tensor(float(index)).expand(one.shape)
        for index, (name, one) in enumerate(shapes.items(), start=1)
    }
    return values | {"classifier.0.weight": torch.zeros(1), "classifier.0.bias": torch.zeros(1)}


def stored(state: Any, path: Path) -> Path:
    torch.save(state, path)
    return path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of torch's."""
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(folder.parent))
    return folder


def offer(monkeypatch: pytest.MonkeyPatch, state: State | Exception) -> list[str]:
    """Put a torchvision in place that downloads ``state``; the list says what it was asked for."""
    asked: list[str] = []

    def weights(name: str) -> SimpleNamespace:
        def get_state_dict(**options: Any) -> State:
            assert options["check_hash"]
            assert options["weights_only"]
            asked.append(name)
            if isinstance(state, Exception):
                raise state
            return state

        return SimpleNamespace(IMAGENET1K_V1=SimpleNamespace(get_state_dict=get_state_dict))

    module = SimpleNamespace(VGG16_Weights=weights("vgg16"), VGG19_Weights=weights("vgg19"))
    monkeypatch.setitem(sys.modules, "torchvision.models", module)
    return asked


def hashed(depth: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of torchvision's in the cache; its hash is taken for that of the published one."""
    path = stored(published(depth), folder / "file.pth")
    name = f"vgg{depth}-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pth"
    monkeypatch.setitem(vgg_weights._TORCHVISION, depth, name)
    return path.rename(folder / name)


@pytest.mark.parametrize(
    ("depth", "layer"), [(16, "block5_conv3"), (19, "block5_conv4"), (19, "block2_conv2")]
)
def test_a_file_of_torchvision_fills_the_layers_that_there_are(
    depth: int, layer: str, tmp_path: Path
) -> None:
    state = published(depth)
    network = load_vgg(stored(state, tmp_path / "any.name"), depth, layer)
    assert (network.depth, network.layer, network.inputs) == (depth, layer, "imagenet")
    assert not network.training
    assert all(torch.equal(one, state[name]) for name, one in network.state_dict().items())


def test_the_pooling_is_passed_on_and_the_weights_are_the_same(tmp_path: Path) -> None:
    path = stored(published(16), tmp_path / "any.name")
    plain, smooth = (
        load_vgg(path, 16, "block2_conv1"),
        load_vgg(path, 16, "block2_conv1", "average"),
    )
    assert (plain.pool, smooth.pool) == ("max", "average")
    assert all(map(torch.equal, plain.state_dict().values(), smooth.state_dict().values()))


def test_a_file_of_keras_s_vgg19_is_told_by_its_content(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = VGGFeatures(19, "block5_conv4")
    save_keras_weights(network, tmp_path / "vgg.h5", VGG19_KERAS)
    path = (tmp_path / "vgg.h5").rename(tmp_path / "vgg.pth")
    loaded = load_vgg(path, 19, "block4_conv2")
    state = network.state_dict()
    assert loaded.inputs == "caffe"
    assert all(torch.equal(one, state[name]) for name, one in loaded.state_dict().items())
    with pytest.raises(VGGWeightsError, match=r"block3_conv4.*expected Keras's VGG16"):
        load_vgg(path, 16, "block5_conv3")


def test_a_file_of_keras_with_the_classifier_loads_too(tmp_path: Path) -> None:
    network = VGGFeatures(16, "block5_conv3")
    save_keras_weights(network, tmp_path / "vgg.h5", VGG16_KERAS)
    with h5py.File(tmp_path / "vgg.h5", "a") as file:
        for name in ("fc1", "fc2", "predictions"):
            file.create_group(name)[f"{name}/kernel:0"] = np.zeros((2, 3), np.float32)
            file[name].attrs["weight_names"] = np.array([f"{name}/kernel:0"], "S")
        names = [*file.attrs["layer_names"], *(b"fc1", b"fc2", b"predictions")]
        file.attrs["layer_names"] = np.array(names, "S")
    loaded = load_vgg(tmp_path / "vgg.h5", 16, "block1_conv2")
    assert torch.equal(loaded.features[2].weight, network.features[2].weight)


def test_the_cache_is_read_before_anything_is_downloaded(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = offer(monkeypatch, URLError("no network"))
    hashed(19, cache, monkeypatch)
    assert load_vgg(layer="block1_conv2").inputs == "imagenet"
    assert asked == []


def test_a_file_whose_name_tells_another_hash_is_refused(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hashed(16, cache, monkeypatch)
    path.write_bytes(path.read_bytes() + b" ")
    for weights in (None, path):
        with pytest.raises(VGGWeightsError, match=r"SHA-256 begins with \w{8}, its name says"):
            load_vgg(weights, 16, "block1_conv1")


def test_a_file_called_by_a_date_is_not_taken_for_a_damaged_one(tmp_path: Path) -> None:
    path = stored(published(16), tmp_path / "vgg16-20201120.pth")
    assert load_vgg(path, 16, "block1_conv1").inputs == "imagenet"


@pytest.mark.parametrize("depth", [16, 19])
def test_torchvision_downloads_what_the_cache_lacks(
    depth: int, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = published(depth)
    asked = offer(monkeypatch, state)
    network = load_vgg(None, depth, "block1_conv2")
    assert asked == [f"vgg{depth}"]
    assert network.inputs == "imagenet"
    assert torch.equal(network.features[2].bias, state["features.2.bias"])


@pytest.mark.parametrize(
    "trouble", [URLError("no network"), RuntimeError('invalid hash value (expected "dcbb9e9d")')]
)
def test_where_none_are_to_be_had_one_sentence_says_how_to_get_them(
    trouble: Exception, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, trouble)
    with pytest.raises(VGGWeightsError) as caught:
        load_vgg()
    assert str(caught.value) == (
        f"VGG19's weights are not in {cache / 'vgg19-dcbb9e9d.pth'}, and torchvision cannot "
        f"download them ({trouble}): put that file there, or give torchvision's .pth or Keras's "
        ".h5 of VGG19 as the argument weights, where the config has weights: null"
    )


def test_without_torchvision_the_sentence_says_so(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(VGGWeightsError, match=r"cannot download them \(.*torchvision"):
        load_vgg(None, 16, "block1_conv1")


def test_without_h5py_a_file_of_keras_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_keras_weights(VGGFeatures(16, "block1_conv1"), tmp_path / "vgg.h5")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(VGGWeightsError, match=r"needs h5py: pip install 'lit-restore\[interop\]'"):
        load_vgg(tmp_path / "vgg.h5", 16, "block1_conv1")


def without(name: str) -> State:
    return {key: value for key, value in published(16).items() if key != name}


@pytest.mark.parametrize(
    ("content", "message"),
    [(published(19), r"is not torchvision's VGG16, .* features\.28; it differs in features\.16"),
     (without("features.5.weight"), r"it differs in features\.5$"),
     (without("features.5.bias"), r"does not fit VGG16: .*Missing key.*features\.5\.bias"),
     (published(16) | {"features.0.weight": torch.ones(64, 3, 5, 5)}, "does not fit VGG16: .*size"),
     (["a list"], "is not torchvision's VGG16"),
     (slice(3), "is neither torchvision's .pth nor Keras's .h5, or it is damaged")],
    ids=["another depth", "a layer less", "a bias less", "another shape", "no state", "code"],
)  # fmt: skip
def test_what_is_not_such_a_vgg_s_is_refused(content: Any, message: str, tmp_path: Path) -> None:
    """Even if all that the layer needs were there: the weights before it would be another's."""
    path = stored(content, tmp_path / "file.pth")
    with pytest.raises(VGGWeightsError, match=message):
        load_vgg(path, 16, "block2_conv2")


def test_what_cannot_be_read_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("hello")
    (tmp_path / "half.h5").write_bytes(vgg_weights._HDF5 + b"and no more")
    for name, message in (
        ("text.pth", "is neither"),
        ("half.h5", "cannot be read as HDF5"),
        ("nowhere.pth", r"No such file or directory\); VGG's weights are"),
        ("", "Is a directory"),
    ):
        with pytest.raises(VGGWeightsError, match=message) as caught:
            load_vgg(tmp_path / name, 16, "block1_conv1")
        assert str(tmp_path / name) in str(caught.value)


def test_keras_s_published_vgg16_loads() -> None:
    root = os.environ.get("LIT_RESTORE_DATA")
    path = Path(root or "", "vgg16", "vgg16_imagenet_notop_keras.h5")
    if not root or not path.is_file():
        pytest.skip("LIT_RESTORE_DATA names no folder with vgg16")
    network = load_vgg(path, 16, "block1_conv2")
    assert network.inputs == "caffe"
    assert network.features[0].weight.std().item() == pytest.approx(0.2068, abs=1e-3)
    assert len(VGG16_KERAS) == 13
