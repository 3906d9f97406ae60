"""Tests of lit_restore.nn.init."""

import math

import pytest
import torch
from torch import nn

from lit_restore.nn import SameConvTranspose2d, glorot_uniform_

LAYERS = [
    (nn.Conv2d(30, 70, 3), 100 * 9),
    (nn.ConvTranspose2d(30, 70, 5), 100 * 25),
    (SameConvTranspose2d(70, 30, 4), 100 * 16),
    (nn.Linear(200, 300), 500),
]


@pytest.mark.parametrize(("layer", "fans"), LAYERS)
def test_weights_fill_the_range_evenly_and_biases_are_0(layer: nn.Module, fans: int) -> None:
    torch.manual_seed(0)
    assert glorot_uniform_(layer) is layer
    limit = math.sqrt(6 / fans)
    weight = layer.weight.detach() / limit
    assert 0.999 < weight.max() <= 1
    assert -1 <= weight.min() < -0.999
    assert weight.std().item() == pytest.approx(1 / math.sqrt(3), rel=0.02)
    assert layer.bias.eq(0).all()


def test_all_layers_of_a_network_are_drawn_and_nothing_else() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.PReLU(4, init=0.7))
    network.append(nn.Sequential(nn.Conv2d(4, 2, 3, bias=False)))
    network[1].bias.data.fill_(0.3)
    before = {name: value.clone() for name, value in network.named_parameters()}
    glorot_uniform_(network)
    changed = {n for n, value in network.named_parameters() if not torch.equal(value, before[n])}
    assert changed == {"0.weight", "0.bias", "3.0.weight"}
