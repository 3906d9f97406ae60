"""Tests of lit_restore.losses.total_variation."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from lit_restore.losses import (
    IsotropicTotalVariationLoss,
    TotalVariationLoss,
    dilated_hole,
    isotropic_total_variation,
    total_variation,
)


@pytest.fixture
def image() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, 3, 5, 6, generator=generator, dtype=torch.float64)


@pytest.fixture
def mask() -> Tensor:
    """Two pictures' holes: one pixel, and one in the corner."""
    mask = torch.ones(2, 1, 5, 6, dtype=torch.float64)
    mask[0, 0, 2, 2] = mask[1, 0, 0, 5] = 0
    return mask


def naive(image: np.ndarray, region: np.ndarray | None = None) -> float:
    """The paper's equation, one pair of neighbours after the other."""
    channels, height, width = image.shape
    total = 0.0
    for y, x in np.ndindex(height, width):
        for other in ((y + 1, x), (y, x + 1)):
            inside = other[0] < height and other[1] < width
            if inside and (region is None or (region[y, x] and region[other])):
                total += abs(image[:, y, x] - image[:, other[0], other[1]]).sum()
    return total / (channels * height * width)


def naive_notes(image: np.ndarray, exponent: float) -> float:
    channels, height, width = image.shape
    total = 0.0
    for c, y, x in np.ndindex(channels, height - 1, width - 1):
        a = (image[c, y, x] - image[c, y + 1, x]) ** 2
        b = (image[c, y, x] - image[c, y, x + 1]) ** 2
        total += (a + b) ** exponent
    return total


def test_it_is_the_sum_over_pairs_of_neighbours_over_the_number_of_values(image: Tensor) -> None:
    expected = [naive(one.numpy()) for one in image]
    np.testing.assert_allclose(total_variation(image).numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(TotalVariationLoss()(image).item(), np.mean(expected), rtol=1e-12)


def test_only_pairs_within_the_region_count(image: Tensor, mask: Tensor) -> None:
    region = dilated_hole(mask)
    expected = [naive(*pair) for pair in zip(image.numpy(), region[:, 0].numpy(), strict=True)]
    found = total_variation(image, region)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)
    torch.testing.assert_close(TotalVariationLoss()(image, region), found.mean())


def test_the_hole_is_dilated_by_a_pixel_in_all_eight_directions(mask: Tensor) -> None:
    region = dilated_hole(mask)
    assert region[0, 0].int().tolist() == [
        [0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 0, 0],
        [0, 1, 1, 1, 0, 0],
        [0, 1, 1, 1, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ]
    assert region[1, 0].int().nonzero().tolist() == [[0, 4], [0, 5], [1, 4], [1, 5]]


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float16, torch.float32])
def test_masks_of_any_type_are_dilated_alike(mask: Tensor, dtype: torch.dtype) -> None:
    found = dilated_hole(mask.to(dtype))
    assert found.dtype == dtype
    assert torch.equal(found.double(), dilated_hole(mask))


def test_no_hole_has_no_variation_and_nothing_but_a_hole_has_all(image: Tensor) -> None:
    ones = torch.ones(2, 1, 5, 6)
    assert total_variation(image, dilated_hole(ones)).eq(0).all()
    everywhere = total_variation(image, dilated_hole(1 - ones))
    torch.testing.assert_close(everywhere, total_variation(image))


def test_what_is_outside_the_dilated_hole_does_not_matter_be_it_nan(
    image: Tensor, mask: Tensor
) -> None:
    region = dilated_hole(mask)
    spoilt = image.where(region != 0, math.nan).requires_grad_()
    found = total_variation(spoilt, region)
    assert torch.equal(found, total_variation(image, region))
    found.sum().backward()
    assert spoilt.grad.isfinite().all()
    assert spoilt.grad.where(region != 0, 0).equal(spoilt.grad)
    assert spoilt.grad.abs().sum() > 0


@pytest.mark.parametrize("exponent", [1.25, 1.0, 0.5, 2.0])
def test_the_isotropic_is_the_notes_sum(image: Tensor, exponent: float) -> None:
    expected = [naive_notes(one.numpy(), exponent) for one in image]
    found = isotropic_total_variation(image, exponent)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)
    loss = IsotropicTotalVariationLoss(exponent)
    np.testing.assert_allclose(loss(image).item(), np.mean(expected), rtol=1e-12)


def test_the_notes_exponent_is_the_default(image: Tensor) -> None:
    torch.testing.assert_close(
        isotropic_total_variation(image), isotropic_total_variation(image, 1.25)
    )
    assert IsotropicTotalVariationLoss().exponent == 1.25


def test_the_isotropic_grows_by_twice_the_exponent_with_the_range(image: Tensor) -> None:
    ratio = isotropic_total_variation(255 * image) / isotropic_total_variation(image)
    torch.testing.assert_close(ratio, torch.full_like(ratio, 255**2.5))


@pytest.mark.parametrize("exponent", [1.25, 1.0, 0.5])
def test_a_flat_picture_has_none_and_a_gradient_of_zero(exponent: float) -> None:
    image = torch.full((1, 2, 4, 4), 0.3, requires_grad=True)
    loss = isotropic_total_variation(image, exponent) + total_variation(image)
    loss.backward()
    assert loss.item() == 0
    assert image.grad.eq(0).all()


def test_the_gradients_are_those_of_finite_differences(image: Tensor, mask: Tensor) -> None:
    image.requires_grad_()
    region = dilated_hole(mask)
    assert torch.autograd.gradcheck(lambda x: total_variation(x, region), image)
    assert torch.autograd.gradcheck(total_variation, image)
    for exponent in (1.25, 0.5):
        assert torch.autograd.gradcheck(
            lambda x, exponent=exponent: isotropic_total_variation(x, exponent), image
        )


def test_a_picture_of_one_row_has_only_the_differences_that_there_are() -> None:
    image = torch.tensor([[[[0.0, 1.0, 3.0]]]])
    assert total_variation(image).item() == 1
    assert isotropic_total_variation(image).item() == 0


def test_half_precision_is_summed_in_float32() -> None:
    image = (torch.arange(2.0) * 40).repeat(64, 64).expand(1, 3, 64, 128).half()
    assert isotropic_total_variation(image, 2).item() == 3 * 63 * 127 * 40.0**4
    assert total_variation(image).item() == pytest.approx(40 * 127 / 128)


@pytest.mark.parametrize("exponent", [0.0, -1.0])
def test_exponents_that_are_not_positive_are_refused(image: Tensor, exponent: float) -> None:
    for make in (
        lambda: IsotropicTotalVariationLoss(exponent),
        lambda: isotropic_total_variation(image, exponent),
    ):
        with pytest.raises(ValueError, match=f"exponent must be positive, got {exponent}"):
            make()


def test_a_region_that_would_be_broadcast_is_refused(image: Tensor) -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 1, 5, 6\), got \(1, 1, 5, 6\)"):
        total_variation(image, torch.ones(1, 1, 5, 6))
