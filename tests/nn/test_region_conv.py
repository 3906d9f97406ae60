"""Tests of lit_restore.nn.region_conv."""

from itertools import product

import pytest
import torch
from torch import Tensor

from lit_restore.nn import RegionConv2d, SameConv2d


def drawn(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def mask_of(height: int, width: int) -> Tensor:
    mask = torch.ones(2, 1, height, width)
    mask[:, :, 1:3, : width // 2] = 0
    return mask


def one_kernel(layer: RegionConv2d, region: int, stride: int, dilation: int) -> SameConv2d:
    _, out, inputs, size, _ = layer.weight.shape
    conv = SameConv2d(inputs, out, size, stride, dilation).double()
    conv.load_state_dict({"weight": layer.weight[region], "bias": layer.bias[region]})
    return conv


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation"), [*product(range(1, 6), (1, 2), (1,)), (3, 1, 2)]
)
def test_the_mask_chooses_between_two_same_convolutions(
    kernel: int, stride: int, dilation: int
) -> None:
    layer = RegionConv2d(3, 4, kernel, stride, dilation).double()
    torch.nn.init.normal_(layer.bias)
    image, mask = drawn(2, 3, 9, 12), mask_of(-(-9 // stride), 12 // stride)
    hole, valid = (one_kernel(layer, region, stride, dilation)(image) for region in (0, 1))
    expected = mask * valid + (1 - mask) * hole
    torch.testing.assert_close(layer(image, mask), expected, rtol=1e-12, atol=1e-12)
    assert (hole - valid).abs().min() > 0


def test_a_region_that_is_empty_gives_its_kernel_no_gradient() -> None:
    layer, image = RegionConv2d(3, 4).double(), drawn(2, 3, 6, 7).requires_grad_()
    layer(image, torch.ones(2, 1, 6, 7)).square().sum().backward()
    for value in (layer.weight, layer.bias):
        assert value.grad[0].eq(0).all()
        assert value.grad[1].ne(0).all()
    assert image.grad.isfinite().all()


def test_gradients_are_those_of_finite_differences() -> None:
    layer, mask = RegionConv2d(2, 2).double(), mask_of(4, 5)

    def run(image: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        state = {"weight": weight, "bias": bias}
        return torch.func.functional_call(layer, state, (image, mask))

    inputs = [drawn(2, 2, 4, 5), *layer.parameters()]
    assert torch.autograd.gradcheck(run, [one.detach().clone().requires_grad_() for one in inputs])


def test_masks_of_every_type_say_the_same() -> None:
    layer, image, mask = RegionConv2d(3, 4), torch.rand(2, 3, 6, 7), mask_of(6, 7)
    for kind in (torch.bool, torch.uint8, torch.float64):
        assert torch.equal(layer(image, mask.to(kind)), layer(image, mask))


def test_its_state_has_both_kernels_and_a_bias_if_it_is_to_have_one() -> None:
    shapes = {name: tuple(value.shape) for name, value in RegionConv2d(3, 4, 5).named_parameters()}
    assert shapes == {"weight": (2, 4, 3, 5, 5), "bias": (2, 4)}
    plain = RegionConv2d(3, 4, bias=False)
    assert list(plain.state_dict()) == ["weight"]
    assert plain(torch.zeros(2, 3, 6, 7), mask_of(6, 7)).eq(0).all()


def test_a_mask_that_is_not_of_the_output_is_refused() -> None:
    layer = RegionConv2d(3, 4, stride=2)
    with pytest.raises(
        ValueError, match=r"mask must have shape \(2, 1, 3, 4\), got \(2, 1, 6, 7\)"
    ):
        layer(torch.rand(2, 3, 6, 7), torch.ones(2, 1, 6, 7))
