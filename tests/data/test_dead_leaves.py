"""Tests of lit_restore.data.dead_leaves."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from lit_restore.data.dead_leaves import DeadLeaves, palette


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def luma() -> Tensor:
    """Forty grey pictures, shape (40, 64, 64), float64 in grey levels."""
    leaves, generator = DeadLeaves(64), seeded(0)
    pictures = torch.stack([leaves(generator) for _ in range(40)]).double()
    return torch.einsum("nchw,c->nhw", pictures, torch.tensor([0.299, 0.587, 0.114]).double())


def test_the_generator_alone_decides_the_picture() -> None:
    torch.manual_seed(1)
    np.random.seed(1)
    first = DeadLeaves(32)(seeded(7))
    leaves = DeadLeaves(32)
    leaves(seeded(8))

    torch.testing.assert_close(leaves(seeded(7)), first, rtol=0, atol=0)


def test_each_call_and_each_seed_give_another_picture() -> None:
    leaves, generator = DeadLeaves(32), seeded(0)

    pictures = [leaves(generator), leaves(generator), leaves(seeded(1))]

    differences = [(a.float() - b.float()).abs().mean() for a, b in pairwise(pictures)]
    assert min(differences) > 5


def test_the_state_of_the_generator_after_one_picture_does_not_depend_on_its_content() -> None:
    small, wide = seeded(3), seeded(3)

    DeadLeaves(16)(small)
    DeadLeaves(48, large=200, details=0)(wide)

    assert torch.equal(small.get_state(), wide.get_state())


@pytest.mark.parametrize("size", [8, 33, 64])
def test_a_picture_is_a_square_of_bytes(size: int) -> None:
    picture = DeadLeaves(size)(seeded(0))

    assert picture.shape == (3, size, size)
    assert picture.dtype == torch.uint8
    assert picture.is_contiguous()


def test_without_any_shape_there_is_still_a_background() -> None:
    assert DeadLeaves(16, large=0, details=0)(seeded(0)).float().std() > 0


def test_colours_come_from_the_palette() -> None:
    green = torch.tensor([[40, 120, 40], [60, 180, 60]], dtype=torch.uint8)
    leaves, generator = DeadLeaves(32, green), seeded(0)

    pictures = torch.stack([leaves(generator) for _ in range(10)]).double()

    red, green_channel, blue = pictures.mean((0, 2, 3))
    assert red / green_channel == pytest.approx(1 / 3, abs=0.06)  # light is grey: ratios stay
    assert blue / green_channel == pytest.approx(1 / 3, abs=0.06)
    assert (pictures[:, 1] + 8 > pictures[:, 0]).float().mean() > 0.999


def test_without_a_palette_colours_are_muted_and_of_many_kinds() -> None:
    generator = seeded(0)
    pictures = torch.stack([DeadLeaves(32)(generator) for _ in range(30)]).double()

    red, _, blue = pictures.unbind(1)
    assert 2 < (red - blue).std() < (red + blue).std()


def test_the_power_spectrum_falls_as_that_of_photographs(luma: Tensor) -> None:
    window = torch.hann_window(64, dtype=torch.float64)
    flat = (luma - luma.mean((1, 2), keepdim=True)) * window * window[:, None]
    power = torch.fft.fft2(flat).abs().square().mean(0)
    cycles = torch.fft.fftfreq(64).double() * 64
    ring = torch.hypot(cycles, cycles[:, None]).round().long()
    radial = torch.stack([power[ring == radius].mean() for radius in range(2, 25)])

    slope = np.polyfit(np.log(np.arange(2, 25)), np.log(radial.numpy()), 1)[0]

    assert -3.2 < slope < -1.4


def test_neighbours_are_alike_and_distant_pixels_are_not(luma: Tensor) -> None:
    flat = luma - luma.mean()

    near, far = (
        float((flat[..., step:] * flat[..., :-step]).mean() / flat.square().mean())
        for step in (1, 40)
    )

    assert near > 0.85
    assert far < near - 0.3


def test_edges_are_rare_and_strong_as_in_photographs(luma: Tensor) -> None:
    step = luma.diff(dim=-1)

    kurtosis = step.pow(4).mean() / step.square().mean().square()

    assert kurtosis > 6  # 3 in a Gaussian field of the same spectrum


def test_details_are_drawn_over_the_background() -> None:
    def roughness(details: int) -> float:
        leaves, generator = DeadLeaves(32, large=0, details=details), seeded(0)
        pictures = torch.stack([leaves(generator) for _ in range(60)]).double()
        return float(pictures.diff(dim=-1).abs().mean())

    assert roughness(400) > 1.4 * roughness(0)


@pytest.mark.parametrize(("size", "large", "details"), [(7, 45, 130), (64, -1, 130), (64, 45, -1)])
def test_sizes_and_numbers_out_of_range_are_refused(size: int, large: int, details: int) -> None:
    with pytest.raises(ValueError, match=f"got {size}, {large} and {details}"):
        DeadLeaves(size, large=large, details=details)


@pytest.mark.parametrize(
    "colors", [torch.rand(5, 3), torch.zeros(3, 5, dtype=torch.uint8),
               torch.zeros(0, 3, dtype=torch.uint8)]
)  # fmt: skip
def test_colours_of_another_form_are_refused(colors: Tensor) -> None:
    with pytest.raises(ValueError, match=r"colours must have shape \(count, 3\) of torch.uint8"):
        DeadLeaves(64, colors)


def test_a_palette_draws_as_many_pixels_from_small_pictures_as_from_large() -> None:
    small = torch.full((3, 2, 3), 10, dtype=torch.uint8)
    large = torch.arange(3, dtype=torch.uint8)[:, None, None].expand(3, 50, 70) + 100

    colors = palette([small, large], 101, seeded(0))

    assert colors.shape == (101, 3)
    assert colors.dtype == torch.uint8
    assert int((colors == 10).all(1).sum()) in (50, 51)
    assert set(map(tuple, colors.tolist())) == {(10, 10, 10), (100, 101, 102)}
    assert torch.equal(colors, palette(iter([small, large]), 101, seeded(0)))


def test_a_palette_of_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one image, got none"):
        palette([], 10, seeded(0))


def test_a_palette_of_float_pictures_is_refused() -> None:
    with pytest.raises(ValueError, match=r"torch.uint8, got \(16, 3\) of torch.float32"):
        palette([torch.rand(3, 4, 4)], 10, seeded(0))
