"""Tests of lit_restore.nn.upsample_conv."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lit_restore.nn import UpsampleConv2d
from lit_restore.nn import upsample_conv as module

SHAPES = [(1, 2), (2, 2), (3, 2), (4, 2), (5, 3), (4, 4), (3, 3)]  # kernel, scale


def gradients(layer: UpsampleConv2d, image: Tensor) -> list[Tensor]:
    """The output, and the gradients of the input and every parameter."""
    output = layer(image)
    wanted = [image, *layer.parameters()]
    return [output.detach(), *torch.autograd.grad(output.sin().sum(), wanted)]


@pytest.mark.parametrize(("kernel", "scale"), SHAPES)
@pytest.mark.parametrize("bias", [True, False])
def test_folding_changes_neither_outputs_nor_gradients(
    kernel: int, scale: int, bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FOLDED_FROM", 0)
    torch.manual_seed(0)
    plain = UpsampleConv2d(3, 4, kernel, scale, folded=False, bias=bias).double()
    folded = UpsampleConv2d(3, 4, kernel, scale, bias=bias).double()
    folded.load_state_dict(plain.state_dict())
    image = torch.randn(2, 3, 5, 4, dtype=torch.float64, requires_grad=True)
    for found, wanted in zip(gradients(folded, image), gradients(plain, image), strict=True):
        assert (found - wanted).abs().max() < 1e-12 * wanted.abs().max()


def test_plain_is_nearest_enlargement_and_a_same_convolution() -> None:
    layer = UpsampleConv2d(3, 4, 4, folded=False).double()
    image = torch.randn(1, 3, 3, 5, dtype=torch.float64)
    enlarged = image.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    expected = F.conv2d(F.pad(enlarged, (1, 2, 1, 2)), layer.weight, layer.bias)
    torch.testing.assert_close(layer(image), expected)
    wrong = F.conv2d(F.pad(enlarged, (2, 1, 2, 1)), layer.weight, layer.bias)
    assert (wrong - expected).abs().max() > 0.05


def test_large_maps_are_folded_and_few_pixels_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []
    inner = module.conv_enlarged

    def watched(image: Tensor, *others: object) -> Tensor:
        seen.append(tuple(image.shape))
        return inner(image, *others)

    monkeypatch.setattr(module, "conv_enlarged", watched)
    for folded in (True, False):
        layer = UpsampleConv2d(2, 3, 4, folded=folded)
        for shape in [(1, 2, 11, 11), (1, 2, 16, 8), (8, 2, 4, 4)]:
            layer(torch.rand(shape))
    assert seen == [(1, 2, 16, 8), (8, 2, 4, 4)]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_bfloat16_comes_near(layout: torch.memory_format) -> None:
    layer = UpsampleConv2d(8, 8, 4)
    image = torch.rand(2, 8, 12, 12).contiguous(memory_format=layout)
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(image)
    assert found.dtype == torch.bfloat16
    assert (found - layer(image)).abs().max() < 0.02


def test_both_forms_have_the_same_state_and_can_be_copied() -> None:
    layers = [UpsampleConv2d(2, 3, 4, folded=on) for on in (True, False)]
    assert [set(layer.state_dict()) for layer in layers] == [{"weight", "bias"}] * 2
    image = torch.rand(1, 2, 12, 12)
    assert torch.equal(copy.deepcopy(layers[0])(image), layers[0](image))


def test_a_scale_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="scale must be at least 2, got 1"):
        UpsampleConv2d(2, 3, 4, scale=1)
