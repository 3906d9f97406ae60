"""Tests of lit_restore.interop.filling: weights-only Keras files in and out of networks."""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lit_restore.interop import KerasLayer, load_into, read_keras, save_keras_weights, write_keras
from lit_restore.interop.keras_files import KerasFileError
from lit_restore.interop.name_maps import SRCNN_TITU1994
from lit_restore.models import (
    SRCNN,
    MosaicUNet,
    PartialConvNet,
    PartialConvUNet,
    ResNetSR,
    VGGFeatures,
)
from lit_restore.nn import KerasBatchNorm2d

FORMATS = ["a.h5", "a.weights.h5"]
KINDS: dict[str, Callable[[int, int], nn.Module]] = {
    "Conv2D": lambda a, b: nn.Conv2d(a, b, 3),
    "grouped Conv2D": lambda a, b: nn.Conv2d(2 * a, 2 * b, 3, groups=2, bias=False),
    "DepthwiseConv2D": lambda a, b: nn.Conv2d(a + 1, 2 * (a + 1), (b, 2), groups=a + 1),
    "Conv2DTranspose": lambda a, b: nn.ConvTranspose2d(a, b, 2),
    "Dense": lambda a, b: nn.Linear(a, b),
    "BatchNormalization": lambda a, b: KerasBatchNorm2d(a),
    "InstanceNormalization": lambda a, b: nn.InstanceNorm2d(a, affine=True),
    "GroupNormalization": lambda a, b: nn.GroupNorm(a, a * b),
    "LayerNormalization": lambda a, b: nn.LayerNorm(a),
    "PReLU": lambda a, b: nn.PReLU(a),
}


def randomised(network: nn.Module, seed: int = 0) -> nn.Module:
    """Give every floating value random bits: infinities, denormal numbers and NaN among them."""
    generator = np.random.default_rng(seed)
    for value in network.state_dict().values():
        if value.is_floating_point():
            bits = generator.integers(0, 2**32, value.shape, dtype=np.uint32)
            value.copy_(torch.from_numpy(bits.view(np.float32)))
            value.view(-1)[:1] = -0.0
    return network


def bits(state: dict[str, Tensor]) -> dict[str, list[int]]:
    return {
        name: value.flatten().view(torch.int32).tolist()
        for name, value in state.items()
        if value.is_floating_point()
    }


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    seed=st.integers(0, 2**32 - 1),
    name=st.sampled_from(FORMATS),
)
def test_a_round_trip_through_a_keras_file_keeps_every_bit(
    kinds: list[str],
    sizes: tuple[int, int],
    seed: int,
    name: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    def build() -> nn.Module:
        return nn.Sequential(*(KINDS[kind](*sizes) for kind in kinds))

    folder = tmp_path_factory.mktemp("round_trip")
    network, other = randomised(build(), seed), build()

    save_keras_weights(network, folder / name)
    load_into(other, folder / name)
    save_keras_weights(other, folder / f"again_{name}")

    assert bits(other.state_dict()) == bits(network.state_dict())
    first, second = (read_keras(folder / one).layers for one in (name, f"again_{name}"))
    assert {one.name for one in first} == {str(index) for index in range(len(kinds))}
    for one, again in zip(first, second, strict=True):
        assert list(one.weights) == list(again.weights)
        for leaf, array in one.weights.items():
            assert array.tobytes() == again.weights[leaf].tobytes()
            assert array.shape == again.weights[leaf].shape


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "build",
    [lambda: SRCNN(2, (5, 4)), lambda: ResNetSR(width=4, depth=2),
     lambda: VGGFeatures(widths=(2, 3, 4, 5, 6)), lambda: MosaicUNet(widths=(4, 6)),
     lambda: PartialConvNet(width_scale=0.1), lambda: PartialConvUNet(widths=(4, 6))],
)  # fmt: skip
def test_networks_of_ours_come_back_from_files_of_their_own_names(
    build: Callable[[], nn.Module], name: str, tmp_path: Path
) -> None:
    network, other = randomised(build()), build()
    save_keras_weights(network, tmp_path / name)
    load_into(other, tmp_path / name)
    assert bits(other.state_dict()) == bits(network.state_dict())


def test_a_published_table_is_found_by_the_names_of_the_layers(tmp_path: Path) -> None:
    network, other = randomised(SRCNN(2, (5, 4))), SRCNN(2, (5, 4))
    save_keras_weights(network, tmp_path / "a.h5", SRCNN_TITU1994)
    assert [one.name for one in read_keras(tmp_path / "a.h5").layers] == list(SRCNN_TITU1994)
    load_into(other, tmp_path / "a.h5")
    assert bits(other.state_dict()) == bits(network.state_dict())


