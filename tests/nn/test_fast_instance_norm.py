"""Tests of lit_restore.nn.fast_instance_norm."""

import copy

import pytest
import torch
from torch import Tensor, nn

from lit_restore.nn import FastInstanceNorm2d

ORDERS = pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
COUNTS = pytest.mark.parametrize("count", [1, 3])


def _maps(count: int, order: torch.memory_format, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    maps = torch.randn(count, 4, 5, 6, dtype=dtype, generator=generator)
    return (maps + 2).contiguous(memory_format=order).requires_grad_()


def _redrawn(layer: nn.InstanceNorm2d) -> nn.InstanceNorm2d:
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, 0.5, 1.5)
    return layer.double()


@ORDERS
@COUNTS
@pytest.mark.parametrize("affine", [False, True])
def test_outputs_and_gradients_are_those_of_pytorchs_layer(
    order: torch.memory_format, count: int, affine: bool
) -> None:
    layer = _redrawn(FastInstanceNorm2d(4, eps=0.01, affine=affine))
    other = nn.InstanceNorm2d(4, eps=0.01, affine=affine).double()
    other.load_state_dict(layer.state_dict())
    maps, weight = _maps(count, order), torch.randn(count, 4, 5, 6, dtype=torch.float64)
    found, expected = (
        [output, *torch.autograd.grad((output * weight).sum(), [maps, *each.parameters()])]
        for each in (layer, other)
        for output in [each(maps)]
    )
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@ORDERS
@COUNTS
def test_maps_stay_in_their_order_in_memory(order: torch.memory_format, count: int) -> None:
    maps = _maps(count, order)
    output = FastInstanceNorm2d(4)(maps)
    assert output.is_contiguous(memory_format=order)
    (gradient,) = torch.autograd.grad(output.square().sum(), maps)
    assert gradient.is_contiguous(memory_format=order)


@ORDERS
def test_a_cut_out_of_larger_maps_is_normalised_as_if_alone(order: torch.memory_format) -> None:
    cut = _maps(2, order)[..., 1:4, 2:5]
    torch.testing.assert_close(FastInstanceNorm2d(4)(cut), nn.InstanceNorm2d(4)(cut))


@ORDERS
@COUNTS
def test_its_gradients_are_those_of_finite_differences_to_the_second_order(
    order: torch.memory_format, count: int
) -> None:
    layer, maps = FastInstanceNorm2d(4), _maps(count, order)[..., :2, :3]
    maps = maps.detach().contiguous(memory_format=order).requires_grad_()
    assert torch.autograd.gradcheck(layer, maps)
    assert torch.autograd.gradgradcheck(layer, maps)


@ORDERS
@COUNTS
def test_it_keeps_its_digits_where_the_mean_is_100_times_the_deviation(
    order: torch.memory_format, count: int
) -> None:
    """PyTorch's GroupNorm of maps in channels_last loses more than 0.1 here."""
    maps = torch.randn(count, 64, 128, 128, generator=torch.Generator().manual_seed(0)) + 100
    expected = nn.InstanceNorm2d(64)(maps.double()).float()
    found = FastInstanceNorm2d(64)(maps.contiguous(memory_format=order))
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-3)


@ORDERS
@COUNTS
def test_evaluation_and_inference_mode_change_nothing(
    order: torch.memory_format, count: int
) -> None:
    layer, maps = FastInstanceNorm2d(4), _maps(count, order)
    trained = layer(maps)
    with torch.inference_mode():
        assert torch.equal(layer.eval()(maps), trained)


@ORDERS
def test_half_precision_is_kept_under_autocast(order: torch.memory_format) -> None:
    maps = _maps(2, order, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        found = FastInstanceNorm2d(4)(maps.bfloat16())
    assert found.dtype == torch.bfloat16
    expected = nn.InstanceNorm2d(4)(maps.bfloat16().float())
    torch.testing.assert_close(found.float(), expected, rtol=0.02, atol=0.02)


def test_a_copy_is_the_same_layer() -> None:
    layer = _redrawn(FastInstanceNorm2d(4, eps=0.5, affine=True))
    maps = _maps(2, torch.channels_last)
    assert torch.equal(copy.deepcopy(layer)(maps), layer(maps))
    assert list(FastInstanceNorm2d(4).state_dict()) == []


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3, 5, 5), r"expected shape \(N, 4, H, W\), got \(1, 3, 5, 5\)"),
        ((4, 5, 5), r"expected shape \(N, 4, H, W\), got \(4, 5, 5\)"),
        ((2, 4, 1, 1), "expected maps of more than one pixel to normalise each, got 1x1"),
    ],
)
def test_what_has_no_such_maps_is_refused(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FastInstanceNorm2d(4)(torch.zeros(shape))


def test_other_devices_take_pytorchs_kernel() -> None:
    layer = FastInstanceNorm2d(4)
    assert layer(torch.zeros(2, 4, 3, 3, device="meta")).shape == (2, 4, 3, 3)
