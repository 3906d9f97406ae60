"""Tests of lit_restore.data._profile and _matrix_profile: pictures to sRGB."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from lit_restore.data._png16 import encode_png16
from lit_restore.data.images import ImageFileWarning, read_image, read_pictures

# Display P3 and ProPhoto: primaries adapted to D50, as columns of XYZ.
P3 = [(0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)]
GREY = (0.9642, 1.0, 0.8249)
RGB = np.random.default_rng(5).integers(0, 256, (16, 16, 3), dtype=np.uint8)


def _fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _profile(tags: dict[bytes, bytes], space: bytes) -> bytes:
    """Assemble an ICC profile of version 4 from its tags."""
    text = "test".encode("utf-16-be")
    tags = {
        b"desc": b"mluc" + struct.pack(">IIIHHII", 0, 1, 12, 0x656E, 0x5553, len(text), 28) + text,
        b"wtpt": b"XYZ \0\0\0\0" + _fixed(*GREY),
        **tags,
    }
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        start = 128 + 4 + 12 * len(tags) + len(body)
        table += name + struct.pack(">II", start, len(data))
        body += data.ljust(-(-len(data) // 4) * 4, b"\0")
    size = struct.pack(">I", 128 + len(table) + len(body))
    header = size + b"\0" * 4 + b"\x04\0\0\0" + b"mntr" + space + b"XYZ " + b"\0" * 12 + b"acsp"
    header = header.ljust(68, b"\0") + _fixed(*GREY)
    return header.ljust(128, b"\0") + table + body


def _rgb_profile(curve: bytes) -> bytes:
    primaries = {f"{c}XYZ".encode(): b"XYZ \0\0\0\0" + _fixed(*P3[i]) for i, c in enumerate("rgb")}
    return _profile(primaries | {f"{c}TRC".encode(): curve for c in "rgb"}, b"RGB ")


def _gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256)) + b"\0\0"


def _table(power: float) -> bytes:
    levels = np.round(np.linspace(0, 1, 257) ** power * 65535).astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", len(levels)) + levels.tobytes()


def _parametric(kind: int, *values: float) -> bytes:
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + _fixed(*values)


CURVES = {
    "gamma": _gamma(1.8),
    "identity": b"curv\0\0\0\0" + struct.pack(">I", 0),
    "table": _table(2.2),
    "para0": _parametric(0, 1.8),
    "para1": _parametric(1, 2.4, 1.055, -0.055),
    "para2": _parametric(2, 2.2, 1.05, -0.05, -0.01),
    "para3": _parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
    "para4": _parametric(4, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, -0.01, -0.005),
}


def _srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _saved_16(path: Path, array: np.ndarray, profile: bytes) -> Path:
    """Write 16 bits by hand and the profile through Pillow's chunk of an 8-bit file."""
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "png", icc_profile=profile)
    content = buffer.getvalue()
    start = content.index(b"iCCP") - 4
    chunk = content[start : start + 12 + int.from_bytes(content[start : start + 4], "big")]
    plain = encode_png16(array.astype(np.uint16))
    path.write_bytes(plain[:33] + chunk + plain[33:])
    return path


