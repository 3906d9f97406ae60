"""Tests of lit_restore.data._pixels: transparency, palettes, and the other modes of pixels."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lit_restore.data.images import ImageFileError, ImageFileWarning, ReadOptions, read_image
from lit_restore.data.images import read_pictures as read

RGBA = np.random.default_rng(1).integers(0, 256, (6, 8, 4), dtype=np.uint8)


def _planes(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.reshape(*array.shape[:2], -1)).permute(2, 0, 1)


def test_alpha_is_split_off_and_the_colours_stay_as_stored(tmp_path: Path) -> None:
    Image.fromarray(RGBA).save(tmp_path / "a.png")

    (picture,) = read(tmp_path / "a.png")

    assert torch.equal(picture.pixels, _planes(RGBA[..., :3]))
    assert torch.equal(picture.alpha, _planes(RGBA[..., 3:]))


def test_alpha_is_dropped_without_compositing(tmp_path: Path) -> None:
    Image.fromarray(RGBA).save(tmp_path / "a.png")

    (picture,) = read(tmp_path / "a.png", ReadOptions(alpha="drop"))

    assert picture.alpha is None
    assert torch.equal(picture.pixels, _planes(RGBA[..., :3]))
    assert torch.equal(read_image(tmp_path / "a.png"), picture.pixels)


@pytest.mark.parametrize("depth", ["auto", 16])
def test_alpha_is_composited_over_the_colour(tmp_path: Path, depth: str | int) -> None:
    Image.fromarray(RGBA).save(tmp_path / "a.png")
    options = ReadOptions(alpha="composite=#ff8000", bit_depth=depth)

    (picture,) = read(tmp_path / "a.png", options)

    weight = RGBA[..., 3:] / 255
    expected = RGBA[..., :3] * weight + np.array([255, 128, 0]) * (1 - weight)
    scale = 1 if depth == "auto" else 255
    assert picture.alpha is None
    assert np.abs((picture.pixels * scale).permute(1, 2, 0).numpy() - expected).max() <= 0.501
    assert torch.equal(
        read_image(tmp_path / "a.png", alpha=options.alpha, bit_depth=depth), picture.pixels
    )


def test_grey_composited_over_a_colour_is_no_longer_grey(tmp_path: Path) -> None:
    Image.fromarray(RGBA[..., :2]).save(tmp_path / "a.png")

    (kept,) = read(tmp_path / "a.png")
    (laid,) = read(tmp_path / "a.png", ReadOptions(alpha="composite=#ff0000"))

    assert kept.grey
    assert torch.equal(kept.pixels, _planes(RGBA[..., [0, 0, 0]]))
    assert torch.equal(kept.alpha, _planes(RGBA[..., 1]))
    assert not laid.grey
    assert laid.pixels[0].float().mean() > laid.pixels[1].float().mean()


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_a_colour_that_stands_for_transparent_becomes_alpha(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (4, 2), "white")
    image.paste("black", (0, 0, 2, 2))
    image.save(tmp_path / "a.png", transparency=(0, 0, 0) if mode == "RGB" else 0)

    (picture,) = read(tmp_path / "a.png")

    assert picture.alpha[0].tolist() == [[0, 0, 255, 255]] * 2
    assert picture.pixels[1].tolist() == [[0, 0, 255, 255]] * 2
    assert picture.grey == (mode != "RGB")


@pytest.mark.parametrize("transparency", [1, b"\xff\x00\x80"])
def test_a_palette_with_transparency_becomes_colour_and_alpha(
    tmp_path: Path, transparency: int | bytes
) -> None:
    image = Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8), "P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.save(tmp_path / "a.png", transparency=transparency)

    (picture,) = read(tmp_path / "a.png")

    assert picture.pixels[:, 0].tolist() == [[10, 40, 70], [20, 50, 80], [30, 60, 90]]
    half = 255 if transparency == 1 else 128
    assert picture.alpha[0, 0].tolist() == [255, 0, half]
    assert not picture.grey


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_a_palette_of_greys_is_grey(tmp_path: Path, suffix: str) -> None:
    image = Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8), "P")
    image.putpalette([9, 9, 9, 200, 200, 200, 77, 77, 77])
    image.save(tmp_path / f"a.{suffix}")

    (picture,) = read(tmp_path / f"a.{suffix}")

    assert picture.grey
    assert picture.pixels[:, 0].tolist() == [[9, 200, 77]] * 3


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    Image.fromarray(np.array([[True, False, True]])).save(tmp_path / "a.png")

    (picture,) = read(tmp_path / "a.png")

    assert picture.grey
    assert picture.pixels[1, 0].tolist() == [255, 0, 255]


def test_cmyk_is_read_as_rgb_with_one_warning(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(path, quality=100)

    with pytest.warns(ImageFileWarning) as caught:
        (picture,) = read(path)

    assert len(caught) == 1
    assert str(caught[0].message) == f"{path}: CMYK is read as RGB, without profile"
    red, green, blue = picture.pixels.float().mean((1, 2)).tolist()
    assert red > 250
    assert max(green, blue) < 5


@pytest.mark.parametrize("mode", ["F", "I"])
def test_pixels_without_an_agreed_range_are_refused(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (4, 4), 1).save(tmp_path / "a.tif")

    with pytest.raises(ImageFileError, match=rf"pixels of mode '{mode}' cannot be read; float and"):
        read(tmp_path / "a.tif")
