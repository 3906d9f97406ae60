"""Tests of lit_restore.checkpoints."""

import inspect
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint
from torch import Tensor, nn
from torch.utils.data import DataLoader

import lit_restore
from lit_restore import models
from lit_restore.checkpoints import (
    KEY,
    CheckpointError,
    RoleError,
    build_network,
    describe_network,
    load_network,
    network_roles,
    read_description,
    save_network,
)
from lit_restore.inference import takes_mask
from lit_restore.interop.graph import GraphNetwork
from lit_restore.models import MosaicUNet, SmallMosaicUNet
from lit_restore.tasks import RestorationTask

SMALL: dict[str, Any] = {"widths": [4, 6], "dilations": [2]}
# Of each network, arguments that are none of its defaults.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "SmallMosaicUNet": {"folded": False},
    "MosaicUNet": {
        "in_channels": 1, "out_channels": 2, "widths": [4, 6], "depth": 1, "stem_stride": 2,
        "dilations": [2], "skip": "add", "squeeze_excite": True, "output": "sigmoid",
    },
    "SRCNN": {
        "in_channels": 3, "widths": [4, 6], "kernel_sizes": [5, 3, 3], "padding": "valid",
        "enlarged_by": 3,
    },
    "FSRCNN": {"scale": 3, "in_channels": 3, "width": 5, "mapping_width": 4, "depth": 2},
    "ESPCN": {
        "scale": 3, "in_channels": 3, "widths": [4, 6], "kernel_sizes": [3, 3, 5],
        "activation": "relu", "order": "tensorflow",
    },
    "VDSR": {"in_channels": 3, "width": 4, "depth": 3, "bias": False, "enlarged_by": 2},
    "SRResNet": {
        "in_channels": 1, "width": 4, "depth": 2, "scale": 3, "output": "tanh", "style": "keras",
        "order": "tensorflow", "folded": False,
    },
    "SRDiscriminator": {
        "in_channels": 1, "width": 4, "head": "dense", "size": 16, "slope": 0.3, "style": "keras",
    },
    "ResNetSR": {"in_channels": 1, "width": 4, "depth": 2},
    "VGGFeatures": {
        "depth": 19, "layer": "block4_pool", "inputs": "raw", "widths": [3, 4, 5, 6, 7],
        "pool": "average",
    },
    "PartialConvNet": {"norm": "region", "width_scale": 0.1},
    "PartialConvUNet": {
        "widths": [4, 6], "kernel_sizes": [4, 3], "norm": "none", "normalize": "count",
    },
    "UNetGenerator": {
        "in_channels": 1, "out_channels": 2, "widths": [4, 6, 8], "norm": "layer",
        "upsample": "nearest", "slope": 0.1, "dropout": 0.25, "dropout_stages": 1,
        "edge_norms": True, "noise": True, "norm_mode": "batch", "dead_biases": True,
        "style": "keras", "folded": False,
    },
    "ResNetGenerator": {
        "in_channels": 1, "out_channels": 2, "width": 4, "blocks": 1, "norm": "batch",
        "padding": "same", "upsample": "nearest", "dropout": 0.25, "norm_mode": "batch",
        "dead_biases": True, "style": "keras",
    },
    "PatchDiscriminator": {
        "in_channels": 1, "width": 4, "layers": 2, "norm": "batch", "condition_channels": 2,
        "padding": "one", "spectral": True, "slope": 0.1, "dead_biases": True, "style": "keras",
    },
    "DCGANGenerator": {
        "latent_size": 5, "out_channels": 1, "size": 16, "width": 4, "kernel_size": 5,
        "norm": "group", "norm_mode": "recalibrated", "style": "keras",
    },
    "DCGANDiscriminator": {
        "in_channels": 1, "size": 16, "width": 4, "kernel_size": 5, "norm": "layer", "slope": 0.1,
        "spectral": True, "style": "keras",
    },
    "ConvSegmenter": {
        "in_channels": 1, "num_classes": 3, "width": 4, "depth": 2, "order": "cna",
        "style": "keras",
    },
    "PoolingSegmenter": {
        "in_channels": 1, "num_classes": 2, "width": 4, "upsample": "transposed", "skip": True,
        "order": "cna", "style": "keras",
    },
    "UNet": {
        "in_channels": 1, "num_classes": 3, "widths": [4, 6], "depth": 1, "padding": "valid",
        "upsample": "nearest", "norm": "batch", "order": "cna", "dropout": 0.25, "style": "keras",
    },
    "ResNet": {
        "depths": [1, 2], "block": "basic", "width": 4, "num_classes": 5, "in_channels": 1,
        "stem": "small", "style": "keras",
    },
}  # fmt: skip
# Of the largest networks, what keeps their defaults quick to save.
THIN: dict[str, dict[str, Any]] = {
    "UNetGenerator": {"widths": [4] * 8},
    "UNet": {"widths": [4] * 5},
    "ResNet": {"width": 4, "num_classes": 5},
}
NETWORKS = [
    (name, chosen)
    for name in models.__all__
    for chosen in (THIN.get(name, {}), ARGUMENTS.get(name, {}))
]


