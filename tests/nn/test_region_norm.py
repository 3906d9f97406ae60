"""Tests of lit_restore.nn.region_norm, against loops over pictures, channels and regions."""

import copy
from itertools import product

import pytest
import torch
from torch import Tensor

from lit_restore.nn import RegionNorm2d


def drawn(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, generator=generator, dtype=torch.float64) * 3 + 2


def holey() -> Tensor:
    mask = torch.ones(2, 1, 5, 6)
    mask[0, :, 1:3, 2:5] = 0
    mask[1, :, :, 3:] = 0
    return mask


def awake(layer: RegionNorm2d) -> RegionNorm2d:
    """Give every parameter a value of its own, in float64."""
    torch.manual_seed(0)
    for value in layer.parameters():
        torch.nn.init.uniform_(value, 0.5, 1.5)
    return layer.double()


def looped(image: Tensor, valid: Tensor, eps: float) -> Tensor:
    found = torch.zeros_like(image)
    for picture, channel in product(range(image.shape[0]), range(image.shape[1])):
        for region in (valid[picture, 0], ~valid[picture, 0]):
            values = image[picture, channel][region]
            if len(values):
                scale = (values.var(correction=0) + eps).sqrt()
                found[picture, channel][region] = (values - values.mean()) / scale
    return found


def test_each_region_of_each_picture_and_channel_is_normalised_alone() -> None:
    layer, image, mask = awake(RegionNorm2d(3, eps=1e-2)), drawn(2, 3, 5, 6), holey()
    normal = looped(image, mask.bool(), 1e-2)
    spread = [value[:, :, None, None] for value in (layer.weight, layer.bias)]
    expected = torch.where(
        mask.bool(), normal * spread[0][1] + spread[1][1], normal * spread[0][0] + spread[1][0]
    )
    torch.testing.assert_close(layer(image, mask), expected, rtol=1e-12, atol=1e-12)


def test_at_first_every_region_has_mean_0_and_variance_1() -> None:
    found, mask = RegionNorm2d(3).double()(drawn(2, 3, 5, 6), holey()), holey().bool()
    for region, picture in product((mask, ~mask), (0, 1)):
        values = found[picture][:, region[picture, 0]]
        torch.testing.assert_close(values.mean(dim=1), torch.zeros(3).double())
        assert (values.var(dim=1, correction=0) - 1).abs().max() < 1e-4


def test_what_is_in_the_hole_does_not_matter_outside_not_even_nan() -> None:
    layer, mask = awake(RegionNorm2d(3)), holey()
    image = drawn(2, 3, 5, 6).requires_grad_()
    expected = torch.where(mask != 0, layer(image, mask), 0)
    wanted = torch.autograd.grad(expected.square().sum(), image)[0]
    spoilt = image.detach().masked_fill(mask == 0, float("nan")).requires_grad_()
    found = torch.where(mask != 0, layer(spoilt, mask), 0)
    gradient = torch.autograd.grad(found.square().sum(), spoilt)[0]
    assert torch.equal(found, expected)
    kept = mask.bool().expand_as(gradient)
    assert torch.equal(gradient[kept], wanted[kept])


@pytest.mark.parametrize("valid", [0, 1])
def test_a_region_without_pixels_does_no_harm(valid: int) -> None:
    layer, image = awake(RegionNorm2d(3)), drawn(2, 3, 5, 6).requires_grad_()
    found = layer(image, torch.full((2, 1, 5, 6), valid))
    instance = torch.nn.functional.instance_norm(image)
    factor, offset = layer.weight[valid], layer.bias[valid]
    expected = instance * factor[:, None, None] + offset[:, None, None]
    torch.testing.assert_close(found, expected)
    found.square().sum().backward()
    for value in (image, *layer.parameters()):
        assert value.grad.isfinite().all()
    assert layer.weight.grad[1 - valid].eq(0).all()


