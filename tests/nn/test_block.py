"""Tests of lit_restore.nn.block."""

from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from lit_restore.nn import ConvNormAct, KerasBatchNorm2d


def normalised(x: Tensor, layer: nn.BatchNorm2d) -> Tensor:
    """BatchNorm while training, written out."""
    mean = x.mean(dim=(0, 2, 3), keepdim=True)
    variance = (x - mean).square().mean(dim=(0, 2, 3), keepdim=True)
    weight, bias = layer.weight.view(1, -1, 1, 1), layer.bias.view(1, -1, 1, 1)
    return (x - mean) / (variance + layer.eps).sqrt() * weight + bias


@pytest.fixture
def image() -> Tensor:
    return torch.randn(2, 3, 8, 10, generator=torch.Generator().manual_seed(0)).double()


def block(order: Literal["cna", "can"] = "cna", **options: int) -> ConvNormAct:
    layer = ConvNormAct(3, 5, order=order, **options).double()
    nn.init.normal_(layer.norm.weight)
    nn.init.normal_(layer.norm.bias)
    return layer


def test_by_default_the_activation_comes_last(image: Tensor) -> None:
    layer = block()
    expected = normalised(layer.conv(image), layer.norm).clamp(min=0)
    torch.testing.assert_close(layer(image), expected, rtol=0, atol=1e-12)
    assert layer(image).min() == 0


def test_the_order_can_puts_normalisation_last(image: Tensor) -> None:
    layer = block("can")
    expected = normalised(layer.conv(image).clamp(min=0), layer.norm)
    torch.testing.assert_close(layer(image), expected, rtol=0, atol=1e-12)
    assert layer(image).min() < 0


def test_stride_and_dilation_reach_the_convolution(image: Tensor) -> None:
    assert block(stride=2)(image).shape == (2, 5, 4, 5)
    assert block(dilation=2)(image).shape == (2, 5, 8, 10)
    assert block(dilation=2).conv.dilation == (2, 2)


def test_there_is_a_bias_unless_normalisation_takes_it_away() -> None:
    assert ConvNormAct(3, 5).conv.bias is None
    assert ConvNormAct(3, 5, order="can").conv.bias is not None
    assert ConvNormAct(3, 5, norm="none").conv.bias is not None
    assert ConvNormAct(3, 5, bias=True).conv.bias is not None
    assert ConvNormAct(3, 5, norm="none", bias=False).conv.bias is None


def test_without_normalisation_it_is_a_convolution_with_relu(image: Tensor) -> None:
    layer = ConvNormAct(3, 5, norm="none").double()
    torch.testing.assert_close(layer(image), layer.conv(image).relu(), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("option", "message"),
    [({"order": "nca"}, "order must be 'cna' or 'can', got 'nca'"),
     ({"norm": "instance"}, "norm must be 'batch' or 'none', got 'instance'")],
)  # fmt: skip
def test_an_unknown_option_is_refused(option: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ConvNormAct(3, 5, **option)


def test_without_padding_the_border_is_not_judged(image: Tensor) -> None:
    layer, padded = ConvNormAct(3, 5, padding="valid").double().eval(), block().eval()
    layer.load_state_dict(padded.state_dict())
    assert layer(image).shape == (2, 5, 6, 8)
    expected = padded(image)[..., 1:-1, 1:-1]
    torch.testing.assert_close(layer(image), expected, rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="padding must be 'same' or 'valid', got 'full'"):
        ConvNormAct(3, 5, padding="full")


def test_the_style_is_whose_constants_batch_norm_has() -> None:
    assert type(ConvNormAct(3, 5).norm) is nn.BatchNorm2d
    norm = ConvNormAct(3, 5, style="keras").norm
    assert isinstance(norm, KerasBatchNorm2d)
    assert (norm.eps, norm.momentum) == (1e-3, 0.01)
