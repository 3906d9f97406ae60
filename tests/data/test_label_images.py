"""Tests of lit_restore.data.label_images."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from lit_restore.data import BINARY, LabelError, LabelReader, make_classes, read_classes
from lit_restore.data.images import ImageFileError

NEWTS = make_classes(["background", "red", "green"], [(0, 0, 0), (128, 0, 0), (0, 128, 0)])
INDEX = np.array([[0, 1, 1, 0], [2, 0, 1, 2], [0, 0, 0, 2]], dtype=np.uint8)
EXPECTED = torch.from_numpy(INDEX.astype(np.int64))


def _colours(values: np.ndarray, table: list[tuple[int, int, int]]) -> np.ndarray:
    return np.array(table, dtype=np.uint8)[values]


def _save(path: Path, pixels: np.ndarray, **settings: Any) -> Path:
    Image.fromarray(pixels).save(path, **settings)
    return path


def _palette_file(path: Path, colours: list[int]) -> Path:
    image = Image.fromarray(INDEX)
    image.putpalette(colours)
    image.save(path)
    return path


@pytest.mark.parametrize("kind", ["RGB", "RGBA", "P", "tRNS", "bmp"])
def test_colours_tell_the_class_in_every_kind_of_file(kind: str, tmp_path: Path) -> None:
    image = Image.fromarray(_colours(INDEX, list(NEWTS.colours)))
    path = tmp_path / ("labels.bmp" if kind == "bmp" else "labels.png")
    if kind == "RGBA":
        image.putalpha(Image.fromarray(INDEX * 100))
    if kind in ("P", "tRNS"):
        image = image.quantize(3)
    image.save(path, **({"transparency": 0} if kind == "tRNS" else {}))

    found = read_classes(path, NEWTS)

    assert found.dtype == torch.int64
    assert torch.equal(found, EXPECTED)


def test_a_tolerance_lets_127_and_128_agree(tmp_path: Path) -> None:
    off = _colours(INDEX, [(0, 0, 0), (127, 0, 0), (2, 126, 0)])
    path = _save(tmp_path / "labels.png", off)

    assert torch.equal(read_classes(path, NEWTS, tolerance=2), EXPECTED)
    with pytest.raises(LabelError, match=r"colour \(2, 126, 0\)"):
        read_classes(path, NEWTS, tolerance=1)
    with pytest.raises(LabelError, match=r"colour \(127, 0, 0\)"):
        read_classes(path, NEWTS)


def test_a_colour_of_no_class_is_named_with_its_place_and_how_often_it_occurs(
    tmp_path: Path,
) -> None:
    pixels = _colours(INDEX, list(NEWTS.colours))
    pixels[1, 3] = pixels[2, 1] = (1, 2, 3)
    pixels[2, 2] = (9, 9, 9)
    path = _save(tmp_path / "labels.png", pixels)

    told = r"labels\.png: colour \(1, 2, 3\) at x 3, y 1 is of no class \(2 pixels have it, 3 of 12"
    with pytest.raises(LabelError, match=told):
        read_classes(path, NEWTS)


@pytest.mark.parametrize("kind", ["colours", "foreground"])
def test_a_colour_may_be_ignored(kind: Any, tmp_path: Path) -> None:
    path = _save(tmp_path / "a.png", _colours(INDEX, [(0, 0, 0), (128, 0, 0), (224, 224, 192)]))
    classes = make_classes(None, [(0, 0, 0), (128, 0, 0)])

    found = read_classes(path, classes, 2, ignore_colour=(224, 224, 191), kind=kind)

    assert torch.equal(found, torch.where(EXPECTED == 2, 255, EXPECTED))
    other = read_classes(path, classes, 2, (224, 224, 192), ignore_index=-100, kind=kind)
    assert torch.equal(other, torch.where(EXPECTED == 2, -100, EXPECTED))


def test_the_index_of_a_palette_counts_whatever_its_colour(tmp_path: Path) -> None:
    path = _palette_file(tmp_path / "a.png", [9, 9, 9, 0, 0, 0, 0, 0, 0])
    plain = _save(tmp_path / "b.png", INDEX)
    rgb = _save(tmp_path / "c.png", np.stack([INDEX] * 3, -1))

    for file in (path, plain, rgb):
        assert torch.equal(read_classes(file, NEWTS, kind="index"), EXPECTED)
    with pytest.raises(LabelError, match=r"b\.png: index 2 at x 0, y 1 .* \(3 pixels .*0 to 1"):
        read_classes(plain, BINARY, kind="index")
    colours = _save(tmp_path / "d.png", _colours(INDEX, list(NEWTS.colours)))
    with pytest.raises(LabelError, match="need a palette or one channel, got colours"):
        read_classes(colours, NEWTS, kind="index")


def test_255_is_an_index_that_is_ignored(tmp_path: Path) -> None:
    pixels = np.where(INDEX == 2, 255, INDEX).astype(np.uint8)

    found = read_classes(_save(tmp_path / "a.png", pixels), BINARY, kind="index")

    assert torch.equal(found, torch.where(EXPECTED == 2, 255, EXPECTED))


def test_an_index_of_16_bits_is_read_as_it_is(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.png", INDEX.astype(np.uint16))
    assert torch.equal(read_classes(path, NEWTS, kind="index"), EXPECTED)

    _save(path, INDEX.astype(np.uint16) * 1000)
    with pytest.raises(LabelError, match="index 1000 at x 1, y 0"):
        read_classes(path, NEWTS, kind="index")


@pytest.mark.parametrize("mode", ["L", "RGB", "1", "I;16", "P"])
def test_binary_labels_are_black_and_white(mode: str, tmp_path: Path) -> None:
    white = Image.fromarray(((INDEX > 0) * 255).astype(np.uint8))
    if mode == "I;16":
        white = Image.fromarray(((INDEX > 0) * 65535).astype(np.uint16))
    elif mode != "L":
        white = white.convert(mode)
    white.save(tmp_path / "a.png")

    found = read_classes(tmp_path / "a.png", BINARY, kind="binary")

    assert torch.equal(found, (EXPECTED > 0).long())


def test_more_than_half_of_white_is_white(tmp_path: Path) -> None:
    pixels = np.array([[0, 127, 128, 255]], dtype=np.uint8)
    found = read_classes(_save(tmp_path / "a.png", pixels), BINARY, kind="binary")
    assert found.tolist() == [[0, 0, 1, 1]]


def test_binary_labels_of_levels_0_and_1_are_refused_with_a_hint(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.png", np.minimum(INDEX, 1))

    with pytest.raises(LabelError, match=r"levels 0 and 1.* expected the kind index or foreground"):
        read_classes(path, BINARY, kind="binary")

    for kind in ("index", "foreground"):
        found = read_classes(path, BINARY, kind=kind)  # type: ignore[arg-type]
        assert torch.equal(found, (EXPECTED > 0).long())


def test_the_foreground_is_whatever_is_not_black(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.png", _colours(INDEX, list(NEWTS.colours)))
    found = read_classes(path, BINARY, tolerance=2, kind="foreground")
    assert torch.equal(found, (EXPECTED > 0).long())


def test_a_jpeg_serves_for_black_and_white_alone(tmp_path: Path) -> None:
    large = np.kron((INDEX > 0) * 255, np.ones((16, 16))).astype(np.uint8)
    path = _save(tmp_path / "a.jpg", large)

    found = read_classes(path, BINARY, kind="binary")

    assert torch.equal(found, torch.from_numpy(large > 0).long())
    for kind in ("colours", "index", "foreground"):
        with pytest.raises(LabelError, match=r"a\.jpg: a JPEG changes colours.*lossless"):
            read_classes(path, BINARY, kind=kind)  # type: ignore[arg-type]


def test_files_whose_values_are_no_labels_are_refused(tmp_path: Path) -> None:
    Image.new("CMYK", (2, 2)).save(tmp_path / "a.tif")
    with pytest.raises(ImageFileError, match=r"a\.tif: a label image must .* got mode 'CMYK'"):
        read_classes(tmp_path / "a.tif", NEWTS)
    with pytest.raises(ImageFileError, match="no such file"):
        read_classes(tmp_path / "b.png", NEWTS)


def test_labels_are_turned_upright_as_their_picture_is(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    path = _save(tmp_path / "a.png", INDEX, exif=exif)

    found = read_classes(path, NEWTS, kind="index")

    assert torch.equal(found, EXPECTED.rot90(-1))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"kind": "grey"}, "kind must be one of colours, index, binary, foreground, got 'grey'"),
        ({"kind": "binary"}, "labels of the kind binary have 2 classes, got 3"),
        ({"tolerance": -1}, "tolerance must not be negative, got -1"),
        ({"tolerance": 64}, r"more than twice the tolerance apart, got \(0, 0, 0\) and \(128"),
        ({"ignore_colour": (128, 0, 0)}, "classes and of what is ignored must be more than twice"),
        ({"ignore_colour": (1, 2)}, "a colour must be three whole numbers"),
        ({"ignore_index": 2}, "ignore_index must not be one of the 3 classes, got 2"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        LabelReader(NEWTS, **options)


def test_binary_labels_in_colours_are_refused_with_a_hint(tmp_path: Path) -> None:
    pixels = np.zeros((4, 5, 3), np.uint8)
    pixels[1, 2] = (128, 0, 0)
    path = _save(tmp_path / "a.png", pixels)
    with pytest.raises(LabelError, match=r"got the colour \(128, 0, 0\); expected the kind fore"):
        read_classes(path, BINARY, kind="binary")
