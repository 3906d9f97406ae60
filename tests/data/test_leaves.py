"""Tests of lit_restore.data._leaves."""

import numpy as np
import pytest

from lit_restore.data import _leaves


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_density_of_the_radii_falls_with_the_cube() -> None:
    radii = _leaves.power_law(rng(), 40_000, 2, 1000)

    assert 2 <= radii.min() < radii.max() <= 1000
    # a density of r^-3 leaves (low / r)^2 above r
    assert (radii > 4).mean() == pytest.approx(1 / 4, abs=0.01)
    assert (radii > 10).mean() == pytest.approx(1 / 25, abs=0.005)


def test_outlines_lie_around_the_origin_at_a_radius_near_one() -> None:
    outlines = _leaves.outlines(rng(), 500, upright=0)

    area = _areas(outlines)
    assert outlines.shape == (500, _leaves.VERTICES, 2)
    assert area.min() > 0.3
    assert area.max() < 6
    assert np.abs(outlines).max() < 6


def test_upright_boxes_have_horizontal_and_vertical_sides() -> None:
    def share_of_slanted_sides(upright: float) -> float:
        outlines = _leaves.outlines(rng(), 2000, upright)
        corners = [len(np.unique(outline.round(6), axis=0)) for outline in outlines]
        sides = np.diff(outlines[np.array(corners) == 4], axis=1).reshape(-1, 2)
        sides = sides[np.abs(sides).max(1) > 1e-6]
        return float((np.abs(sides).min(1) > 0.2 * np.abs(sides).max(1)).mean())

    assert share_of_slanted_sides(1) < 0.2
    assert share_of_slanted_sides(0) > 0.5


@pytest.mark.parametrize("slope", [0.5, 1.0, 2.0])
def test_the_amplitude_of_noise_falls_with_its_slope(slope: float) -> None:
    fields = _leaves.noise(rng(), 64, [slope] * 20)

    power = (np.abs(np.fft.fft2(fields)) ** 2).mean(0)
    fitted = np.polyfit(np.log(np.arange(1, 32)), np.log(power[0, 1:32]), 1)[0]
    assert fields.dtype == np.float32
    np.testing.assert_allclose(fields.mean((1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(fields.std((1, 2)), 1, rtol=1e-4)
    assert fitted == pytest.approx(-2 * slope, abs=0.25)


def test_daylight_varies_more_in_lightness_than_in_hue() -> None:
    colors = _leaves.daylight(rng(), 5000)

    assert colors.shape == (5000, 3)
    assert colors.min() >= 0
    assert colors.mean(1).std() > (colors[:, 0] - colors[:, 2]).std() > 5


def test_light_is_a_slope_of_one_direction_in_a_flat_shape() -> None:
    x, y = np.meshgrid(*2 * [np.linspace(-1, 1, 9, dtype=np.float32)])
    index = np.zeros((9, 9), int)

    shade = _leaves.shade(rng(), 1, index, np.stack([x, y], axis=-1))

    odd = (shade - shade[::-1, ::-1]) / 2  # the bulge is even about the centre
    np.testing.assert_allclose(np.diff(odd, 2, axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(np.diff(odd, 2, axis=1), 0, atol=1e-5)
    assert np.ptp(odd) > 0.01


def test_each_shape_is_painted_near_its_own_first_colour() -> None:
    first = np.array([[200.0, 20, 20], [20, 200, 20]])
    colors = np.stack([first, first], axis=1)
    index = np.array([[0, 1], [1, 0]])

    painted = _leaves.paint(rng(), colors, index, np.zeros((2, 2, 2), np.float32))

    np.testing.assert_allclose(painted, first[index])


def _areas(outlines: np.ndarray) -> np.ndarray:
    following = np.roll(outlines, -1, axis=1)
    cross = outlines[..., 0] * following[..., 1] - outlines[..., 1] * following[..., 0]
    return 0.5 * cross.sum(1)
