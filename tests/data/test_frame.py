"""Tests of lit_restore.data._frame: animations and files of several pages."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from lit_restore.data.images import ImageFileError, ReadOptions, image_size, read_header, read_image
from lit_restore.data.images import read_pictures as read

COLOURS = ["red", "lime", "blue"]
CHANNELS = {"red": 0, "lime": 1, "blue": 2}


def _animation(path: Path) -> Path:
    first, *others = [Image.new("RGB", (6, 4), colour) for colour in COLOURS]
    settings = {"lossless": True} if path.suffix == ".webp" else {}
    first.save(path, save_all=True, append_images=others, **settings)
    return path


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tif"])
def test_several_frames_are_refused_unless_chosen(tmp_path: Path, suffix: str) -> None:
    path = _animation(tmp_path / f"a.{suffix}")

    for function in (read, read_image, read_header):
        with pytest.raises(
            ImageFileError, match=r"has 3 frames; choose by frames, or --frames: first or all"
        ):
            function(path)
    assert image_size(path) == (4, 6)


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tif"])
def test_the_first_frame_or_all_can_be_read(tmp_path: Path, suffix: str) -> None:
    path = _animation(tmp_path / f"a.{suffix}")

    (first,) = read(path, ReadOptions(frames="first"))
    frames = read(path, ReadOptions(frames="all"))

    assert first.frame is None
    assert torch.equal(first.pixels, frames[0].pixels)
    assert read_header(path, ReadOptions(frames="first")).frames == 1
    assert read_header(path, ReadOptions(frames="all")).frames == 3
    assert [frame.frame for frame in frames] == [0, 1, 2]
    for frame, colour in zip(frames, COLOURS, strict=True):
        assert frame.pixels.float().mean((1, 2)).argmax() == CHANNELS[colour]
        assert frame.pixels.sum() == 255 * 24


def test_all_frames_together_count_against_the_limit(tmp_path: Path) -> None:
    path = _animation(tmp_path / "a.gif")

    assert len(read(path, ReadOptions(frames="all", max_pixels=72))) == 3
    with pytest.raises(ImageFileError, match="72 pixels are more than the limit of 71"):
        read(path, ReadOptions(frames="all", max_pixels=71))


def test_one_frame_is_a_picture_like_any_other_whatever_is_chosen(tmp_path: Path) -> None:
    Image.new("RGB", (6, 4)).save(tmp_path / "a.gif")

    for frames in (None, "first", "all"):
        (picture,) = read(tmp_path / "a.gif", ReadOptions(frames=frames))
        assert picture.frame is None


def test_the_extra_pictures_that_cameras_put_into_a_jpeg_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "camera.jpg"
    photo, preview = Image.new("RGB", (16, 8), "red"), Image.new("RGB", (8, 8), "blue")
    photo.save(path, format="MPO", save_all=True, append_images=[preview])

    (picture,) = read(path)

    assert (picture.format, picture.frame) == ("JPEG", None)
    assert picture.pixels.shape == (3, 8, 16)
    assert picture.pixels.float().mean((1, 2)).argmax() == 0
