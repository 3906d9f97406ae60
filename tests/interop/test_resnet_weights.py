"""Tests of lit_restore.interop.resnet_weights."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from lit_restore.interop import KerasFileError, TorchFileError, load_backbone, save_keras_weights
from lit_restore.interop.name_maps import resnet_keras_names
from lit_restore.models import ResNet

LAST = ("fc.weight", "fc.bias")


def network(style: Any = "torch", num_classes: int = 5, **options: Any) -> ResNet:
    torch.manual_seed(num_classes)
    made = ResNet(depths=(1, 2), width=4, num_classes=num_classes, style=style, **options)
    for value in made.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value))
    return made


def stored(source: ResNet, path: Path) -> Path:
    """Write a network as others publish theirs."""
    match path.suffix:
        case ".safetensors":
            save_file(source.state_dict(), path)
        case ".h5":
            save_keras_weights(source, path, resnet_keras_names(source.depths))
        case _:
            torch.save(source.state_dict(), path)
    return path


def style_of(name: str) -> Any:
    return "keras" if name.endswith(".h5") else "torch"


def same(one: ResNet, other: ResNet, but: tuple[str, ...] = ()) -> bool:
    state = other.state_dict()
    return all(
        torch.equal(value, state[name])
        for name, value in one.state_dict().items()
        if name not in but and "tracked" not in name
    )


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors", "a.h5", "a.weights.h5"])
def test_a_file_of_as_many_classes_fills_everything(name: str, tmp_path: Path) -> None:
    source = network(style_of(name))
    path = stored(source, tmp_path / name)
    filled = ResNet((1, 2), width=4, num_classes=5, style=style_of(name))
    assert load_backbone(filled, path) == ()
    assert same(filled, source)


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors", "a.h5", "a.weights.h5"])
def test_the_last_layer_of_other_classes_stays_as_it_was(name: str, tmp_path: Path) -> None:
    source, filled = network(style_of(name), 7), network(style_of(name), 5)
    last = filled.fc.weight.clone()
    assert load_backbone(filled, stored(source, tmp_path / name)) == LAST
    assert same(filled, source, LAST)
    assert torch.equal(filled.fc.weight, last)


def test_a_file_without_a_last_layer_fills_the_rest(tmp_path: Path) -> None:
    source, filled = network(), network(num_classes=3)
    state = {name: value for name, value in source.state_dict().items() if name not in LAST}
    torch.save(state, tmp_path / "a.pth")
    assert load_backbone(filled, tmp_path / "a.pth") == LAST
    assert same(filled, source, LAST)


def test_a_keras_file_without_its_last_layer_fills_the_rest(tmp_path: Path) -> None:
    source, filled = network("keras"), network("keras", 3)
    names = resnet_keras_names(source.depths)
    del source.fc
    save_keras_weights(source, tmp_path / "a.h5", dict(list(names.items())[:-1]))
    assert load_backbone(filled, tmp_path / "a.h5") == LAST
    assert same(source, filled)


def test_a_file_from_before_batches_were_counted_loads(tmp_path: Path) -> None:
    source, filled = network(), network(num_classes=3)
    state = {name: one for name, one in source.state_dict().items() if "tracked" not in name}
    torch.save(state, tmp_path / "a.pth")
    assert load_backbone(filled, tmp_path / "a.pth") == LAST
    assert same(filled, source, LAST)


def test_the_names_are_those_of_keras_applications() -> None:
    names = resnet_keras_names((3, 4, 6, 3))
    assert len(names) == 2 + 2 * (3 * 16 + 4) + 1
    assert names["conv2_block1_0_conv"] == "layer1.0.downsample.0"
    assert names["conv3_block4_2_bn"] == "layer2.3.bn2"
    assert names["conv5_block3_3_conv"] == "layer4.2.conv3"
    assert names["predictions"] == "fc"


def damaged(state: dict[str, Tensor], how: str) -> dict[str, Tensor]:
    match how:
        case "nothing for layer2.1.conv2.weight":
            del state["layer2.1.conv2.weight"]
        case "layer9.weight is none of the network's":
            state["layer9.weight"] = torch.zeros(2)
        case _:
            state["conv1.weight"] = torch.zeros(4, 1, 7, 7)
    return state


@pytest.mark.parametrize(
    "how",
    [
        "nothing for layer2.1.conv2.weight",
        "layer9.weight is none of the network's",
        r"conv1.weight must have shape \(4, 3, 7, 7\), got \(4, 1, 7, 7\)",
    ],
)
def test_what_fits_by_half_is_refused_and_nothing_filled(how: str, tmp_path: Path) -> None:
    torch.save(damaged(network(num_classes=7).state_dict(), how), tmp_path / "a.pth")
    filled, before = network(num_classes=3), network(num_classes=3)
    with pytest.raises(TorchFileError, match=how):
        load_backbone(filled, tmp_path / "a.pth")
    assert same(filled, before)


def test_a_file_of_the_other_style_is_refused(tmp_path: Path) -> None:
    theirs, ours = network("keras"), network("torch")
    with pytest.raises(KerasFileError, match="but conv1 has"):
        load_backbone(ours, stored(theirs, tmp_path / "a.h5"))
    with pytest.raises(TorchFileError, match=r"nothing for conv1\.bias"):
        load_backbone(theirs, stored(ours, tmp_path / "a.pth"))
    with pytest.raises(KerasFileError, match="have block='bottleneck', got 'basic'"):
        load_backbone(network("keras", block="basic"), tmp_path / "a.h5")


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_a_file_that_cannot_be_read_is_said_by_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(TorchFileError, match=f"{name}: cannot be read"):
        load_backbone(network(), tmp_path / name)
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(TorchFileError, match=name):
        load_backbone(network(), tmp_path / name)
