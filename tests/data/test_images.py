"""Tests of lit_restore.data.images: listing, measuring and reading files."""

import pickle
import struct
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from lit_restore.data.images import (
    ImageFileError,
    ReadOptions,
    image_size,
    list_images,
    read_header,
    read_image,
    read_pictures,
)


def _noise(height: int = 12, width: int = 17, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


def _save(path: Path, array: np.ndarray, **settings: object) -> Path:
    Image.fromarray(array).save(path, **settings)
    return path


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum


def _png_that_claims(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"\0"))


def test_images_are_listed_sorted_by_suffix_in_any_case(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpg", "c.TiFf", ".hidden.png", "notes.txt", "png"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "d.webp").touch()
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "e.png").touch()

    assert [path.name for path in list_images(tmp_path)] == ["a.jpg", "b.PNG", "c.TiFf"]
    found = [path.name for path in list_images(str(tmp_path), recursive=True)]
    assert found == ["a.jpg", "b.PNG", "c.TiFf", "d.webp"]


def test_a_hidden_folder_can_itself_be_listed(tmp_path: Path) -> None:
    (tmp_path / ".secret").mkdir()
    (tmp_path / ".secret" / "a.png").touch()

    assert len(list_images(tmp_path / ".secret")) == 1


def test_listing_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file.png").touch()

    with pytest.raises(ImageFileError, match=r"missing: no such folder"):
        list_images(tmp_path / "missing")
    with pytest.raises(ImageFileError, match=r"file\.png: not a folder"):
        list_images(tmp_path / "file.png")


def test_an_rgb_file_is_read_as_it_is(tmp_path: Path) -> None:
    array = _noise()
    path = _save(tmp_path / "a.png", array)

    image = read_image(path)

    assert image.dtype == torch.uint8
    assert image.is_contiguous()
    assert np.array_equal(image.permute(1, 2, 0).numpy(), array)
    assert image_size(path) == (12, 17)


def test_a_grey_file_gets_three_equal_channels_that_can_be_written_to(tmp_path: Path) -> None:
    array = _noise(channels=1)[..., 0]
    path = _save(tmp_path / "a.png", array)

    image = read_image(path)
    image[0].fill_(7)

    assert np.array_equal(image[2].numpy(), array)
    assert read_pictures(path)[0].grey


def test_a_picture_knows_its_file(tmp_path: Path) -> None:
    path = _save(tmp_path / "wrongly_named.png", _noise(), format="JPEG")

    (picture,) = read_pictures(path)

    assert (picture.format, picture.bit_depth, picture.grey) == ("JPEG", 8, False)
    assert (picture.path, picture.frame, picture.exif, picture.alpha) == (path, None, None, None)


@pytest.mark.parametrize("suffix", ["bmp", "tif", "webp", "gif", "ppm", "jp2", "avif", "qoi"])
def test_every_kind_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.new("RGB", (9, 5), (200, 100, 50)).save(path)

    image = read_image(path)

    assert image.shape == (3, 5, 9)
    assert (image.float().mean((1, 2)) - torch.tensor([200.0, 100, 50])).abs().max() < 4


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"this is a text, not a picture", r"not an image, or of a kind that is not read"),
        (b"\x89PNG\r\n\x1a\n", r"a\.png: "),
        (_png_that_claims(8, 8)[:-6], r"a\.png: "),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)

    with pytest.raises(ImageFileError, match=reason) as caught:
        read_image(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for read in (read_image, read_pictures, image_size):
        with pytest.raises(ImageFileError, match=r"a\.png: no such file"):
            read(tmp_path / "a.png")
        with pytest.raises(ImageFileError, match="is a folder"):
            read(tmp_path)


def test_the_error_survives_the_way_out_of_a_loader_process(tmp_path: Path) -> None:
    with pytest.raises(ImageFileError) as caught:
        read_image(tmp_path / "a.png")

    again = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(again, ImageFileError)
    assert str(again) == str(caught.value)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_a_truncated_file_is_refused_unless_allowed(tmp_path: Path, suffix: str) -> None:
    path = _save(tmp_path / f"a.{suffix}", _noise(64, 64))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])

    with pytest.raises(ImageFileError, match=rf"a\.{suffix}: "):
        read_image(path)
    if suffix != "tif":  # its directory is gone, and with it all that says what it is
        image = read_image(path, allow_truncated=True)
        assert image.shape == (3, 64, 64)
        assert image[:, :8].float().std() > 20
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_the_error_for_a_truncated_file_names_the_option(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.jpg", _noise(64, 64))
    path.write_bytes(path.read_bytes()[:-900])

    with pytest.raises(ImageFileError, match=r"truncated.*allow_truncated, or --allow-truncated"):
        read_image(path)


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_png_that_claims(50_000, 50_000))
    before = time.perf_counter()

    for read in (read_image, read_pictures, image_size):
        with pytest.raises(
            ImageFileError, match=r"2500000000 pixels are more than the limit of 178956970 .*max_p"
        ):
            read(path)

    assert time.perf_counter() - before < 1


