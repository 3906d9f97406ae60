"""Tests of lit_restore.data._depth16, _png16 and _tiff: 16 bits in and out, exactly."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from lit_restore.data._png16 import encode_png16
from lit_restore.data._tiff import encode_tiff
from lit_restore.data.images import (
    ImageFileError,
    ImageFileWarning,
    image_size,
    read_image,
    read_pictures,
    write_image,
)

VALUES = np.random.default_rng(3).integers(0, 65536, (13, 9, 4), dtype=np.uint16)
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum


def _png(values: np.ndarray, *chunks: bytes) -> bytes:
    """A PNG file without filters, made without the library's writer."""
    height, width, channels = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, COLOUR_TYPES[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    parts = [_chunk(b"IHDR", header), *chunks, _chunk(b"IDAT", zlib.compress(rows))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + _chunk(b"IEND", b"")


def _levels(*tensors: torch.Tensor) -> np.ndarray:
    return (torch.cat(tensors).double() * 65535).permute(1, 2, 0).numpy()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_16_bit_png_is_read_exactly(tmp_path: Path, channels: int) -> None:
    values = VALUES[..., :channels]
    (tmp_path / "a.png").write_bytes(_png(values))

    (picture,) = read_pictures(tmp_path / "a.png")

    assert picture.pixels.dtype == torch.float32
    assert picture.bit_depth == 16
    assert picture.grey == (channels < 3)
    assert (picture.alpha is not None) == (channels in (2, 4))
    colours = values[..., :1] if channels < 3 else values[..., :3]
    expected = (np.float32(colours) / np.float32(65535)).transpose(2, 0, 1)
    assert np.array_equal(picture.pixels.numpy(), np.broadcast_to(expected, (3, 13, 9)))
    if picture.alpha is not None:
        assert np.array_equal(_levels(picture.alpha).round(), values[..., -1:])
    assert torch.equal(read_image(tmp_path / "a.png"), picture.pixels)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_transparent_colour_of_16_bits_becomes_alpha(tmp_path: Path, channels: int) -> None:
    values = VALUES[..., :channels].copy()
    values[0, 0] = 4660
    values[0, 1] = 4661  # the same high byte
    (tmp_path / "a.png").write_bytes(_png(values, _chunk(b"tRNS", b"\x12\x34" * channels)))

    (picture,) = read_pictures(tmp_path / "a.png")

    assert picture.alpha is not None
    assert picture.alpha[0, 0, 0] == 0
    assert picture.alpha.sum() == 13 * 9 - 1


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_round_trip_is_exact(tmp_path: Path, channels: int, suffix: str) -> None:
    source, copy = tmp_path / "a.png", tmp_path / f"b.{suffix}"
    source.write_bytes(_png(VALUES[..., :channels]))
    (before,) = read_pictures(source)

    write_image(before.pixels, copy, alpha=before.alpha, grey=before.grey, bit_depth=16)
    (after,) = read_pictures(copy)

    assert after.bit_depth == 16
    assert torch.equal(after.pixels, before.pixels)
    if before.alpha is not None:
        assert torch.equal(after.alpha, before.alpha)
    assert after.grey == before.grey or (suffix, channels) == ("tif", 2)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("encode", [encode_png16, encode_tiff])
def test_others_read_what_is_written(tmp_path: Path, encode: object, channels: int) -> None:
    suffix = "png" if encode is encode_png16 else "tif"
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(encode(VALUES[..., :channels]))

    if suffix == "png":
        torchvision = pytest.importorskip("torchvision")
        read = torchvision.io.decode_image(str(path), mode="UNCHANGED").permute(1, 2, 0).numpy()
    else:
        read = pytest.importorskip("tifffile").imread(path).reshape(13, 9, channels)

    assert read.dtype == np.uint16
    assert np.array_equal(read, VALUES[..., :channels])


@pytest.mark.parametrize("settings", [
    {},
    {"byteorder": ">"},
    {"compression": "deflate", "predictor": True},
    {"compression": "deflate", "byteorder": ">"},
    {"rowsperstrip": 4},
    {"tile": (16, 16)},
    {"tile": (16, 16), "compression": "deflate"},
])  # fmt: skip
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_16_bit_tiff_of_others_is_read_exactly(
    tmp_path: Path, channels: int, settings: dict
) -> None:
    tifffile = pytest.importorskip("tifffile")
    values = VALUES[..., :channels]
    kind = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    photometric = "minisblack" if channels == 1 else "rgb"
    array = values[..., 0] if channels == 1 else values
    tifffile.imwrite(tmp_path / "a.tif", array, photometric=photometric, **kind, **settings)

    (picture,) = read_pictures(tmp_path / "a.tif")

    parts = [picture.pixels[:1] if channels == 1 else picture.pixels]
    read = _levels(*parts, *([picture.alpha] if channels == 4 else []))
    assert np.array_equal(read.round(), values)


def test_a_tiff_with_white_at_zero_is_inverted(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "a.tif", VALUES[..., 0], photometric="miniswhite")

    read = _levels(read_image(tmp_path / "a.tif")[:1]).round()

    assert np.array_equal(read, 65535 - VALUES[..., :1])


def test_premultiplied_colours_are_divided_by_alpha(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    pixels = np.array([[[1000, 500, 0, 20000], [7, 8, 9, 0], [9, 8, 7, 65535]]], dtype=np.uint16)
    kind = {"photometric": "rgb", "extrasamples": ["assocalpha"]}
    tifffile.imwrite(tmp_path / "a.tif", pixels, **kind)

    (picture,) = read_pictures(tmp_path / "a.tif")

    levels = _levels(picture.pixels).round()
    assert levels[0, 0].tolist() == [3277, 1638, 0]
    assert levels[0, 2].tolist() == [9, 8, 7]
    assert _levels(picture.alpha).round()[0, :, 0].tolist() == [20000, 0, 65535]


def test_a_tiff_stored_plane_by_plane_is_refused(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    planes = np.ascontiguousarray(VALUES[..., :3].transpose(2, 0, 1))
    kind = {"photometric": "rgb", "planarconfig": "separate"}
    tifffile.imwrite(tmp_path / "a.tif", planes, **kind)

    with pytest.raises(ImageFileError, match="16-bit pixels that are stored plane by plane"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("maximum", [65535, 4095])
def test_a_16_bit_pgm_is_read_in_unit_range(tmp_path: Path, maximum: int) -> None:
    values = VALUES[..., 0] if maximum == 65535 else VALUES[..., 0] >> 4
    header = f"P5\n9 13\n{maximum}\n".encode()
    (tmp_path / "a.pgm").write_bytes(header + values.astype(">u2").tobytes())

    image = read_image(tmp_path / "a.pgm")

    assert image.dtype == torch.float32
    assert np.abs(image[0].numpy() - values / maximum).max() < 1e-5


def test_a_16_bit_ppm_is_read_with_8_bits_and_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "a.ppm"
    path.write_bytes(b"P6\n9 13\n65535\n" + VALUES[..., :3].astype(">u2").tobytes())

    with pytest.warns(ImageFileWarning, match=r"a\.ppm: its 16 bits are read as 8"):
        image = read_image(path)

    assert image.dtype == torch.uint8
    assert np.abs(image.permute(1, 2, 0).numpy() - VALUES[..., :3] / 257).max() <= 1


def test_16_bits_are_rounded_to_8_on_demand(tmp_path: Path) -> None:
    levels = np.array([[[0], [128], [129], [385], [386], [65535]]], dtype=np.uint16)
    (tmp_path / "a.png").write_bytes(_png(levels))

    image = read_image(tmp_path / "a.png", bit_depth=8)

    assert image.dtype == torch.uint8
    assert image[0, 0].tolist() == [0, 0, 1, 1, 2, 255]  # 257 levels of 16 bits to one of 8


def test_16_bit_colour_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Camera"
    for channels in (1, 2, 3):
        path = tmp_path / f"{channels}.png"
        path.write_bytes(encode_png16(VALUES[..., :channels], exif.tobytes()))

        (picture,) = read_pictures(path)

        expected = VALUES[::-1, :, :channels].transpose(1, 0, 2)
        assert np.array_equal(_levels(picture.pixels).round()[..., :1], expected[..., :1])
        assert image_size(path) == (9, 13)
        assert picture.exif is not None
        assert picture.exif.count(b"Camera") == 1


def test_a_truncated_16_bit_file_is_refused_unless_allowed(tmp_path: Path) -> None:
    values = np.random.default_rng(9).integers(0, 65536, (64, 64, 3), dtype=np.uint16)
    content = _png(values)
    (tmp_path / "a.png").write_bytes(content[: len(content) // 2])

    with pytest.raises(ImageFileError):
        read_image(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png", allow_truncated=True)

    assert np.array_equal(_levels(image).round()[:24], values[:24])
