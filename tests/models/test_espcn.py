"""Tests of lit_restore.models.espcn."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from lit_restore.models import ESPCN
from lit_restore.nn import depth_to_space


def test_the_paper_s_network_has_three_convolutions_of_its_sizes() -> None:
    shapes = [tuple(conv.weight.shape) for conv in ESPCN(3).convs]
    assert shapes == [(64, 1, 5, 5), (32, 64, 3, 3), (9, 32, 3, 3)]


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 3])
def test_it_enlarges(scale: int, channels: int) -> None:
    network = ESPCN(scale, channels, widths=(5, 4))
    assert (network.scale, network.multiple_of) == (scale, 1)
    assert network(torch.rand(2, channels, 7, 10)).shape == (2, channels, 7 * scale, 10 * scale)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("order", ["torch", "tensorflow"])
def test_it_is_convolutions_an_activation_between_and_a_shuffle(
    activation: Any, order: Any
) -> None:
    torch.manual_seed(0)
    network = ESPCN(2, 3, (5, 4), activation=activation, order=order).double()
    x = image = torch.rand(1, 3, 6, 7, dtype=torch.float64)
    for index, conv in enumerate(network.convs):
        x = F.conv2d(x, conv.weight, conv.bias, padding=conv.kernel_size[0] // 2)
        if index < 2:
            x = x.tanh() if activation == "tanh" else x.clamp(min=0)
    torch.testing.assert_close(network(image), depth_to_space(x, 2, order))


@pytest.mark.parametrize("order", ["torch", "tensorflow"])
def test_with_relu_it_begins_as_repeated_pixels(order: Any) -> None:
    torch.manual_seed(0)
    image = torch.rand(1, 3, 4, 4).repeat_interleave(6, 2).repeat_interleave(6, 3)
    found = ESPCN(2, 3, activation="relu", order=order)(image)
    repeated = F.interpolate(image, scale_factor=2, mode="nearest")
    assert (found - repeated).square().mean().sqrt() < 0.06


def test_it_begins_where_tanh_bends_and_does_not_see_the_mean() -> None:
    torch.manual_seed(0)
    contrast = 0.1 * torch.randn(4, 1, 32, 32)
    first, last = ESPCN(3).convs[0], ESPCN(3).convs[-1]
    inside = (..., slice(2, -2), slice(2, -2))

    assert 0.3 < first(0.45 + contrast).std() < 1.5
    torch.testing.assert_close(first(0.45 + contrast)[inside], first(contrast)[inside])
    torch.testing.assert_close(last.bias, torch.full((9,), 0.45))


def test_more_layers_can_be_had() -> None:
    network = ESPCN(2, 1, (6, 5, 4), (5, 3, 3, 3))
    assert len(network.convs) == 4
    assert network(torch.rand(1, 1, 4, 5)).shape == (1, 1, 8, 10)


def test_every_parameter_gets_a_gradient() -> None:
    network = ESPCN(3, 1, (5, 4))
    network(torch.rand(2, 1, 6, 5)).square().sum().backward()
    assert [name for name, value in network.named_parameters() if not value.grad.abs().any()] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [({"scale": 0}, "scale must be at least 1, got 0"),
     ({"kernel_sizes": (5, 3)}, r"kernel_sizes must be 3 odd numbers, got \[5, 3\]"),
     ({"kernel_sizes": (5, 4, 3)}, r"kernel_sizes must be 3 odd numbers, got \[5, 4, 3\]"),
     ({"activation": "gelu"}, "activation must be 'tanh' or 'relu', got 'gelu'")],
)  # fmt: skip
def test_what_cannot_be_built_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ESPCN(**options)