def test_a_region_that_is_constant_or_of_one_pixel_becomes_the_offset() -> None:
    layer, image, mask = awake(RegionNorm2d(3)), drawn(2, 3, 5, 6), torch.ones(2, 1, 5, 6)
    mask[0, :, 2, 2] = 0
    mask[1, :, 1:3, 1:3] = 0
    image[1, :, 1:3, 1:3] = 4
    found = layer(image.requires_grad_(), mask)
    torch.testing.assert_close(found[0, :, 2, 2], layer.bias[0])
    torch.testing.assert_close(found[1, :, 1, 2], layer.bias[0])
    found.square().sum().backward()
    assert image.grad.isfinite().all()


@pytest.mark.parametrize("learnable", [False, True])
def test_gradients_are_those_of_finite_differences(learnable: bool) -> None:
    layer = awake(RegionNorm2d(2, learnable=learnable))
    if learnable:
        layer.attention.weight.data.mul_(0.011)
    names = [name for name, _ in layer.named_parameters()]

    def run(image: Tensor, *values: Tensor) -> Tensor:
        state = dict(zip(names, values, strict=True))
        return torch.func.functional_call(layer, state, (image, holey()))

    inputs = [drawn(2, 2, 5, 6), *layer.parameters()]
    assert torch.autograd.gradcheck(run, [one.detach().clone().requires_grad_() for one in inputs])


def test_the_learnable_form_finds_its_regions_and_needs_no_mask() -> None:
    layer, image = awake(RegionNorm2d(2, learnable=True)), drawn(2, 2, 5, 6)
    layer.attention.weight.data.mul_(0.011)
    pooled = torch.cat([image.mean(1, keepdim=True), image.max(1, keepdim=True).values], dim=1)
    importance = torch.nn.functional.conv2d(pooled, layer.attention.weight, padding=3).sigmoid()
    valid = importance >= 0.8
    assert 0 < valid.double().mean() < 1
    maps = layer.affine(importance)
    expected = looped(image, valid, layer.eps) * (1 + maps[:, :1]) + maps[:, 1:]
    torch.testing.assert_close(layer(image), expected, rtol=1e-10, atol=1e-10)
    assert torch.equal(layer(image), layer(image, holey()))


@pytest.mark.parametrize("learnable", [False, True])
def test_its_state_is_its_parameters_and_modes_are_alike(learnable: bool) -> None:
    layer = RegionNorm2d(4, learnable=learnable)
    basic, found = {"weight", "bias"}, set(layer.state_dict())
    assert found == ({"attention.weight", "affine.weight", "affine.bias"} if learnable else basic)
    image, mask = torch.rand(2, 4, 5, 6), holey()
    expected = layer(image, mask)
    assert torch.equal(copy.deepcopy(layer).eval()(image, mask), expected)
    assert torch.equal(layer(image, mask.bool()), expected)
    with torch.autocast("cpu", torch.bfloat16):
        rough = layer(image.bfloat16(), mask)
    assert rough.dtype == torch.bfloat16
    torch.testing.assert_close(rough.float(), expected, rtol=0.05, atol=0.05)


def test_the_batch_is_not_pooled() -> None:
    layer, image, mask = RegionNorm2d(3).double(), drawn(2, 3, 5, 6), holey()
    alone = layer(image[:1], mask[:1])
    torch.testing.assert_close(layer(image, mask)[:1], alone, rtol=1e-12, atol=1e-12)


def test_a_mask_of_another_shape_or_none_is_refused() -> None:
    layer, image = RegionNorm2d(3), torch.rand(2, 3, 5, 6)
    with pytest.raises(ValueError, match=r"shape \(2, 1, 5, 6\), got \(2, 3, 5, 6\)"):
        layer(image, torch.ones(2, 3, 5, 6))
    with pytest.raises(ValueError, match=r"shape \(2, 1, 5, 6\), got None"):
        layer(image)