def shaken(network: nn.Module) -> nn.Module:
    """Give every weight and every running statistic a value of its own."""
    generator = torch.Generator().manual_seed(0)
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            lowest = 0.05 if name.endswith("running_var") else -0.1
            value.copy_(torch.rand(value.shape, generator=generator) * 0.2 + lowest)
    return network


def given(network: nn.Module) -> list[Tensor]:
    """What a network reads: a picture, and a mask or condition where it wants one; or a vector."""
    generator = torch.Generator().manual_seed(1)
    if hasattr(network, "latent_size"):
        return [torch.rand(1, network.latent_size, generator=generator)]
    size = max(16, network.multiple_of, getattr(network, "size", 0))
    tensors = [torch.rand(1, network.in_channels, size, size, generator=generator)]
    if takes_mask(network):
        tensors.append((torch.rand(1, 1, size, size, generator=generator) > 0.3).float())
    if channels := getattr(network, "condition_channels", 0):
        tensors.append(torch.rand(1, channels, size, size, generator=generator))
    return tensors


def seeded(network: nn.Module) -> nn.Module:
    """Begin the randomness of a network that has some in evaluation, too, anew."""
    torch.manual_seed(0)
    return network


def assert_same(found: nn.Module, expected: nn.Module) -> None:
    """Both networks give the same bits."""
    layout = torch.contiguous_format  # another one may round otherwise
    with torch.no_grad():
        found, expected = (
            seeded(network.eval().to(memory_format=layout))(*given(network))
            for network in (found, expected)
        )
    assert torch.equal(found, expected)


def test_the_table_names_every_argument_of_every_network() -> None:
    for name in models.__all__:
        parameters = inspect.signature(getattr(models, name)).parameters
        assert set(ARGUMENTS[name]) == set(parameters)
        assert all(ARGUMENTS[name][key] != value.default for key, value in parameters.items())


@pytest.mark.parametrize(("name", "chosen"), NETWORKS)
def test_a_network_is_rebuilt_from_its_description_as_text(
    name: str, chosen: dict[str, Any]
) -> None:
    network = getattr(models, name)(**chosen)
    description = describe_network(network)

    rebuilt = build_network(json.loads(json.dumps(description)))

    assert type(rebuilt) is type(network)
    assert describe_network(rebuilt) == description
    assert description["arguments"] | chosen == description["arguments"]
    rebuilt.load_state_dict(network.state_dict())
    assert_same(rebuilt, network)


def test_a_description_says_what_a_reader_needs() -> None:
    assert describe_network(SmallMosaicUNet()) == {
        "network": "SmallMosaicUNet",
        "arguments": {"folded": True},
        "scale": 1,
        "value_range": "unit",
        "versions": {"lit_restore": lit_restore.__version__, "torch": torch.__version__},
    }


@pytest.mark.parametrize(("name", "chosen"), NETWORKS)
def test_a_saved_network_comes_back_bit_for_bit(
    name: str, chosen: dict[str, Any], tmp_path: Path
) -> None:
    network = shaken(getattr(models, name)(**chosen))
    save_network(network, tmp_path / "a.safetensors", recipe="none", data={"pictures": 3})

    loaded = load_network(tmp_path / "a.safetensors")

    assert not loaded.training
    assert_same(loaded, network)
    said = read_description(str(tmp_path / "a.safetensors"))
    assert said == describe_network(network) | {"recipe": "none", "data": {"pictures": 3}}


