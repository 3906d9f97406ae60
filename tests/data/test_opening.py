"""Tests of lit_restore.data._opening: orientation and EXIF."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image, ImageOps

from lit_restore.data.images import (
    ImageFileWarning,
    ReadOptions,
    image_size,
    read_image,
    read_pictures,
    write_image,
)

ARRAY = np.random.default_rng(2).integers(0, 256, (6, 10, 3), dtype=np.uint8)
# What a viewer shows of the stored rows, by the text of the EXIF standard.
UPRIGHT = {
    1: ARRAY,
    2: ARRAY[:, ::-1],
    3: ARRAY[::-1, ::-1],
    4: ARRAY[::-1],
    5: ARRAY.transpose(1, 0, 2),
    6: ARRAY[::-1].transpose(1, 0, 2),
    7: ARRAY[::-1, ::-1].transpose(1, 0, 2),
    8: ARRAY[:, ::-1].transpose(1, 0, 2),
}


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Camera"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExifImageWidth] = 10
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.LensModel] = "Lens"
    return exif


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_are_turned_upright(tmp_path: Path, orientation: int, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    settings = {"lossless": True} if suffix == "webp" else {}
    Image.fromarray(ARRAY).save(path, exif=_exif(orientation).tobytes(), **settings)

    image = read_image(path)

    assert np.array_equal(image.permute(1, 2, 0).numpy(), UPRIGHT[orientation])
    assert image_size(path) == tuple(image.shape[1:])


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_jpeg_is_turned_upright(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(ARRAY).save(path, exif=_exif(orientation), quality=100, subsampling=0)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))

    assert np.array_equal(read_image(path).permute(1, 2, 0).numpy(), expected)
    assert image_size(path) == expected.shape[:2]


def test_exif_behind_the_pixels_counts_for_the_size_too(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(ARRAY).save(path)
    block = _exif(6).tobytes().removeprefix(b"Exif\0\0")
    checksum = struct.pack(">I", zlib.crc32(b"eXIf" + block))
    content = path.read_bytes()
    late = struct.pack(">I", len(block)) + b"eXIf" + block + checksum
    path.write_bytes(content[:-12] + late + content[-12:])

    assert image_size(path) == (10, 6)
    assert np.array_equal(read_image(path).permute(1, 2, 0).numpy(), UPRIGHT[6])
    assert read_pictures(path)[0].exif is not None


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_exif_is_kept_less_what_no_longer_holds(tmp_path: Path, suffix: str, depth: int) -> None:
    source, copy = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    Image.fromarray(ARRAY).save(source, exif=_exif(6).tobytes())
    (picture,) = read_pictures(source, ReadOptions(bit_depth=depth))

    write_image(picture.pixels, copy, exif=picture.exif, bit_depth=depth)

    with Image.open(copy) as image:
        exif = image.getexif()
        nested = exif.get_ifd(ExifTags.IFD.Exif)
        assert image.size == (6, 10)
    assert exif[ExifTags.Base.Make] == "Camera"
    assert exif.get(ExifTags.Base.Orientation, 1) == 1
    assert nested == {ExifTags.Base.LensModel: "Lens"}
    assert read_image(copy).shape == (3, 10, 6)


def test_a_picture_without_other_exif_has_none_left(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.fromarray(ARRAY).save(tmp_path / "a.png", exif=exif)
    Image.fromarray(ARRAY).save(tmp_path / "a.tif")

    assert read_pictures(tmp_path / "a.png")[0].exif is None
    assert read_pictures(tmp_path / "a.tif")[0].exif is None


def test_metadata_can_be_left_out(tmp_path: Path) -> None:
    Image.fromarray(ARRAY).save(tmp_path / "a.png", exif=_exif(6))

    (picture,) = read_pictures(tmp_path / "a.png", ReadOptions(strip_metadata=True))

    assert picture.exif is None
    assert picture.pixels.shape == (3, 10, 6)


def test_broken_exif_is_ignored_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(ARRAY).save(path, exif=b"Exif\0\0this is no EXIF at all")

    with pytest.warns(ImageFileWarning, match=r"a\.png: broken EXIF is ignored"):
        assert image_size(path) == (6, 10)
    with pytest.warns(ImageFileWarning, match=r"a\.png: broken EXIF is ignored"):
        (picture,) = read_pictures(path)

    assert picture.exif is None
    assert torch.equal(picture.pixels, torch.from_numpy(ARRAY).permute(2, 0, 1))
