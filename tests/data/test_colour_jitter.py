"""Tests of lit_restore.data._colour_jitter."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from lit_restore.data._colour_jitter import ColourJitter, _turn_of_hue, gaussian_blur


def _seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _picture() -> Tensor:
    """Colours well inside of the unit range, so that nothing is clipped."""
    return 0.4 + 0.2 * torch.rand(3, 12, 15, generator=_seeded(1))


def _luma(image: Tensor) -> Tensor:
    return (image * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(0)


def test_nothing_asked_for_changes_nothing() -> None:
    image = _picture()
    assert ColourJitter()(image, _seeded()) is image


def test_brightness_multiplies() -> None:
    ratios = [ColourJitter(brightness=0.3)(_picture(), _seeded(i)) / _picture() for i in range(50)]

    assert all(torch.allclose(ratio, ratio[0, 0, 0].expand_as(ratio)) for ratio in ratios)
    means = torch.stack([ratio.mean() for ratio in ratios])
    assert 0.7 <= float(means.min()) < 0.75
    assert 1.25 < float(means.max()) <= 1.3


def test_contrast_keeps_the_mean_luma_and_scales_what_differs_from_it() -> None:
    image = _picture()
    changed = ColourJitter(contrast=0.5)(image, _seeded())

    mean = _luma(image).mean()
    assert torch.allclose(_luma(changed).mean(), mean, atol=1e-5)
    ratio = (changed - mean) / (image - mean)
    assert torch.allclose(ratio, ratio.median().expand_as(ratio), atol=1e-3)
    assert abs(float(ratio.median()) - 1) > 0.01


def test_saturation_keeps_the_luma_of_each_pixel() -> None:
    image = _picture()
    changed = ColourJitter(saturation=0.9)(image, _seeded())

    assert torch.allclose(_luma(changed), _luma(image), atol=1e-5)
    assert not torch.allclose(changed, image, atol=1e-2)


def test_hue_turns_about_the_greys() -> None:
    third = _turn_of_hue(1 / 3)
    red, green, blue = torch.eye(3)

    assert torch.allclose(third @ red, green, atol=1e-6)
    assert torch.allclose(third @ green, blue, atol=1e-6)
    assert torch.allclose(_turn_of_hue(0.2) @ torch.ones(3), torch.ones(3), atol=1e-6)
    assert torch.allclose(_turn_of_hue(0.3) @ _turn_of_hue(-0.3), torch.eye(3), atol=1e-6)
    changed = ColourJitter(hue=0.5)(_picture(), _seeded())
    assert torch.allclose(changed.sum(0), _picture().sum(0), atol=1e-5)
    assert not torch.allclose(changed, _picture(), atol=1e-2)


def test_noise_has_at_most_the_standard_deviation_that_is_told() -> None:
    flat = torch.full((3, 64, 64), 0.5)
    levels = [float(ColourJitter(noise=0.05)(flat, _seeded(i)).std()) for i in range(40)]

    assert max(levels) < 0.0515
    assert max(levels) > 0.04
    assert min(levels) < 0.01


def test_a_blurred_point_is_a_gaussian() -> None:
    point = torch.zeros(2, 41, 41)
    point[:, 20, 20] = 1

    blurred = gaussian_blur(point, 2.0)

    distance = (torch.arange(41) - 20.0) ** 2
    expected = torch.exp(-(distance[:, None] + distance) / 8) / (8 * math.pi)
    inside = slice(14, 27)  # three sigma; the kernel ends there
    assert torch.allclose(blurred[0, inside, inside], expected[inside, inside], atol=3e-4)
    assert torch.allclose(blurred.sum((1, 2)), torch.ones(2), atol=1e-5)
    assert torch.equal(gaussian_blur(point, 0.0), point)
    assert torch.allclose(gaussian_blur(torch.full((1, 9, 9), 0.3), 1.7), torch.tensor(0.3))


def test_the_result_stays_in_unit_range() -> None:
    image = torch.rand(3, 20, 20, generator=_seeded())
    jitter = ColourJitter(0.9, 0.9, 0.9, 0.5, noise=0.5, blur=1)

    for seed in range(10):
        changed = jitter(image, _seeded(seed))
        assert 0 <= float(changed.min()) <= float(changed.max()) <= 1
        assert torch.equal(changed, jitter(image, _seeded(seed)))


def test_grey_pictures_have_no_colours_to_change() -> None:
    grey = _picture()[:1]

    changed = ColourJitter(brightness=0.2, contrast=0.2, noise=0.1, blur=1)(grey, _seeded())
    assert changed.shape == grey.shape
    for options in ({"saturation": 0.1}, {"hue": 0.1}):
        with pytest.raises(ValueError, match="no saturation and no hue"):
            ColourJitter(**options)(grey, _seeded())


@pytest.mark.parametrize(
    "options", [{"brightness": 1.1}, {"contrast": -0.1}, {"hue": 0.6}, {"noise": -1}], ids=str
)
def test_what_is_out_of_range_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be 0 to"):
        ColourJitter(**options)