def fit(tmp_path: Path, network: nn.Module, *callbacks: Any) -> Path:
    """Train two steps and save a checkpoint after them."""
    seed_everything(0, verbose=False)
    pictures = torch.rand(4, 3, 16, 16)
    batches = DataLoader([{"input": one, "target": 1 - one} for one in pictures], batch_size=2)
    trainer = Trainer(
        max_epochs=1, accelerator="cpu", logger=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=tmp_path,
        callbacks=[*callbacks, ModelCheckpoint(tmp_path, "run", every_n_train_steps=2)],
    )  # fmt: skip
    trainer.fit(RestorationTask(network), batches)
    return tmp_path / "run.ckpt"


def test_the_network_of_a_trainers_checkpoint_is_rebuilt_from_the_file_alone(
    tmp_path: Path,
) -> None:
    network = MosaicUNet(**SMALL)
    path = fit(tmp_path, network)
    assert_same(load_network(path), network)
    assert read_description(path) == describe_network(network)


def test_of_a_run_with_weight_averaging_the_averaged_weights_are_loaded(tmp_path: Path) -> None:
    network = MosaicUNet(**SMALL)
    path = fit(tmp_path, network, EMAWeightAveraging(decay=0.5))
    content = torch.load(path, weights_only=True)
    loaded = load_network(path).state_dict()

    averaged, current = content["state_dict"], content["current_model_state"]
    for name, value in loaded.items():
        assert torch.equal(value, averaged[f"network.{name}"])
    head = "head.weight"
    assert not torch.equal(loaded[head], current[f"network.{head}"])
    assert not torch.equal(loaded[head], torch.zeros_like(loaded[head]))


def test_of_two_networks_the_generator_is_loaded(tmp_path: Path) -> None:
    network = shaken(SmallMosaicUNet())
    described = {"generator": describe_network(network), "discriminator": {"network": "None"}}
    state = {f"generator.{name}": value for name, value in network.state_dict().items()}
    state["discriminator.weight"] = torch.zeros(3)
    torch.save({KEY: {"networks": described}, "state_dict": state}, tmp_path / "gan.ckpt")
    assert_same(load_network(tmp_path / "gan.ckpt"), network)


def save_task(path: Path, **networks: nn.Module) -> Path:
    """Write a checkpoint as a task of several networks does."""
    described = {role: describe_network(network) for role, network in networks.items()}
    state = {
        f"{role}.{name}": value
        for role, network in networks.items()
        for name, value in network.state_dict().items()
    }
    torch.save({KEY: {"networks": described}, "state_dict": state}, path)
    return path


def test_of_two_translators_the_one_that_is_asked_for_is_loaded(tmp_path: Path) -> None:
    networks = {"g_ab": shaken(MosaicUNet(**SMALL)), "g_ba": SmallMosaicUNet()}
    path = save_task(tmp_path / "cycle.ckpt", **networks)

    assert network_roles(path) == ("g_ab", "g_ba")
    for role, network in networks.items():
        assert_same(load_network(path, role), network)
        assert read_description(path, role) == describe_network(network)


def test_a_role_is_asked_for_where_it_could_be_either(tmp_path: Path) -> None:
    networks = {"g_ab": SmallMosaicUNet(), "g_ba": SmallMosaicUNet()}
    path = save_task(tmp_path / "cycle.ckpt", **networks)

    for read in (load_network, read_description):
        with pytest.raises(
            RoleError, match=r"say which of its networks.*'g_ab', 'g_ba'$"
        ) as caught:
            read(path)
        assert caught.value.roles == ("g_ab", "g_ba")


def test_a_role_that_a_file_lacks_is_answered_with_those_that_it_has(tmp_path: Path) -> None:
    path = save_task(tmp_path / "gan.ckpt", generator=SmallMosaicUNet())
    save_network(SmallMosaicUNet(), tmp_path / "a.safetensors")

    with pytest.raises(RoleError, match=r"no network of the role 'g_ab', only 'generator'$"):
        load_network(path, "g_ab")
    with pytest.raises(RoleError, match=r"no network of the role 'g_ab', only 'network'$"):
        load_network(tmp_path / "a.safetensors", "g_ab")
    assert network_roles(tmp_path / "a.safetensors") == ("network",)
    assert type(load_network(tmp_path / "a.safetensors", "network")) is SmallMosaicUNet


