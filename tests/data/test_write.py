"""Tests of lit_restore.data._write: what is written, and that it is written whole."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lit_restore.data.images import (
    ImageFileError,
    ImageFileWarning,
    can_hold,
    read_image,
    read_pictures,
    suffix_of,
    write_image,
)

IMAGE = torch.from_numpy(np.random.default_rng(4).integers(0, 256, (3, 8, 11), dtype=np.uint8))
ALPHA = IMAGE[:1].flip(1)


@pytest.mark.parametrize("suffix", ["png", "PNG", "tif", "tiff", "bmp", "ppm"])
def test_lossless_formats_give_the_same_pixels_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"

    write_image(IMAGE, path)

    assert torch.equal(read_image(path), IMAGE)
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("grey", [False, True])
def test_alpha_and_grey_come_back(tmp_path: Path, suffix: str, grey: bool) -> None:
    image = IMAGE[:1].expand(3, -1, -1) if grey else IMAGE

    write_image(image, tmp_path / f"a.{suffix}", alpha=ALPHA, grey=grey)
    (picture,) = read_pictures(tmp_path / f"a.{suffix}")

    assert picture.grey == grey
    assert torch.equal(picture.pixels, image)
    assert torch.equal(picture.alpha, ALPHA)


def test_webp_holds_alpha(tmp_path: Path) -> None:
    write_image(
        torch.full((3, 8, 8), 99, dtype=torch.uint8), tmp_path / "a.webp", alpha=ALPHA[..., :8]
    )

    (picture,) = read_pictures(tmp_path / "a.webp")

    assert torch.equal(picture.alpha, ALPHA[..., :8])


def test_jpeg_is_written_with_full_colour_resolution(tmp_path: Path) -> None:
    image = torch.zeros(3, 16, 16, dtype=torch.uint8)
    image[0, :, ::2] = 255  # red stripes of one pixel, lost when colour is halved

    write_image(image, tmp_path / "a.jpg")

    assert (read_image(tmp_path / "a.jpg").int() - image.int()).abs().max() < 24
    with Image.open(tmp_path / "a.jpg") as file:
        assert file.info.get("icc_profile") is None


def test_unit_range_is_clipped_and_rounded_half_up(tmp_path: Path) -> None:
    values = torch.tensor([-1.0, 0.0, 0.5 / 255, 0.49 / 255, 1.0, 2.0, float("inf")])
    image = values.expand(3, 1, -1)

    write_image(image, tmp_path / "a.png")
    write_image(image.half(), tmp_path / "half.png")

    assert read_image(tmp_path / "a.png")[0, 0].tolist() == [0, 0, 1, 0, 255, 255, 255]
    assert read_image(tmp_path / "half.png")[0, 0].tolist()[3:] == [0, 255, 255, 255]


@pytest.mark.parametrize("depth", [8, 16])
def test_every_level_survives_a_grey_round_trip(tmp_path: Path, depth: int) -> None:
    maximum = 2**depth - 1
    levels = torch.arange(maximum + 1).reshape(16, -1) / maximum

    write_image(levels.expand(3, -1, -1), tmp_path / "a.png", grey=True, bit_depth=depth)
    (picture,) = read_pictures(tmp_path / "a.png")

    assert picture.grey
    assert picture.bit_depth == depth
    read = picture.pixels[0] if depth == 16 else picture.pixels[0].float() / 255
    assert torch.equal(read, levels)


def test_colours_written_grey_become_their_luma(tmp_path: Path) -> None:
    colours = torch.tensor([[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255]])
    image = colours.to(torch.uint8)[:, None]

    write_image(image, tmp_path / "a.png", grey=True)
    write_image(image / 255, tmp_path / "b.png", grey=True)

    for name in ("a.png", "b.png"):
        (picture,) = read_pictures(tmp_path / name)
        assert picture.grey
        assert picture.pixels[0, 0].tolist() == [76, 150, 29, 255]


def test_one_channel_is_grey(tmp_path: Path) -> None:
    write_image(IMAGE[:1], tmp_path / "a.png")

    assert read_pictures(tmp_path / "a.png")[0].grey


def test_8_bits_written_as_16_keep_their_place_in_the_range(tmp_path: Path) -> None:
    write_image(IMAGE, tmp_path / "a.png", bit_depth=16)

    assert torch.equal(read_image(tmp_path / "a.png"), IMAGE.float() / 255)


def test_a_format_that_cannot_hold_it_goes_without(tmp_path: Path) -> None:
    write_image(IMAGE / 255, tmp_path / "a.bmp", alpha=ALPHA, bit_depth=16)

    (picture,) = read_pictures(tmp_path / "a.bmp")

    assert picture.alpha is None
    assert picture.bit_depth == 8
    assert torch.equal(picture.pixels, IMAGE)


@pytest.mark.parametrize(
    ("name", "depth", "alpha", "expected"),
    [
        ("PNG", 16, True, True),
        (".png", 16, True, True),
        ("TIFF", 16, True, True),
        ("jpg", 8, False, True),
        ("JPEG", 16, False, False),
        (".jpeg", 8, True, False),
        ("webp", 8, True, True),
        ("WEBP", 16, False, False),
        ("bmp", 8, True, False),
        ("GIF", 8, False, False),
        ("", 8, False, False),
    ],
)
def test_what_formats_can_hold(name: str, depth: int, alpha: bool, expected: bool) -> None:
    assert can_hold(name, bit_depth=depth, alpha=alpha) is expected


def test_formats_have_a_usual_suffix() -> None:
    assert suffix_of("JPEG") == suffix_of("jpeg") == suffix_of(".JPG") == ".jpg"
    assert suffix_of("PPM") == ".ppm"
    assert suffix_of("PPM", grey=True) == ".pgm"
    with pytest.raises(ValueError, match=r"format must be one of PNG, JPEG, .*, got GIF"):
        suffix_of("gif")


@pytest.mark.parametrize("name", ["a.gif", "a.txt", "a"])
def test_other_suffixes_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageFileError, match=r"suffix must be one of \.png \.jpg"):
        write_image(IMAGE, tmp_path / name)


def test_a_missing_folder_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ImageFileError, match=r"a\.png: cannot be written: No such file or dir"):
        write_image(IMAGE, tmp_path / "missing" / "a.png")
    assert not (tmp_path / "missing").exists()


def test_an_older_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_image(IMAGE, path)
    (tmp_path / "link.png").hardlink_to(path)

    write_image(255 - IMAGE, path)

    assert torch.equal(read_image(path), 255 - IMAGE)
    assert torch.equal(read_image(tmp_path / "link.png"), IMAGE)  # replaced, not written into


@pytest.mark.parametrize("broken", ["encode", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failing_write_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, broken: str
) -> None:
    def fail(*args: object, **settings: object) -> None:
        raise error

    path = tmp_path / "a.png"
    write_image(IMAGE, path)
    monkeypatch.setattr(*((Image.Image, "save") if broken == "encode" else (os, "replace")), fail)

    with pytest.raises(ImageFileError if isinstance(error, OSError) else KeyboardInterrupt):
        write_image(255 - IMAGE, path)

    assert os.listdir(tmp_path) == ["a.png"]
    assert torch.equal(read_image(path), IMAGE)


def test_a_picture_too_large_for_the_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageFileError, match=r"a\.webp: cannot be written"):
        write_image(torch.zeros(3, 1, 17000), tmp_path / "a.webp")
    assert os.listdir(tmp_path) == []


def test_files_get_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()

    write_image(IMAGE, tmp_path / "a.png")

    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_exif_that_jpeg_cannot_hold_is_left_out_with_a_warning(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "x" * 70000

    with pytest.warns(ImageFileWarning, match="too long for JPEG"):
        write_image(IMAGE, tmp_path / "a.jpg", exif=exif.tobytes())

    assert read_pictures(tmp_path / "a.jpg")[0].exif is None


@pytest.mark.parametrize(
    ("image", "alpha", "message"),
    [
        (torch.zeros(2, 4, 4), None, r"image must have shape \(3, H, W\) or \(1, H, W\), got \(2"),
        (torch.zeros(1, 3, 4, 4), None, "image must have shape"),
        (torch.zeros(3, 4, 4), torch.zeros(1, 4, 5), r"alpha must have shape \(1, 4, 4\), got"),
        (torch.zeros(3, 4, 4, dtype=torch.int64), None, "image must be uint8 or float"),
        (torch.full((3, 4, 4), float("nan")), None, "got NaN"),
    ],
)
def test_what_is_no_picture_is_refused(
    tmp_path: Path, image: torch.Tensor, alpha: torch.Tensor | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write_image(image, tmp_path / "a.png", alpha=alpha)
    assert os.listdir(tmp_path) == []
