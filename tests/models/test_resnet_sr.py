"""Tests of lit_restore.models.resnet_sr."""

import pytest
import torch
from torch import nn

from lit_restore.models import ResNetSR
from lit_restore.nn import KerasBatchNorm2d


def awake(network: ResNetSR) -> ResNetSR:
    """Give every parameter and statistic a value of its own."""
    torch.manual_seed(0)
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            positive = name.endswith("var") or ("norm" in name and "weight" in name)
            value.copy_(torch.rand_like(value) * 0.4 - 0.2 + positive)
    return network.eval()


@pytest.mark.parametrize("channels", [1, 3])
def test_it_doubles_the_size(channels: int) -> None:
    network = ResNetSR(channels, width=4, depth=2)
    assert network.scale == 2
    assert network(torch.rand(2, channels, 7, 10)).shape == (2, channels, 14, 20)


def test_depth_counts_blocks_of_two_convolutions() -> None:
    for depth in (1, 6):
        network = ResNetSR(width=4, depth=depth)
        kinds = [type(module) for module in network.modules()]
        assert kinds.count(KerasBatchNorm2d) == 2 * depth
        assert len([one for one in kinds if issubclass(one, nn.Conv2d)]) == 2 * depth + 3


def test_the_published_network_has_its_number_of_parameters() -> None:
    convolutions = 3 * 576 + 64 + 13 * (36864 + 64) + 576 * 3 + 3
    assert sum(value.numel() for value in ResNetSR().parameters()) == convolutions + 12 * 128


def test_the_normalisation_is_keras_s() -> None:
    norms = [one for one in ResNetSR(width=4).modules() if isinstance(one, KerasBatchNorm2d)]
    assert {(one.eps, one.momentum, one.bessel) for one in norms} == {(1e-3, 0.01, False)}


def test_without_its_blocks_only_the_stem_passes_twice() -> None:
    network = awake(ResNetSR(width=4, depth=2)).double()
    for block in network.blocks:
        block.norm2.weight.data.zero_()
        block.norm2.bias.data.zero_()
    image = torch.rand(1, 3, 5, 6, dtype=torch.float64)
    features = 2 * network.stem(image).clamp(min=0)  # the blocks' own skips, and the long one
    repeated = features.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    expected = network.head(network.refine(repeated).clamp(min=0))
    torch.testing.assert_close(network(image), expected)


def test_a_block_adds_to_what_it_is_given_and_ends_without_relu() -> None:
    block = awake(ResNetSR(width=4, depth=1)).blocks[0].double()
    features = torch.rand(1, 4, 5, 6, dtype=torch.float64)
    change = block(features) - features
    assert change.min() < 0 < change.max()
    hidden = block.norm1(block.conv1(features)).clamp(min=0)
    torch.testing.assert_close(change, block.norm2(block.conv2(hidden)))


def test_every_parameter_gets_a_gradient() -> None:
    network = awake(ResNetSR(width=4, depth=2))
    network(torch.rand(2, 3, 6, 5)).square().sum().backward()
    assert [name for name, value in network.named_parameters() if not value.grad.abs().sum()] == []


def test_a_network_without_blocks_is_refused() -> None:
    with pytest.raises(ValueError, match="depth must be at least 1, got 0"):
        ResNetSR(depth=0)