def test_the_limit_of_pixels_is_the_callers(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.png", _noise(10, 10))

    assert read_image(path, max_pixels=100).shape == (3, 10, 10)
    for read in (read_image, image_size):
        with pytest.raises(ImageFileError, match="100 pixels are more than the limit of 99"):
            read(path, max_pixels=99)
    for read in (read_pictures, read_header):
        with pytest.raises(ImageFileError, match="limit of 99"):
            read(path, ReadOptions(max_pixels=99))


def test_a_higher_limit_than_pillows_can_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(_png_that_claims(15_000, 14_000))
    before = Image.MAX_IMAGE_PIXELS

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert image_size(path, max_pixels=210_000_000) == (14_000, 15_000)
    with (
        pytest.warns(Image.DecompressionBombWarning),  # Pillow warns up to twice the limit
        pytest.raises(ImageFileError, match="210000000 pixels are more than the limit"),
    ):
        image_size(path)

    assert before == Image.MAX_IMAGE_PIXELS


def test_below_the_limit_pillow_says_nothing_and_keeps_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _save(tmp_path / "a.gif", _noise(10, 10, 1)[..., 0])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_image(path).shape == (3, 10, 10)
        assert image_size(path) == (10, 10)

    assert Image.MAX_IMAGE_PIXELS == 20


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": "blend"}, "alpha must be keep, drop or composite=#rrggbb, got 'blend'"),
        ({"alpha": "composite=#12345"}, "alpha must be"),
        ({"frames": "last"}, "frames must be None, 'first' or 'all', got 'last'"),
        ({"bit_depth": 12}, "bit_depth must be 'auto', 8 or 16, got 12"),
        ({"max_pixels": 0}, "max_pixels must be positive, got 0"),
    ],
)
def test_options_that_do_not_exist_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReadOptions(**settings)


@pytest.mark.parametrize(("depth", "dtype"), [(8, torch.uint8), (16, torch.float32)])
def test_the_depth_can_be_chosen(tmp_path: Path, depth: int, dtype: torch.dtype) -> None:
    array = _noise(channels=4)
    path = _save(tmp_path / "a.png", array)

    (picture,) = read_pictures(path, ReadOptions(bit_depth=depth))

    assert picture.pixels.dtype == picture.alpha.dtype == dtype
    assert picture.bit_depth == depth
    scale = 1 if depth == 8 else 255
    expected = torch.from_numpy(array).permute(2, 0, 1)
    assert torch.equal((torch.cat([picture.pixels, picture.alpha]) * scale).round(), expected)


@pytest.mark.parametrize("options", [
    ReadOptions(),
    ReadOptions(alpha="drop"),
    ReadOptions(alpha="composite=#ffffff"),
    ReadOptions(bit_depth=8),
    ReadOptions(bit_depth=16),
    ReadOptions(frames="all"),
])  # fmt: skip
@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "I;16"])
def test_the_header_promises_what_reading_gives(
    tmp_path: Path, mode: str, options: ReadOptions
) -> None:
    path = tmp_path / "a.png"
    Image.new(mode, (7, 5)).save(path)

    header, (picture,) = read_header(path, options), read_pictures(path, options)

    assert header.size == picture.pixels.shape[1:]
    assert header.alpha == (picture.alpha is not None)
    assert (header.format, header.bit_depth) == (picture.format, picture.bit_depth)
    assert header.frames == 1
    if "composite" not in options.alpha:
        assert header.grey == picture.grey