def test_pixels_with_the_srgb_profile_are_left_alone(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png", icc_profile=_srgb())

    assert np.array_equal(read_image(tmp_path / "a.png").permute(1, 2, 0).numpy(), RGB)


@pytest.mark.parametrize("with_alpha", [False, True])
def test_a_wide_gamut_is_converted_to_srgb(tmp_path: Path, with_alpha: bool) -> None:
    profile = _rgb_profile(CURVES["para3"])
    array = np.dstack([RGB, RGB[..., 0]]) if with_alpha else RGB
    Image.fromarray(array).save(tmp_path / "a.png", icc_profile=profile)

    (picture,) = read_pictures(tmp_path / "a.png")

    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    expected = ImageCms.profileToProfile(
        Image.fromarray(RGB), source, ImageCms.createProfile("sRGB"), renderingIntent=1
    )
    read = picture.pixels.permute(1, 2, 0).numpy()
    assert np.abs(read.astype(int) - np.asarray(expected)).max() <= 1
    assert np.abs(read.astype(int) - RGB).max() > 20
    if with_alpha:
        assert np.array_equal(picture.alpha[0].numpy(), RGB[..., 0])


@pytest.mark.parametrize("curve", sorted(CURVES))
def test_16_bits_are_converted_in_float_like_8_bits(tmp_path: Path, curve: str) -> None:
    profile = _rgb_profile(CURVES[curve])
    Image.fromarray(RGB).save(tmp_path / "8.png", icc_profile=profile)
    path = _saved_16(tmp_path / "16.png", RGB.astype(int) * 257, profile)

    deep, plain = read_image(path), read_image(tmp_path / "8.png")

    assert deep.dtype == torch.float32
    assert (deep * 255 - plain).abs().max() < 1.6
    assert (deep * 255 - plain).abs().mean() < 0.4


def test_16_bits_keep_their_steps_through_a_profile(tmp_path: Path) -> None:
    ramp = np.arange(20000, 20256).reshape(16, 16, 1).repeat(3, axis=2)
    path = _saved_16(tmp_path / "a.png", ramp, _rgb_profile(_gamma(1.8)))

    image = read_image(path)

    assert len(image[1].unique()) == 256
    expected = (ramp[..., 0] / 65535) ** 1.8
    expected = 1.055 * expected ** (1 / 2.4) - 0.055
    assert np.abs(image[1].numpy() - expected).max() < 2e-4


@pytest.mark.parametrize("depth", [8, 16])
def test_a_grey_profile_keeps_a_picture_grey(tmp_path: Path, depth: int) -> None:
    profile = _profile({b"kTRC": _gamma(1.0)}, b"GRAY")
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    if depth == 8:
        Image.fromarray(levels).save(tmp_path / "a.png", icc_profile=profile)
    else:
        _saved_16(tmp_path / "a.png", levels[..., None].astype(int) * 257, profile)

    (picture,) = read_pictures(tmp_path / "a.png")

    linear = levels / 255
    expected = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    scale = 255 if depth == 8 else 1
    assert picture.grey
    assert np.abs(picture.pixels[0].numpy() / scale - expected).max() < 1.6 / 255


def test_a_grey_picture_with_a_colour_profile_stays_grey(tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(levels).save(tmp_path / "a.jpg", icc_profile=_rgb_profile(_gamma(1.0)))
    Image.fromarray(levels).save(tmp_path / "b.jpg", icc_profile=_srgb())

    (linear,), (plain,) = read_pictures(tmp_path / "a.jpg"), read_pictures(tmp_path / "b.jpg")

    assert linear.grey
    assert plain.grey
    assert linear.pixels.float().mean() > plain.pixels.float().mean() + 30


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(
    "profile", [b"this is no profile", _profile({b"kTRC": _gamma(2.2)}, b"GRAY")]
)
def test_a_profile_that_cannot_be_used_warns_and_keeps_the_pixels(
    tmp_path: Path, profile: bytes, depth: int
) -> None:
    path = tmp_path / "a.png"
    if depth == 8:
        Image.fromarray(RGB).save(path, icc_profile=profile)
    else:
        _saved_16(path, RGB.astype(int) * 257, profile)

    with pytest.warns(ImageFileWarning, match=r"a\.png: its colour profile cannot") as caught:
        image = read_image(path)

    assert len(caught) == 1
    levels = image if depth == 8 else (image * 255).round()
    assert np.array_equal(levels.permute(1, 2, 0).numpy(), RGB)


def test_16_bits_with_a_profile_of_another_kind_are_converted_with_8(tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    tables = _rgb_profile(_gamma(1.8)).replace(b"desc", b"A2B9")
    path = _saved_16(tmp_path / "a.png", RGB.astype(int) * 257, tables)

    with pytest.warns(ImageFileWarning, match="its colour profile is applied with 8 bits"):
        image = read_image(path)

    assert image.dtype == torch.float32
    assert torch.equal((image * 255).round() / 255, image)
    _saved_16(tmp_path / "b.png", RGB.astype(int) * 257, lab)
    with pytest.warns(ImageFileWarning, match="colour profile cannot be used"):
        read_image(tmp_path / "b.png")


def test_cmyk_with_the_wrong_profile_is_read_without_it(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg", icc_profile=_srgb())

    with pytest.warns(ImageFileWarning) as caught:
        image = read_image(tmp_path / "a.jpg")

    assert [str(warning.message).partition(": ")[2][:20] for warning in caught] == [
        "its colour profile c",
        "CMYK is read as RGB,",
    ]
    assert image[0].float().mean() > 250
