"""Tests of lit_restore.nn.partial_up_conv."""

import copy
from itertools import product
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lit_restore.nn import PartialConv2d, PartialUpConv2d


def drawn(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def holey(count: int, height: int, width: int) -> Tensor:
    mask = torch.ones(count, 1, height, width, dtype=torch.float64)
    mask[:, :, 1 : height // 2 + 1, : width * 2 // 3] = 0
    mask[-1, :, -1, -1] = 0
    return mask


def enlarged(image: Tensor, scale: int) -> Tensor:
    return image.repeat_interleave(scale, dim=2).repeat_interleave(scale, dim=3)


def inputs(scale: int, skip: bool = True, height: int = 4, width: int = 5) -> list[Tensor]:
    """Two pictures of 2 channels with their masks, and 3 channels at full size with theirs."""
    low = [drawn(2, 2, height, width), holey(2, height, width)]
    height, width = height * scale, width * scale
    return [*low, drawn(2, 3, height, width), holey(2, height, width)] if skip else low


def gradients(layer: PartialConv2d, features: Tensor, images: list[Tensor]) -> list[Tensor]:
    wanted = [*images, *layer.parameters()]
    return list(torch.autograd.grad(features, wanted, drawn(*features.shape)))


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("folded", [True, False])
@pytest.mark.parametrize(("kernel", "scale"), list(product(range(1, 7), (2, 3))))
def test_it_is_a_partial_convolution_of_what_is_enlarged_and_joined(
    kernel: int, scale: int, folded: bool, skip: bool
) -> None:
    channels = 3 if skip else 0
    layer = PartialUpConv2d(2, 4, kernel, scale, channels, folded=folded).double()
    plain = PartialConv2d(2 + channels, 4, kernel).double()
    plain.load_state_dict(layer.state_dict())
    given = inputs(scale, skip)
    images = [one.requires_grad_() for one in given[::2]]
    groups = [enlarged(images[0], scale), *images[1:]]
    expected, expected_mask = plain(groups, [enlarged(given[1], scale), *given[3:]])

    features, grown = layer(*given)

    torch.testing.assert_close(features, expected, rtol=1e-12, atol=1e-12)
    assert torch.equal(grown, expected_mask)
    ours, theirs = gradients(layer, features, images), gradients(plain, expected, images)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-12)


def test_the_order_of_the_weights_channels_is_enlarged_then_skip() -> None:
    layer = PartialUpConv2d(2, 4, 3, 2, 3).double()
    low, low_mask, skip, mask = inputs(2)
    layer.weight.data[:, :2] = 0
    features, _ = layer(low, low_mask, skip, mask)
    assert torch.equal(features, layer(low * 2, low_mask, skip, mask)[0])
    assert not torch.equal(features, layer(low, low_mask, skip * 2, mask)[0])


@pytest.mark.parametrize("folded", [True, False])
def test_what_is_under_either_mask_does_not_matter(folded: bool) -> None:
    layer = PartialUpConv2d(2, 4, 3, 2, 3, folded=folded).double()
    low, low_mask, skip, mask = inputs(2)
    expected, _ = layer(low, low_mask, skip, mask)
    nan = float("nan")
    low, skip = low.masked_fill(low_mask == 0, nan), skip.masked_fill(mask == 0, nan)
    features, _ = layer(low.requires_grad_(), low_mask, skip.requires_grad_(), mask)
    assert torch.equal(features, expected)
    assert all(one.isfinite().all() for one in gradients(layer, features, [low, skip]))


def test_both_forms_are_taken_by_the_size_of_the_small_map(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = F.conv_transpose2d

    def spy(image: Tensor, *rest: Any, **options: Any) -> Tensor:
        calls.append(image[:, 0].numel())
        return real(image, *rest, **options)

    monkeypatch.setattr(F, "conv_transpose2d", spy)
    layer = PartialUpConv2d(2, 4)
    for side in (4, 8, 16, 32):
        layer(torch.rand(2, 2, side, side), torch.ones(2, 1, side, side))
    assert calls == [2 * 16**2, 2 * 32**2]


def test_folded_keeps_far_fewer_activations() -> None:
    low, mask = torch.rand(2, 64, 16, 16, requires_grad=True), torch.ones(2, 1, 16, 16)
    kept = {True: 0, False: 0}
    for folded in kept:
        layer = PartialUpConv2d(64, 3, 3, 4, folded=folded)
        own = {one.untyped_storage().data_ptr() for one in layer.parameters()}
        stored: dict[int, int] = {}

        def note(tensor: Tensor, own: set[int] = own, stored: dict[int, int] = stored) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                stored[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            layer(low, mask)
        kept[folded] = sum(stored.values())
    assert kept[False] >= 16 * low.nbytes  # the enlarged map
    assert kept[True] < 0.3 * kept[False]


def test_gradients_are_those_of_finite_differences() -> None:
    layer = PartialUpConv2d(1, 2, 3, 2, 1, folded=True).double()
    low_mask, mask = holey(1, 2, 3), holey(1, 4, 6)

    def run(low: Tensor, skip: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        values = {"weight": weight, "bias": bias}
        return torch.func.functional_call(layer, values, (low, low_mask, skip, mask))[0]

    given = [drawn(1, 1, 2, 3), drawn(1, 1, 4, 6), layer.weight.detach(), layer.bias.detach()]
    assert torch.autograd.gradcheck(run, [one.clone().requires_grad_() for one in given])


def test_it_compiles_and_can_be_copied_cast_and_put_in_bfloat16() -> None:
    layer = copy.deepcopy(PartialUpConv2d(2, 4, 3, 2, 3, folded=True))
    given = [one.float() for one in inputs(2)]
    expected, grown = layer(*given)
    compiled = torch.compile(layer, backend="aot_eager")
    found, mask = compiled(*given)
    torch.testing.assert_close(found, expected)
    assert torch.equal(mask, grown)
    with torch.autocast("cpu", torch.bfloat16):
        rough, _ = layer(*given)
    torch.testing.assert_close(rough.float(), expected, rtol=0.05, atol=0.05)
    half = copy.deepcopy(layer).bfloat16()(*(one.bfloat16() for one in given))[0]
    torch.testing.assert_close(half.float(), expected, rtol=0.05, atol=0.05)
    bools = [given[0], given[1].bool(), given[2], given[3].bool()]
    assert torch.equal(layer(*bools)[0], expected)
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_what_does_not_fit_is_refused() -> None:
    layer = PartialUpConv2d(2, 4, skip_channels=3)
    low, low_mask, skip, mask = (one.float() for one in inputs(2))
    with pytest.raises(ValueError, match=r"expected \[2, 3\] channels, got \[2\]"):
        layer(low, low_mask)
    with pytest.raises(ValueError, match=r"expected \[2, 3\] channels, got \[3, 2\]"):
        layer(low[:, [0, 0, 0]], low_mask, skip[:, :2], mask)
    with pytest.raises(ValueError, match="both or neither of skip and mask"):
        layer(low, low_mask, skip)
    with pytest.raises(ValueError, match=r"skip must be \(8, 10\) pixels large, got \(7, 10\)"):
        layer(low, low_mask, skip[:, :, 1:], mask[:, :, 1:])
    with pytest.raises(ValueError, match=r"mask must have shape \(2, 1, 4, 5\)"):
        layer(low, mask, skip, mask)