def test_averaged_weights_are_found_by_role(tmp_path: Path) -> None:
    trained, averaged = SmallMosaicUNet(), shaken(SmallMosaicUNet())
    path = save_task(tmp_path / "cycle.ckpt", g_ab=trained, g_ba=trained)
    content = torch.load(path, weights_only=True)
    content[KEY]["networks"]["g_ba"]["weights"] = "averages.g_ba"
    for name, value in averaged.state_dict().items():
        content["state_dict"][f"averages.g_ba.{name}"] = value
    torch.save(content, path)

    assert_same(load_network(path, "g_ab"), trained)
    assert_same(load_network(path, "g_ba"), averaged)


@pytest.mark.parametrize("networks", [{}, [], 5, None, "g_ab", {"g_ab": 3}])
def test_roles_of_another_kind_are_refused(tmp_path: Path, networks: Any) -> None:
    torch.save({KEY: {"networks": networks}, "state_dict": {}}, tmp_path / "odd.ckpt")
    for read in (network_roles, load_network):
        with pytest.raises(CheckpointError, match=r"odd\.ckpt"):
            read(tmp_path / "odd.ckpt")


class Malicious:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.marker}'",)


@pytest.mark.parametrize("name", ["evil.ckpt", "evil.safetensors", "old.ckpt"])
def test_a_file_cannot_run_code(tmp_path: Path, name: str) -> None:
    path, marker = tmp_path / name, tmp_path / "marker"
    content = {KEY: {"networks": {"network": Malicious(marker)}}, "state_dict": {}}
    if name == "old.ckpt":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path)

    with pytest.raises(CheckpointError, match=name):
        load_network(path)
    assert not marker.exists()

    if name == "evil.ckpt":  # it would have, if it had been let
        torch.load(path, weights_only=False)
        assert marker.exists()


def test_only_networks_that_the_package_exports_are_built(tmp_path: Path) -> None:
    for name in ("Tensor", "MosaicUNet.forward", "mosaic_unet", "_check", "__loader__"):
        description = {"network": name, "arguments": {}}
        with pytest.raises(ValueError, match=f"'{name}' is no network of lit_restore"):
            build_network(description)
        content = {KEY: {"networks": {"network": description}}, "state_dict": {}}
        torch.save(content, tmp_path / "odd.ckpt")
        with pytest.raises(CheckpointError, match=name):
            load_network(tmp_path / "odd.ckpt")


def test_a_network_of_another_package_is_not_described() -> None:
    class MosaicUNet(models.MosaicUNet):
        """Has the name of one of ours."""

    for network in (nn.Conv2d(3, 3, 1), MosaicUNet(**SMALL)):
        with pytest.raises(ValueError, match=r"only networks of lit_restore.models.*SmallMosaic"):
            describe_network(network)


def test_weights_are_written_as_safetensors_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"written as .safetensors, got net.pt"):
        save_network(SmallMosaicUNet(), tmp_path / "net.pt")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    for path in (tmp_path / "none.ckpt", tmp_path):
        with pytest.raises(CheckpointError, match="there is no such file"):
            load_network(path)


@pytest.mark.parametrize("suffix", ["ckpt", "safetensors"])
def test_a_truncated_or_foreign_file_is_refused_by_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cut.{suffix}"
    if suffix == "ckpt":
        fit(tmp_path, SmallMosaicUNet()).rename(path)
    else:
        save_network(SmallMosaicUNet(), path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:100], b"", b"\x89PNG not weights at all"):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=rf"cut\.{suffix}: ") as caught:
            load_network(path)
        assert "\n" not in str(caught.value)


def test_a_file_that_describes_no_network_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    torch.save({"state_dict": {}}, tmp_path / "other.ckpt")
    torch.save([1, 2], tmp_path / "list.ckpt")
    for name in ("other.safetensors", "other.ckpt", "list.ckpt"):
        with pytest.raises(CheckpointError, match="says nothing of a network of lit_restore"):
            load_network(tmp_path / name)