def keras_1(path: Path, order: str) -> SRCNN:
    """Write a file as Keras 1 did, and return the network that it means."""
    network = SRCNN(2, (5, 4), (3, 1, 5))
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in SRCNN_TITU1994]
        for name, place in SRCNN_TITU1994.items():
            module = network.get_submodule(str(place))
            kernel, bias = (one.detach() for one in module.parameters())
            kernel = kernel.flip(2, 3) if order == "oihw" else kernel.permute(2, 3, 1, 0)
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}_W".encode(), f"{name}_b".encode()]
            group[f"{name}_W"], group[f"{name}_b"] = kernel.numpy(), bias.numpy()
    return network


@pytest.mark.parametrize("order", ["oihw", "hwio"])
def test_kernels_of_theano_are_turned_and_those_of_tensorflow_not(
    order: str, tmp_path: Path
) -> None:
    network, other = keras_1(tmp_path / "a.h5", order), SRCNN(2, (5, 4), (3, 1, 5))
    load_into(other, tmp_path / "a.h5")
    assert bits(other.state_dict()) == bits(network.state_dict())
    with pytest.raises(KerasFileError, match="order"):
        load_into(other, tmp_path / "a.h5", order="hwio" if order == "oihw" else "oihw")


def test_a_network_keeps_its_type(tmp_path: Path) -> None:
    network = SRCNN(1, (2, 3))
    save_keras_weights(network, tmp_path / "a.h5")
    double = SRCNN(1, (2, 3)).double()
    load_into(double, tmp_path / "a.h5")
    assert double.extract.weight.dtype == torch.float64
    assert torch.equal(double.extract.weight, network.extract.weight.double())


def layer(name: str, **arrays: tuple[int, ...]) -> KerasLayer:
    weights = {leaf: np.ones(shape, np.float32) for leaf, shape in arrays.items()}
    return KerasLayer(name, "Conv2D", None, weights)


LEVEL1 = layer("level1", kernel=(9, 9, 1, 2), bias=(2,))
LEVEL2 = layer("level2", kernel=(1, 1, 2, 3), bias=(3,))
OUTPUT = layer("output", kernel=(5, 5, 3, 1), bias=(1,))
NAMES = dict(SRCNN_TITU1994)


