"""Tests of lit_restore.interop.name_maps."""

import pytest
from torch import nn

from lit_restore.interop import name_maps as tables
from lit_restore.interop.name_maps import name_maps
from lit_restore.models import SRCNN, MosaicUNet, ResNet, ResNetSR, VGGFeatures
from lit_restore.models.vgg import layer_names


@pytest.mark.parametrize(
    ("network", "origins"),
    [(SRCNN(), ["titu1994", "markprecursor"]), (ResNetSR(), ["titu1994"]),
     (ResNet(width=2, num_classes=3), ["keras"]),
     (VGGFeatures(widths=(1, 1, 1, 1, 1)), ["keras", "keras_whole"]),
     (VGGFeatures(19, "block5_conv4", widths=(1, 1, 1, 1, 1)), ["keras", "keras_whole"])],
)  # fmt: skip
def test_a_table_leads_to_every_module_with_weights_once(
    network: nn.Module, origins: list[str]
) -> None:
    modules = [path for path, one in network.named_modules() if list(one.parameters(recurse=False))]
    found = name_maps(network)
    assert list(found) == origins
    for names in found.values():
        assert sorted(place for place in names.values() if place) == sorted(modules)


@pytest.mark.parametrize("depth", [16, 19])
def test_the_layers_of_vgg_are_the_convolutions_by_name(depth: int) -> None:
    names = tables.VGG16_KERAS if depth == 16 else tables.VGG19_KERAS
    last = list(names)[-1]
    network = VGGFeatures(depth, last, widths=(1, 1, 1, 1, 1))  # type: ignore[arg-type]
    convolutions = [name for name in layer_names(depth) if "conv" in name]
    assert list(names) == convolutions
    for name, place in names.items():
        assert place == f"features.{network.ends[name] - 1}"  # the ReLU is the layer's end


def test_layers_after_the_end_of_a_network_have_no_module() -> None:
    names = name_maps(VGGFeatures(layer="block2_pool", widths=(1, 1, 1, 1, 1)))["keras"]
    assert [name for name, place in names.items() if place] == [
        "block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2",
    ]  # fmt: skip
    assert len(names) == 13
    names = name_maps(VGGFeatures(widths=(1, 1, 1, 1, 1)))["keras_whole"]
    assert [name for name, place in names.items() if not place] == ["fc1", "fc2", "predictions"]


def test_networks_of_nobody_else_s_have_no_tables() -> None:
    assert name_maps(MosaicUNet(widths=(4,))) == {}
