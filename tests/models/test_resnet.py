"""Tests of lit_restore.models.resnet."""

from typing import Any

import pytest
import torch
from torch import nn

from lit_restore.models import ResNet
from lit_restore.nn import KerasBatchNorm2d

SMALL: dict[str, Any] = {"depths": (1, 2), "width": 4, "num_classes": 5}


@pytest.mark.parametrize(
    ("name", "options"),
    [("resnet50", {}), ("resnet34", {"block": "basic"}),
     ("resnet18", {"depths": (2, 2, 2, 2), "block": "basic"})],
)  # fmt: skip
def test_it_is_torchvision_s_to_the_bit(name: str, options: dict[str, Any]) -> None:
    from torchvision import models

    torch.manual_seed(0)
    theirs = getattr(models, name)(weights=None).eval()
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    ours = ResNet(**options).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    image = torch.rand(2, 3, 70, 96)
    with torch.no_grad():
        found = ours(image)
        assert found.std() > 0.01
        assert torch.equal(found, theirs(image))


def test_the_first_weights_are_drawn_as_torchvision_s() -> None:
    from torchvision import models

    states = []
    for build in (lambda: ResNet((2, 2, 2, 2), "basic"), lambda: models.resnet18(weights=None)):
        torch.manual_seed(3)
        states.append(build().state_dict())
    assert all(map(torch.equal, *(state.values() for state in states)))


def test_of_keras_the_stride_is_in_a_block_s_first_convolution() -> None:
    for style, strides in (("keras", [2, 1, 1]), ("torch", [1, 2, 1])):
        network = ResNet(style=style, **SMALL)
        first = network.get_submodule("layer2")[0]
        assert [getattr(first, f"conv{index}").stride[0] for index in (1, 2, 3)] == strides
        assert first.downsample[0].stride == (2, 2)
    basic = ResNet(style="keras", block="basic", **SMALL).get_submodule("layer2")[0]
    assert [basic.conv1.stride[0], basic.conv2.stride[0]] == [2, 1]


def test_of_keras_every_convolution_has_a_bias_and_batch_norm_its_constants() -> None:
    network = ResNet(style="keras", **SMALL)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            assert module.bias is not None
            assert not module.bias.any()
        if isinstance(module, nn.BatchNorm2d):
            assert isinstance(module, KerasBatchNorm2d)
            assert (module.eps, module.momentum) == (1.001e-5, 0.01)
    assert not network.fc.bias.any()
    plain = [one for one in ResNet(**SMALL).modules() if isinstance(one, nn.Conv2d)]
    assert all(one.bias is None for one in plain)


@pytest.mark.parametrize(("stem", "side"), [("imagenet", 4), ("small", 16)])
def test_the_stem_for_small_pictures_keeps_their_size(stem: Any, side: int) -> None:
    network = ResNet(depths=(1,), block="basic", width=4, num_classes=3, stem=stem)
    seen: list[Any] = []
    network.get_submodule("layer1").register_forward_pre_hook(lambda _, given: seen.append(given))
    assert network(torch.rand(2, 3, 16, 16)).shape == (2, 3)
    assert seen[0][0].shape == (2, 4, side, side)


def test_a_block_adds_what_it_computes_to_its_input() -> None:
    network = ResNet(block="basic", **SMALL).eval()
    block = network.get_submodule("layer2")[1]
    nn.init.zeros_(block.bn2.weight)
    x = torch.rand(1, 8, 6, 6)
    assert torch.equal(block(x), x)
    nn.init.constant_(block.bn2.bias, -0.5)
    assert torch.equal(block(x), (x - 0.5).relu())


def test_it_learns_through_every_parameter() -> None:
    for style, block in (("torch", "bottleneck"), ("keras", "basic")):
        network = ResNet(style=style, block=block, **SMALL)
        network(torch.rand(4, 3, 32, 32)).square().sum().backward()
        assert all(value.grad is not None for value in network.parameters())
        assert network.conv1.weight.grad.abs().max() > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [({"depths": ()}, "depths must be"), ({"depths": (1, 0)}, r"depths must be .*\[1, 0\]"),
     ({"block": "wide"}, "block must be 'basic' or 'bottleneck', got 'wide'"),
     ({"stem": "tiny"}, "stem must be"), ({"style": "tf"}, "style must be"),
     ({"num_classes": 0}, "num_classes must be at least 1")],
)  # fmt: skip
def test_what_it_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ResNet(**SMALL | options)


def test_a_picture_of_other_channels_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected shape \(N, 3, H, W\)"):
        ResNet(**SMALL)(torch.rand(2, 1, 16, 16))