@pytest.mark.parametrize(
    ("layers", "names", "messages"),
    [
        ([LEVEL1, LEVEL2, OUTPUT, layer("more", bias=(7,))], None,
         ["layers of the file without a module: more (bias (7,))"]),
        ([LEVEL1, OUTPUT], None,
         ["modules of the network without a layer: mapping (bias (3,), weight (3, 2, 1, 1)) "
          "from level2"]),
        ([LEVEL1, LEVEL2, OUTPUT], NAMES | {"output": None},
         ["modules of the network without a layer: reconstruct"]),
        ([layer("a", bias=(1,)), layer("b", bias=(2,))], None,
         ["layers of the file without a module: a (bias (1,)), b (bias (2,))",
          "modules of the network without a layer: extract (bias (2,), weight (2, 1, 9, 9)), "
          "mapping", "reconstruct"]),
        ([LEVEL1, LEVEL2, layer("output", kernel=(5, 5, 3, 2), bias=(2,))], None,
         ["output (bias (2,), kernel (5, 5, 3, 2)) gives (bias (2,), weight (2, 3, 5, 5)), "
          "but reconstruct has (bias (1,), weight (1, 3, 5, 5))"]),
        ([LEVEL1, LEVEL2, layer("output", kernel=(5, 5, 3, 1))], None,
         ["output (kernel (5, 5, 3, 1)) gives (weight (1, 3, 5, 5)), but reconstruct has (bias"]),
        ([LEVEL1, LEVEL2, OUTPUT], NAMES | {"output": "head"},
         ["without a layer: reconstruct", "named and not in the network: head for output"]),
        ([LEVEL1, LEVEL2, OUTPUT], NAMES | {"output": "mapping"},
         ["without a layer: reconstruct", "named more than once: mapping"]),
        ([LEVEL1, LEVEL2, KerasLayer("output", "Conv2DTranspose", None, OUTPUT.weights)], None,
         ["output is a Conv2DTranspose, but reconstruct stands for a Conv2D"]),
        ([LEVEL1, LEVEL2, KerasLayer("output", None, None, {"gamma": np.ones(1)})], None,
         ["output (gamma (1,)): Conv2D has the Keras arrays bias, kernel; got gamma"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_listed_of_both_sides_and_nothing_is_changed(
    layers: list[KerasLayer],
    names: dict[str, str | None] | None,
    messages: list[str],
    tmp_path: Path,
) -> None:
    network = SRCNN(1, (2, 3))
    before = bits({name: value.clone() for name, value in network.state_dict().items()})
    if any(one.class_name == "Conv2DTranspose" for one in layers):  # only Keras 3's files tell it
        write_keras(tmp_path / "a.weights.h5", layers)
        path = tmp_path / "a.weights.h5"
    else:
        write_keras(path := tmp_path / "a.h5", layers)
    with pytest.raises(KerasFileError, match=r"a.*h5 does not fill SRCNN") as caught:
        load_into(network, path, names)
    for message in messages:
        assert re.sub(r"\s+", " ", message) in str(caught.value)
    assert bits(dict(network.state_dict())) == before


def test_a_layer_is_left_out_only_where_the_table_says_so(tmp_path: Path) -> None:
    write_keras(tmp_path / "a.h5", [LEVEL1, LEVEL2, OUTPUT, layer("more", bias=(7,))])
    network = SRCNN(1, (2, 3))
    load_into(network, tmp_path / "a.h5", NAMES | {"more": None})
    assert all(bool((value == 1).all()) for value in network.parameters())


def test_a_vgg_that_ends_early_takes_its_part_of_a_whole_file(tmp_path: Path) -> None:
    thin = {"widths": (2, 3, 4, 5, 6)}
    whole = VGGFeatures(19, "block5_conv4", **thin)
    names = {
        f"block{block}_conv{index}": f"features.{position}"
        for block, positions in enumerate(
            ((0, 2), (5, 7), (10, 12, 14, 16), (19, 21, 23, 25), (28, 30, 32, 34)), start=1
        )
        for index, position in enumerate(positions, start=1)
    }
    save_keras_weights(whole, tmp_path / "a.h5", names)
    short = VGGFeatures(19, "block3_conv1", **thin)
    load_into(short, tmp_path / "a.h5")
    image = torch.rand(1, 3, 16, 16)
    expected = whole.maps(image, ["block3_conv1"])["block3_conv1"]
    assert torch.equal(short(image), expected)
    with pytest.raises(KerasFileError, match="block5_conv4"):  # depth 16 has no place for it
        load_into(VGGFeatures(16, **thin), tmp_path / "a.h5")


class Shifted(nn.Module):
    """A parameter that no layer of Keras's has."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1)
        self.shift = nn.Parameter(torch.zeros(1))


def test_modules_without_a_layer_of_keras_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no layer for Shifted; it has for"):
        save_keras_weights(Shifted(), tmp_path / "a.h5")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "names",
    [{"a": "extract", "b": "mapping"}, {"a": "extract", "b": "mapping", "c": "mapping"},
     {"a": "extract", "b": "mapping", "c": "reconstruct", "d": "head"}],
)  # fmt: skip
def test_a_table_for_writing_names_every_module_once(
    names: dict[str, str | None], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="once to each of extract, mapping, reconstruct; got"):
        save_keras_weights(SRCNN(1, (2, 3)), tmp_path / "a.h5", names)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed"
)
def test_keras_itself_loads_what_is_written_and_computes_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = nn.Sequential()
    for name, module in {
        "first": nn.Conv2d(2, 5, 3, padding=1), "norm": KerasBatchNorm2d(5),
        "slopes": nn.PReLU(5), "lanes": nn.Conv2d(5, 10, 3, padding=1, groups=5),
        "larger": nn.ConvTranspose2d(10, 4, 3), "last": nn.Conv2d(4, 3, 1),
    }.items():  # fmt: skip
        network.add_module(name, module)
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) - (0.5 if "norm" not in name else -0.5))
    image = torch.rand(2, 2, 7, 9)
    np.save(tmp_path / "in.npy", image.permute(0, 2, 3, 1).numpy())
    words: list[str | Path] = []
    for name in FORMATS:
        save_keras_weights(network, tmp_path / name)
        words += ["own", tmp_path / name, tmp_path / "in.npy", tmp_path / f"{name}.npy"]

    script = Path(__file__).with_name("keras_side.py")
    subprocess.run([sys.executable, script, *words], check=True, capture_output=True)

    expected = network.eval()(image).permute(0, 2, 3, 1).detach().numpy()
    for name in FORMATS:
        found = np.load(tmp_path / f"{name}.npy")
        np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
