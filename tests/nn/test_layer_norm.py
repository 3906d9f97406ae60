"""Tests of lit_restore.nn.layer_norm."""

import numpy as np
import pytest
import torch
from torch import nn

from lit_restore.nn import ChannelLayerNorm2d


def test_the_channels_of_each_pixel_are_normalised() -> None:
    layer = ChannelLayerNorm2d(3, eps=0.01).double()
    layer.weight.data, layer.bias.data = torch.rand(2, 3, dtype=torch.float64)
    image = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    maps = image.numpy()
    expected = (maps - maps.mean(1, keepdims=True)) / np.sqrt(maps.var(1, keepdims=True) + 0.01)
    weight, bias = (value.detach().numpy()[:, None, None] for value in (layer.weight, layer.bias))
    found = layer(image).detach().numpy()
    np.testing.assert_allclose(found, expected * weight + bias, rtol=0, atol=1e-14)


def test_weights_of_torch_fit() -> None:
    layer = ChannelLayerNorm2d(4)
    assert layer.state_dict().keys() == nn.LayerNorm(4).state_dict().keys()
    assert layer.eps == 1e-3
    assert list(ChannelLayerNorm2d(4, affine=False).parameters()) == []


def test_other_channels_are_refused() -> None:
    with pytest.raises(RuntimeError, match=r"expected input with shape \[\*, 3\]"):
        ChannelLayerNorm2d(3)(torch.zeros(1, 2, 4, 4))
