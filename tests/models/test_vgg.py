"""Tests of lit_restore.models.vgg."""

from typing import Any

import pytest
import torch

from lit_restore.models import VGGFeatures
from lit_restore.models.vgg import caffe_pixels, imagenet_pixels, layer_names

THIN: dict[str, Any] = {"widths": (3, 4, 5, 6, 7)}
POOLS: tuple[Any, Any] = ("max", "average")


@pytest.mark.parametrize(("depth", "layer"), [(16, "block5_pool"), (19, "block5_pool")])
def test_parameters_are_called_and_used_as_in_torchvision(depth: Any, layer: str) -> None:
    torchvision = pytest.importorskip("torchvision")
    theirs = getattr(torchvision.models, f"vgg{depth}")(weights=None).features.eval()
    ours = VGGFeatures(depth, layer, inputs="raw")

    ours.features.load_state_dict(theirs.state_dict())

    image = torch.rand(1, 3, 32, 48)
    torch.testing.assert_close(ours(image), theirs(image))


@pytest.mark.parametrize(
    ("depth", "layer", "last", "shape"),
    [(16, "block5_conv3", 29, (7, 2, 3)), (19, "block5_conv4", 35, (7, 2, 3)),
     (19, "block2_conv2", 8, (4, 16, 24)), (16, "block3_pool", 16, (5, 4, 6)),
     (16, "block1_conv1", 1, (3, 32, 48))],
)  # fmt: skip
def test_it_ends_with_the_named_layer_and_its_relu(
    depth: Any, layer: str, last: int, shape: tuple[int, ...]
) -> None:
    network = VGGFeatures(depth, layer, **THIN)
    assert len(network.features) == last + 1
    found = network(torch.rand(2, 3, 32, 48))
    assert found.shape == (2, *shape)
    assert found.min() >= 0


def test_maps_of_several_layers_are_those_of_networks_that_end_there() -> None:
    image = torch.rand(1, 3, 32, 32)
    network = VGGFeatures(19, "block4_conv2", **THIN)
    wanted = ["block1_conv1", "block2_pool", "block3_conv4", "block4_conv2"]

    found = network.maps(image, wanted[::-1])

    assert list(found) == wanted
    for layer, value in found.items():
        short = VGGFeatures(19, layer, **THIN)
        short.load_state_dict(network.state_dict(), strict=False)
        assert torch.equal(short(image), value)


def test_a_map_is_not_changed_by_the_layers_after_it() -> None:
    image = torch.rand(1, 3, 32, 32)
    network = VGGFeatures(16, "block2_conv2", inputs="raw", **THIN)
    seen: list[torch.Tensor] = []
    network.features[0].register_forward_hook(lambda *call: seen.append(call[2]))
    network(image)
    assert torch.equal(seen[0], network.features[0](image))
    assert seen[0].min() < 0


def test_there_are_as_many_layers_as_the_names_say() -> None:
    for depth in (16, 19):
        names = list(layer_names(depth))
        assert len([name for name in names if "conv" in name]) == depth - 3
        assert len([name for name in names if "pool" in name]) == 5
        assert names[:3] == ["block1_conv1", "block1_conv2", "block1_pool"]
    assert list(layer_names(19))[-2:] == ["block5_conv4", "block5_pool"]


def test_caffe_s_pixels_are_bgr_in_255_less_the_mean() -> None:
    red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
    expected = torch.tensor([-103.939, -116.779, 255 - 123.68]).view(1, 3, 1, 1)
    torch.testing.assert_close(caffe_pixels(red), expected)


def test_imagenet_s_pixels_are_normalised_as_torchvision_does() -> None:
    transforms = pytest.importorskip("torchvision.transforms.v2")
    image = torch.rand(2, 3, 4, 5)
    normalize = transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    torch.testing.assert_close(imagenet_pixels(image), normalize(image))


def test_the_picture_is_turned_to_what_the_weights_want() -> None:
    torch.manual_seed(0)
    image = torch.rand(1, 3, 8, 9)
    caffe, imagenet, raw = (
        VGGFeatures(16, "block1_conv2", inputs, **THIN) for inputs in ("caffe", "imagenet", "raw")
    )
    imagenet.load_state_dict(caffe.state_dict())
    raw.load_state_dict(caffe.state_dict())
    assert torch.equal(caffe(image), raw(caffe_pixels(image)))
    assert torch.equal(imagenet(image), raw(imagenet_pixels(image)))
    assert not torch.allclose(caffe(image), imagenet(image))


def test_the_pooling_is_the_greatest_or_the_mean_of_four_pixels() -> None:
    image = torch.rand(1, 3, 6, 8)
    greatest, mean = (VGGFeatures(16, "block1_pool", pool=pool, **THIN) for pool in POOLS)
    mean.load_state_dict(greatest.state_dict())
    maps = greatest.maps(image, ["block1_conv2"])["block1_conv2"]
    fours = maps.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
    torch.testing.assert_close(greatest(image), fours.amax(-1))
    torch.testing.assert_close(mean(image), fours.mean(-1))
    assert (greatest.pool, mean.pool) == POOLS


@pytest.mark.parametrize(
    ("options", "message"),
    [({"depth": 13}, "depth must be 16 or 19, got 13"),
     ({"layer": "block5_conv4"}, "block5_pool; got 'block5_conv4'"),
     ({"inputs": "rgb"}, "inputs must be one of caffe, .*raw; got 'rgb'"),
     ({"widths": (4, 5)}, r"widths must be five, got \[4, 5\]"),
     ({"pool": "min"}, "pool must be 'max' or 'average', got 'min'")],
)  # fmt: skip
def test_what_cannot_be_built_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VGGFeatures(**options)


def test_layers_that_are_not_there_and_pictures_that_are_too_small_are_refused() -> None:
    network = VGGFeatures(16, "block2_pool", **THIN)
    with pytest.raises(ValueError, match=r"block2_pool; got \['block3_conv1'\]"):
        network.maps(torch.rand(1, 3, 8, 8), ["block1_conv1", "block3_conv1"])
    with pytest.raises(ValueError, match="image must be at least 4x4 pixels, got 3x9"):
        network(torch.rand(1, 3, 3, 9))
    assert network(torch.rand(1, 3, 4, 7)).shape == (1, 4, 1, 1)
