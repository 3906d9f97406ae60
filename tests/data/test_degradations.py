"""Tests of lit_restore.data.degradations."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from lit_restore.data import (
    DeadLeaves,
    Degradation,
    GaussianNoise,
    Grayscale,
    JPEGCompression,
    Mosaic,
)


def _picture(height: int, width: int) -> Tensor:
    shape = (3, height, width)
    generator = torch.Generator().manual_seed(height * 1000 + width)
    return torch.randint(256, shape, dtype=torch.uint8, generator=generator)


def _seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _pillow(image: Tensor) -> Image.Image:
    return Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())


def _notes_mosaic(image: Tensor, block: int, sigma: float) -> Tensor:
    """The notes' own steps: shrink, blur, enlarge, all by Pillow."""
    picture = _pillow(image)
    width, height = picture.size
    small = picture.resize((width // block, height // block), Image.Resampling.NEAREST)
    small = small.filter(ImageFilter.GaussianBlur(sigma))
    large = small.resize((width, height), Image.Resampling.NEAREST)
    return torch.from_numpy(np.array(large)).permute(2, 0, 1)


def _error(degraded: Tensor, image: Tensor) -> float:
    return float((degraded.double() - image.double()).abs().mean())


@pytest.mark.parametrize("block", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize(("rows", "columns"), [(16, 16), (9, 21), (1, 7), (12, 1)])
def test_the_mosaic_is_bit_for_bit_that_of_the_notes(block: int, rows: int, columns: int) -> None:
    image = _picture(block * rows, block * columns)

    covered = Mosaic(block, 1.5)(image)

    assert torch.equal(covered, _notes_mosaic(image, block, 1.5))


def test_a_mosaic_from_the_blocks_first_pixel_would_be_noticed() -> None:
    image = _picture(64, 64)

    shifted = image[:, ::4, ::4].repeat_interleave(4, 1).repeat_interleave(4, 2)

    assert not torch.equal(shifted, Mosaic(4, 0)(image))
    assert torch.equal(Mosaic(4, 0)(image)[:, ::4, ::4], image[:, 2::4, 2::4])


@pytest.mark.parametrize("sigma", [0.5, 3.0])
def test_the_blur_follows_sigma(sigma: float) -> None:
    image = _picture(32, 48)

    assert torch.equal(Mosaic(4, sigma)(image), _notes_mosaic(image, 4, sigma))
    assert not torch.equal(Mosaic(4, sigma)(image), Mosaic(4, 1.5)(image))


@pytest.mark.parametrize("shape", [(30, 32), (32, 30), (3, 3)])
def test_a_picture_that_blocks_do_not_fill_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=rf"4 pixels, got {shape[0]}x{shape[1]}"):
        Mosaic(4)(_picture(*shape))


def test_the_same_generator_gives_the_same_noise_and_another_gives_other() -> None:
    image = _picture(16, 24)

    noisy = [GaussianNoise(25)(image, _seeded(seed)) for seed in (0, 0, 1)]

    assert torch.equal(noisy[0], noisy[1])
    assert not torch.equal(noisy[0], noisy[2])


@pytest.mark.parametrize("sigma", [2.0, 10.0, 25.0])
def test_noise_has_the_standard_deviation_sigma_and_no_bias(sigma: float) -> None:
    image = torch.full((3, 200, 200), 128, dtype=torch.uint8)

    difference = GaussianNoise(sigma)(image, _seeded()).double() - 128

    # 120,000 values: the estimate itself scatters by 0.2 %; rounding adds a variance of 1/12.
    assert float(difference.std()) == pytest.approx((sigma**2 + 1 / 12) ** 0.5, rel=0.01)
    assert abs(float(difference.mean())) < 4 * sigma / 120_000**0.5


def test_noise_is_clipped_and_does_not_wrap_around() -> None:
    black, white = (torch.full((3, 64, 64), level, dtype=torch.uint8) for level in (0, 255))

    assert GaussianNoise(20)(black, _seeded()).max() < 128
    assert GaussianNoise(20)(white, _seeded()).min() > 128


def test_noise_of_one_pixel_says_nothing_of_its_neighbours() -> None:
    image = torch.full((3, 128, 128), 128, dtype=torch.uint8)
    noise = GaussianNoise(25)(image, _seeded()).double() - 128

    pairs = [(noise[:, :, 1:], noise[:, :, :-1]), (noise[0], noise[1])]
    for one, other in pairs:
        correlation = (one * other).mean() / noise.var()
        assert abs(float(correlation)) < 4 / one.numel() ** 0.5


def test_noise_without_a_generator_is_refused() -> None:
    with pytest.raises(ValueError, match=r"torch\.Generator is needed, got None"):
        GaussianNoise()(_picture(8, 8))


def test_jpeg_of_lower_quality_is_farther_from_the_picture() -> None:
    image = DeadLeaves(64)(_seeded())

    errors = [_error(JPEGCompression(quality)(image), image) for quality in (95, 60, 30, 10, 2)]

    assert errors == sorted(errors)
    assert errors[0] > 0
    assert errors[-1] > 2 * errors[0]


def test_grey_equals_pillows_luma_in_three_channels() -> None:
    image = _picture(37, 51)

    grey = Grayscale()(image)

    expected = torch.from_numpy(np.array(_pillow(image).convert("L")))
    assert grey.shape == image.shape
    assert all(torch.equal(channel, expected) for channel in grey)


@pytest.mark.parametrize(
    "degradation", [Mosaic(), Mosaic(1, 0), GaussianNoise(), JPEGCompression(), Grayscale()]
)
class TestEveryDegradation:
    """What holds for each of them."""

    def test_returns_a_new_picture_of_the_same_kind(self, degradation: Degradation) -> None:
        """And leaves the picture that it was given as it was."""
        image = _picture(16, 24)
        before = image.clone()

        degraded = degradation(image, _seeded())

        assert (degraded.shape, degraded.dtype) == (image.shape, torch.uint8)
        degraded.zero_()
        assert torch.equal(image, before)

    def test_does_not_care_how_the_picture_lies_in_memory(self, degradation: Degradation) -> None:
        """A view is degraded as its copy."""
        image = _picture(16, 24)
        mirrored = image.flip(-1)
        view = _picture(32, 48)[:, ::2, ::2]

        for picture in (view, mirrored, image.permute(1, 2, 0).contiguous().permute(2, 0, 1)):
            expected = degradation(picture.clone().contiguous(), _seeded())
            assert torch.equal(degradation(picture, _seeded()), expected)

    @pytest.mark.parametrize(
        "image",
        [
            torch.zeros(3, 8, 8),
            torch.zeros(1, 8, 8, dtype=torch.uint8),
            torch.zeros(8, 8, 3, dtype=torch.uint8),
            torch.zeros(1, 3, 8, 8, dtype=torch.uint8),
        ],
        ids=["float", "grey", "channels last", "batch"],
    )
    def test_refuses_another_kind(self, degradation: Degradation, image: Tensor) -> None:
        """And says what it wanted."""
        with pytest.raises(ValueError, match=r"uint8 picture of shape \(3, H, W\), got torch\."):
            degradation(image, _seeded())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Mosaic(0), "block must be at least 1 pixel, got 0"),
        (lambda: Mosaic(4, -1), "sigma must not be negative, got -1"),
        (lambda: GaussianNoise(-0.5), r"sigma must not be negative, got -0\.5"),
        (lambda: JPEGCompression(0), "quality must be 1 to 95, got 0"),
        (lambda: JPEGCompression(96), "quality must be 1 to 95, got 96"),
    ],
)
def test_settings_out_of_range_are_refused(make: type[Degradation], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
