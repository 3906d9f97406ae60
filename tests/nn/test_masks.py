"""Tests of lit_restore.nn.masks."""

from fractions import Fraction

import pytest
import torch
from torch import Tensor

from lit_restore.nn import RATIO_BINS, composite, hole_ratio, ratio_bin

NAN = float("nan")


def with_holes(count: int, height: int = 20, width: int = 25) -> Tensor:
    """A mask of ``height`` x ``width`` pixels with ``count`` in the hole; shape (1, H, W), bool."""
    mask = torch.ones(height * width, dtype=torch.bool)
    mask[torch.randperm(height * width, generator=torch.Generator().manual_seed(count))[:count]] = 0
    return mask.view(1, height, width)


def test_the_hole_ratio_is_the_part_that_is_0() -> None:
    masks = torch.stack([with_holes(count) for count in (0, 1, 125, 500)])

    assert hole_ratio(masks).tolist() == pytest.approx([0, 1 / 500, 0.25, 1])
    assert torch.equal(hole_ratio(masks.float()), hole_ratio(masks))
    assert hole_ratio(masks[2]).shape == ()
    assert float(hole_ratio(masks[2])) == 0.25


def test_every_number_of_pixels_falls_into_the_class_that_exact_fractions_say() -> None:
    ends = [(Fraction(str(low)), Fraction(str(high))) for low, high in RATIO_BINS]
    masks = torch.stack([with_holes(count) for count in range(501)])

    expected = []
    for count in range(501):
        inside = [low < Fraction(count, 500) <= high for low, high in ends]
        expected.append(inside.index(True) if any(inside) else -1)

    assert ratio_bin(masks).tolist() == expected
    assert ratio_bin(masks.float()).tolist() == expected
    assert {int(ratio_bin(mask)) for mask in masks} == {-1, 0, 1, 2, 3, 4, 5}


def test_a_composite_takes_the_hole_from_the_prediction_and_the_rest_from_the_source() -> None:
    prediction, source = torch.rand(2, 3, 20, 25), torch.rand(2, 3, 20, 25)
    mask = torch.stack([with_holes(100), with_holes(300)])

    for kind in (mask, mask.float()):
        result = composite(prediction, source, kind)
        for channel in range(3):
            assert torch.equal(result[:, channel][mask[:, 0]], source[:, channel][mask[:, 0]])
            hole = ~mask[:, 0]
            assert torch.equal(result[:, channel][hole], prediction[:, channel][hole])


def test_what_is_hidden_does_not_matter_even_if_it_is_not_a_number() -> None:
    mask = with_holes(100)[None]
    prediction, source = torch.rand(1, 3, 20, 25), torch.rand(1, 3, 20, 25)
    spoilt = torch.where(mask, NAN, prediction).requires_grad_()
    holed = torch.where(mask, source, NAN).requires_grad_()

    result = composite(spoilt, holed, mask.float())

    assert torch.equal(result, composite(prediction, source, mask))
    result.square().sum().backward()
    assert spoilt.grad is not None
    assert holed.grad is not None
    assert torch.equal(spoilt.grad, torch.where(mask, 0, 2 * prediction))
    assert torch.equal(holed.grad, torch.where(mask, 2 * source, 0))
