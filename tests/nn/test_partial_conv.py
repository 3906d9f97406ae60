"""Tests of lit_restore.nn.partial_conv."""

import copy
import io
from itertools import product
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lit_restore.nn import PartialConv2d, pad_same
from lit_restore.nn.partial_conv import Normalize

FORMULAS: tuple[Normalize, ...] = ("coverage", "count")


def drawn(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def holey(count: int, height: int, width: int) -> Tensor:
    """A mask with a hole that windows fit into, and with single missing pixels."""
    generator = torch.Generator().manual_seed(height * 100 + width)
    mask = (torch.rand(count, 1, height, width, generator=generator) > 0.3).double()
    mask[:, :, 1 : height * 2 // 3, 2 : width * 2 // 3] = 0
    mask[0, :, -1] = 1
    return mask


def dense(layer: PartialConv2d, image: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Equation 1 of the paper, with a mask for every channel, as NVIDIA's multi-channel mode."""
    size, stride, dilation = layer.kernel_size, layer.stride, layer.dilation

    def conv(x: Tensor, weight: Tensor) -> Tensor:
        return F.conv2d(pad_same(x, size, stride, dilation), weight, None, stride, 0, dilation)

    counts = conv(masks, torch.ones_like(layer.weight[:1]))
    values = layer.in_channels * (size**2 if layer.normalize == "coverage" else 1)
    kept = torch.where(counts > 0, conv(image * masks, layer.weight) * values / counts, 0)
    bias = 0 if layer.bias is None else layer.bias[:, None, None]
    return kept + bias, (counts > 0).double()


@pytest.mark.parametrize("normalize", FORMULAS)
@pytest.mark.parametrize(("kernel", "stride"), list(product(range(1, 8), (1, 2, 3))))
def test_one_mask_is_the_dense_formula_for_every_kernel_and_stride(
    normalize: Normalize, kernel: int, stride: int
) -> None:
    for height, width in ((9, 12), (10, 7)):
        layer = PartialConv2d(3, 4, kernel, stride, normalize=normalize).double()
        image, mask = drawn(2, 3, height, width), holey(2, height, width)
        features, grown = layer(image, mask)
        expected, expected_mask = dense(layer, image, mask.expand(-1, 3, -1, -1))
        assert features.shape == (2, 4, -(-height // stride), -(-width // stride))
        torch.testing.assert_close(features, expected, rtol=1e-12, atol=1e-12)
        assert torch.equal(grown, expected_mask)


@pytest.mark.parametrize("normalize", FORMULAS)
@pytest.mark.parametrize(
    ("kernel", "stride", "dilation"), [(3, 1, 1), (4, 1, 2), (5, 2, 1), (3, 1, 3)]
)
def test_groups_with_a_mask_each_are_the_dense_formula_in_every_gradient(
    normalize: Normalize, kernel: int, stride: int, dilation: int
) -> None:
    layer = PartialConv2d(7, 3, kernel, stride, dilation, normalize=normalize).double()
    groups = [drawn(2, width, 11, 8).requires_grad_() for width in (4, 1, 2)]
    masks = [holey(2, 11, 8), torch.ones(2, 1, 11, 8).double(), holey(2, 8, 11).mT]
    every = torch.cat([one.expand_as(group) for one, group in zip(masks, groups, strict=True)], 1)
    found, grown = layer(groups, masks)
    expected, expected_mask = dense(layer, torch.cat(groups, dim=1), every)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    assert torch.equal(grown, expected_mask)
    inputs = [*groups, *layer.parameters()]
    probe = drawn(*found.shape)
    pairs = (torch.autograd.grad(one, inputs, probe) for one in (found, expected))
    for ours, theirs in zip(*pairs, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-12)


def test_the_formulas_differ_by_the_pixels_of_the_window() -> None:
    image, mask = drawn(1, 2, 8, 8), holey(1, 8, 8)
    for kernel in (3, 4):
        ours, notes = (PartialConv2d(2, 3, kernel, bias=False, normalize=n) for n in FORMULAS)
        notes.load_state_dict(ours.state_dict())
        found = ours.double()(image, mask)[0], notes.double()(image, mask)[0] * kernel**2
        torch.testing.assert_close(*found)


@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2)])
def test_with_a_full_mask_it_is_a_convolution_inside(stride: int, dilation: int) -> None:
    layer = PartialConv2d(3, 4, 3, stride, dilation).double()
    image, mask = drawn(2, 3, 12, 15), torch.ones(2, 1, 12, 15)
    features, grown = layer(image, mask)
    padded = pad_same(image, 3, stride, dilation)
    expected = F.conv2d(padded, layer.weight, layer.bias, stride, 0, dilation)
    inside = (..., slice(dilation, -dilation), slice(dilation, -dilation))
    torch.testing.assert_close(features[inside], expected[inside], rtol=0, atol=1e-12)
    assert (features - expected).abs().max() > 0.01  # at the border fewer pixels are valid
    assert grown.eq(1).all()


@pytest.mark.parametrize("value", [7.0, float("nan"), float("inf")])
def test_what_is_under_the_mask_does_not_matter(value: float) -> None:
    layer = PartialConv2d(3, 4).double()
    image, mask = drawn(2, 3, 9, 10), holey(2, 9, 10)
    found = []
    for fill in (0.0, value):
        filled = image.masked_fill(mask == 0, fill).requires_grad_()
        features, _ = layer(filled, mask)
        found.append(
            [features, *torch.autograd.grad(features.sum(), [filled, *layer.parameters()])]
        )
    for one, other in zip(*found, strict=True):
        assert one.isfinite().all()
        assert torch.equal(one, other)


def test_what_is_seen_through_a_group_does_not_hide_a_hole_in_another() -> None:
    layer = PartialConv2d(2, 3).double()
    image, mask = drawn(1, 1, 6, 6), holey(1, 6, 6)
    spoilt = image.masked_fill(mask == 0, float("nan"))
    features, grown = layer([spoilt, image], [mask, torch.ones_like(mask)])
    assert features.isfinite().all()
    assert grown.eq(1).all()


@pytest.mark.parametrize("stride", [1, 2])
def test_where_nothing_is_valid_the_result_is_the_bias_and_the_gradient_finite(stride: int) -> None:
    layer = PartialConv2d(3, 4, stride=stride).double()
    image = drawn(2, 3, 6, 7).requires_grad_()
    features, grown = layer(image, torch.zeros(2, 1, 6, 7))
    assert torch.equal(features, layer.bias[:, None, None].expand_as(features))
    assert grown.eq(0).all()
    features.sum().backward()
    assert image.grad.eq(0).all()
    assert layer.weight.grad.eq(0).all()
    assert layer.bias.grad.eq(features.numel() / 4).all()


@pytest.mark.parametrize(("kernel", "dilation"), [(3, 1), (5, 1), (3, 2), (7, 1)])
def test_a_hole_shrinks_by_the_reach_of_the_kernel_on_every_side(
    kernel: int, dilation: int
) -> None:
    reach = kernel // 2 * dilation
    mask = torch.ones(1, 1, 24, 26)
    mask[..., 4:20, 5:22] = 0
    _, grown = PartialConv2d(1, 1, kernel, dilation=dilation)(torch.rand(1, 1, 24, 26), mask)
    rows, columns = torch.arange(24)[:, None], torch.arange(26)[None]
    # A dilated kernel has gaps, but at these places one of its taps always lies outside the hole.
    left = (rows >= 4 + reach) & (rows < 20 - reach) & (columns >= 5 + reach)
    expected = 1 - (left & (columns < 22 - reach)).float()
    assert torch.equal(grown[0, 0], expected)


def test_at_stride_2_a_hole_shrinks_to_the_windows_that_lie_in_it() -> None:
    mask = torch.ones(1, 1, 16, 16)
    mask[..., 4:12, 4:12] = 0
    _, grown = PartialConv2d(1, 1, 3, stride=2)(torch.rand(1, 1, 16, 16), mask)
    expected = torch.ones(8, 8)
    expected[2:5, 2:5] = 0  # of an even side, SAME pads after alone: windows begin at 2 * y
    assert torch.equal(grown[0, 0], expected)


def test_layers_in_a_row_close_every_hole() -> None:
    mask, layer = holey(1, 16, 16), PartialConv2d(1, 1)
    for _ in range(5):
        _, mask = layer(torch.rand(1, 1, 16, 16), mask)
    assert mask.eq(1).all()


@pytest.mark.parametrize("kernel", [3, 4])
def test_gradients_are_those_of_finite_differences(kernel: int) -> None:
    layer = PartialConv2d(3, 2, kernel, stride=2).double()
    mask, other = holey(1, 5, 6), torch.ones(1, 1, 5, 6).double()

    def run(first: Tensor, second: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        values = {"weight": weight, "bias": bias}
        groups = ([first, second], [mask, other])
        return torch.func.functional_call(layer, values, groups)[0]

    image = drawn(1, 3, 5, 6).split([2, 1], dim=1)
    inputs = [*image, layer.weight.detach(), layer.bias.detach()]
    assert torch.autograd.gradcheck(run, [one.clone().requires_grad_() for one in inputs])


@pytest.mark.parametrize("kind", [torch.bool, torch.uint8, torch.int64, torch.float32])
def test_a_mask_of_any_type_says_the_same_and_stays_of_it(kind: torch.dtype) -> None:
    layer = PartialConv2d(3, 4).double()
    image, mask = drawn(2, 3, 9, 10), holey(2, 9, 10)
    expected, grown = layer(image, mask)
    features, typed = layer(image, mask.to(kind))
    assert torch.equal(features, expected)
    assert typed.dtype == kind
    assert torch.equal(typed.double(), grown)


def test_the_layout_in_memory_stays_and_changes_nothing() -> None:
    layer, image, mask = PartialConv2d(3, 4).double(), drawn(2, 3, 9, 10), holey(2, 9, 10)
    features, _ = layer(image.contiguous(memory_format=torch.channels_last), mask)
    torch.testing.assert_close(features, layer(image, mask)[0])
    assert features.is_contiguous(memory_format=torch.channels_last)


def pickled(layer: PartialConv2d) -> bytes:
    file = io.BytesIO()
    torch.save(layer, file)
    return file.getvalue()


def test_what_is_kept_of_full_masks_is_in_no_copy_and_no_file() -> None:
    layer, image = PartialConv2d(3, 4), torch.rand(1, 3, 64, 64)
    before, keys = len(pickled(layer)), list(layer.state_dict())
    expected, _ = layer(image, torch.ones(1, 1, 64, 64))
    assert len(pickled(layer)) == before
    loaded = torch.load(io.BytesIO(pickled(layer)), weights_only=False)
    for other in (copy.deepcopy(layer), loaded):
        assert torch.equal(other(image, torch.ones(1, 1, 64, 64))[0], expected)
    assert keys == list(layer.state_dict()) == ["weight", "bias"]


def test_a_full_mask_is_met_anew_in_another_size_type_and_mode() -> None:
    layer = PartialConv2d(3, 4)
    plain = copy.deepcopy(layer)
    for size, kind in ((6, torch.float32), (9, torch.float32), (9, torch.float64)):
        image, mask = torch.rand(1, 3, size, size, dtype=kind), torch.ones(1, 1, size, size)
        layer.to(kind), plain.to(kind)
        with torch.inference_mode():
            first, _ = layer(image, mask)
        features, _ = layer(image, mask)
        expected, _ = dense(plain, image, mask.to(kind).expand_as(image))
        torch.testing.assert_close(features, expected)
        assert torch.equal(first, features)
        features.sum().backward()  # a tensor of inference would refuse


def test_it_runs_in_bfloat16_under_autocast() -> None:
    layer, image, mask = PartialConv2d(40, 4, 7), torch.randn(1, 40, 20, 20), holey(1, 20, 20)
    for valid in (mask.float(), torch.ones(1, 1, 20, 20)):
        exact, grown = layer(image, valid)
        with torch.autocast("cpu", torch.bfloat16):
            features, rough = layer(image, valid)
        assert features.dtype == torch.bfloat16
        assert torch.equal(rough, grown)
        torch.testing.assert_close(features.float(), exact, rtol=0.03, atol=0.03)


def test_it_has_no_bias_if_it_is_to_have_none() -> None:
    layer = PartialConv2d(3, 4, bias=False)
    assert list(layer.state_dict()) == ["weight"]
    features, _ = layer(torch.rand(1, 3, 5, 5), torch.zeros(1, 1, 5, 5))
    assert features.eq(0).all()


@pytest.mark.parametrize("shape", [(2, 3, 16, 16), (2, 1, 8, 8), (1, 1, 16, 16)])
def test_a_mask_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"mask must have shape \(2, 1, 16, 16\), got"):
        PartialConv2d(3, 8)(torch.rand(2, 3, 16, 16), torch.ones(shape))


def test_what_does_not_fit_is_refused() -> None:
    layer, image, mask = PartialConv2d(4, 8), torch.rand(2, 2, 6, 6), torch.ones(2, 1, 6, 6)
    with pytest.raises(ValueError, match=r"expected 4 channels, got \[2\]"):
        layer(image, mask)
    with pytest.raises(ValueError, match="expected a mask for each of 2, got 1"):
        layer([image, image], mask)
    with pytest.raises(ValueError, match="groups must have one size"):
        layer([image, image[..., :5]], [mask, mask[..., :5]])
    unknown: Any = "window"
    with pytest.raises(ValueError, match="normalize must be 'coverage' or 'count', got 'window'"):
        PartialConv2d(3, 8, normalize=unknown)