@pytest.mark.parametrize(
    "change",
    [{"arguments": {"widths": [4, 8], "dilations": [2]}}, {"arguments": {"width": 4}},
     {"arguments": {"widths": []}}, {"arguments": {"widths": 5}}, {"arguments": None}],
)  # fmt: skip
def test_weights_that_do_not_fit_their_description_are_refused(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    network = MosaicUNet(**SMALL)
    save_network(network, tmp_path / "a.safetensors", **change)  # the change overrides the truth
    with pytest.raises(CheckpointError, match="do not fit their network"):
        load_network(tmp_path / "a.safetensors")


@pytest.mark.parametrize("description", [[1, 2], "MosaicUNet", 5, None, {}])
def test_a_description_of_another_kind_is_refused(tmp_path: Path, description: Any) -> None:
    from safetensors.torch import save_file

    metadata = {KEY: json.dumps(description)}
    save_file({"weight": torch.zeros(3)}, tmp_path / "odd.safetensors", metadata)
    with pytest.raises(CheckpointError, match=r"odd\.safetensors"):
        load_network(tmp_path / "odd.safetensors")


def graph(kind: str = "Conv2D", **more: Any) -> dict[str, Any]:
    """Describe a network of one convolution, as a converted Keras model is described."""
    arguments = {
        "in_channels": 3,
        "out_channels": 4,
        "kernel_size": [3, 3],
        "padding": "same",
        **more,
    }
    node = {"name": "a/b", "layer": kind, "inputs": ["i"], "arguments": arguments}
    inputs = [{"name": "i", "shape": [3, None, None]}]
    return {"inputs": inputs, "outputs": ["a/b"], "nodes": [node]}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_a_graph_comes_back_bit_for_bit_in_its_own_type(tmp_path: Path, dtype: torch.dtype) -> None:
    network = shaken(GraphNetwork(graph()).to(dtype))

    save_network(network, tmp_path / "g.safetensors")
    found = load_network(tmp_path / "g.safetensors")

    assert isinstance(found, GraphNetwork)
    assert found.graph == network.graph
    for name, value in network.state_dict().items():
        assert found.state_dict()[name].dtype == dtype
        assert torch.equal(found.state_dict()[name], value)


@pytest.mark.parametrize(
    ("described", "message"),
    [
        (graph("Lambda"), "expected a layer of"),
        (graph("__import__"), "expected a layer of"),
        (graph(nothing=1), "does not take"),
        (graph(out_channels=1 << 40), "must be a whole number"),
        ({"inputs": []}, "must have inputs, outputs and nodes"),
        (None, "must have inputs, outputs and nodes"),
    ],
)
def test_a_graph_of_anything_but_known_layers_is_refused(
    tmp_path: Path, described: Any, message: str
) -> None:
    network = GraphNetwork(graph())
    network.graph = described
    save_network(network, tmp_path / "g.safetensors")

    with pytest.raises(CheckpointError, match=message):
        load_network(tmp_path / "g.safetensors")


SAID: dict[str, Any] = {
    "class_names": ("background", "red", "green"),
    "class_colours": ((0, 0, 0), (128, 0, 0), (0, 128, 0)),
    "working_side": 320,
}


@pytest.mark.parametrize("kind", ["ckpt", "safetensors"])
def test_what_a_training_knew_of_the_classes_comes_back(tmp_path: Path, kind: str) -> None:
    network = models.ConvSegmenter(num_classes=3, width=4, depth=1)
    for name, value in SAID.items():
        setattr(network, name, value)
    path = tmp_path / f"classes.{kind}"
    if kind == "ckpt":
        save_task(path, network=network)
    else:
        save_network(network, path)

    loaded = load_network(path)

    assert {name: getattr(loaded, name) for name in SAID} == SAID
    assert read_description(path) == describe_network(network) == describe_network(loaded)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"class_names": ["background", "red"]}, "class_names must be 3 for num_classes 3, got 2"),
        ({"class_colours": [[0, 0, 0]] * 2 + [[0, 999, 0]]}, "levels from 0 to 255"),
        ({"working_side": -1}, "working_side must be a number of pixels"),
    ],
)
def test_a_file_that_lies_of_its_classes_is_refused(
    tmp_path: Path, said: dict[str, Any], message: str
) -> None:
    path = tmp_path / "lie.safetensors"
    save_network(models.ConvSegmenter(num_classes=3, width=4, depth=1), path, **said)
    with pytest.raises(CheckpointError, match=rf"lie\.safetensors: .*{message}"):
        load_network(path)
