"""Tests of lit_restore.data.label_files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from lit_restore.data import (
    BINARY,
    LabelError,
    classes_of_files,
    make_classes,
    read_classes,
    voc_colours,
    write_classes,
)

CLASSES = make_classes(["background", "a", "b"], [(0, 0, 0), (200, 10, 0), (0, 128, 7)])


def _labels(height: int = 5, width: int = 7) -> torch.Tensor:
    return torch.randint(3, (height, width), generator=torch.Generator().manual_seed(0))


def _palette_file(path: Path, values: list[list[int]], colours: list[tuple[int, ...]]) -> Path:
    image = Image.fromarray(np.array(values, dtype=np.uint8))
    image.putpalette([channel for colour in colours for channel in colour])
    image.save(path)
    return path


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8])
def test_what_is_written_is_read_back_by_index_and_by_colour(
    tmp_path: Path, dtype: torch.dtype
) -> None:
    write_classes(_labels().to(dtype), tmp_path / "a.png", CLASSES)

    for kind in ("index", "colours"):
        found = read_classes(tmp_path / "a.png", CLASSES, kind=kind)  # type: ignore[arg-type]
        assert torch.equal(found, _labels())
    image = Image.open(tmp_path / "a.png")
    assert image.mode == "P"
    assert np.array_equal(np.array(image), _labels().numpy())
    shown = np.array(image.convert("RGB"))
    assert np.array_equal(shown, np.array(CLASSES.colours)[_labels().numpy()])


def test_ignored_pixels_keep_their_index_and_have_a_colour_of_their_own(tmp_path: Path) -> None:
    labels = _labels()
    labels[2, 3] = 255
    write_classes(labels, tmp_path / "a.png", CLASSES)

    assert torch.equal(read_classes(tmp_path / "a.png", CLASSES, kind="index"), labels)
    by_colour = read_classes(tmp_path / "a.png", CLASSES, ignore_colour=(224, 224, 192))
    assert torch.equal(by_colour, labels)


@pytest.mark.parametrize(
    ("labels", "name", "told"),
    [
        (_labels(), "a.jpg", r"are written as \.png, got \S*a\.jpg"),
        (_labels()[None], "a.png", r"whole numbers of shape \(H, W\), got torch.int64 of shape"),
        (_labels().float(), "a.png", r"whole numbers of shape \(H, W\), got torch.float32"),
        (_labels() + 1, "a.png", "classes must be 0 to 2, or 255 to be ignored, got 1 to 3"),
        (_labels() - 1, "a.png", "classes must be 0 to 2, or 255 to be ignored, got -1 to 1"),
    ],
)
def test_what_cannot_be_written_leaves_the_older_file(
    labels: torch.Tensor, name: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(b"older")

    with pytest.raises(ValueError, match=told):
        write_classes(labels, tmp_path / name, CLASSES)

    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"older"


def test_classes_are_the_colours_that_occur_in_the_order_of_the_palette(tmp_path: Path) -> None:
    colours: list[tuple[int, ...]] = [(9, 9, 9), (200, 0, 0), (0, 0, 5), (0, 150, 0), (7, 7, 7)]
    files = [
        _palette_file(tmp_path / "1.png", [[0, 3], [3, 3]], colours),
        _palette_file(tmp_path / "2.png", [[0, 1], [4, 4]], colours),
    ]

    found = classes_of_files(files, ignore_colour=(7, 7, 7))

    assert found == make_classes(None, [(9, 9, 9), (200, 0, 0), (0, 150, 0)])
    named = classes_of_files(files, names=["x", "y", "z", "void"])
    assert named.names == ("x", "y", "z", "void")
    assert named.colours[3] == (7, 7, 7)
    with pytest.raises(LabelError, match="a colour for each of x, y, got 4 in the 2 label images"):
        classes_of_files(files, names=["x", "y"])


def test_without_a_palette_black_comes_first(tmp_path: Path) -> None:
    pixels = np.array([[(5, 0, 0), (0, 9, 0)], [(0, 0, 0), (0, 9, 0)]], dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")

    assert classes_of_files([tmp_path / "a.png"]).colours == ((0, 0, 0), (0, 9, 0), (5, 0, 0))


def test_there_are_as_many_indices_as_the_highest_asks_for(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 3, 255]], dtype=np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(np.array([[1, 1, 0]], dtype=np.uint8)).save(tmp_path / "b.png")
    files = sorted(tmp_path.iterdir())

    assert classes_of_files(files, "index") == make_classes(None, voc_colours(4))
    names = [*"abcdef"]
    assert classes_of_files(files, "index", names) == make_classes(names)


def test_indices_have_the_colours_of_a_palette_that_all_files_share(tmp_path: Path) -> None:
    colours: list[tuple[int, ...]] = [(9, 9, 9), (200, 0, 0), (0, 0, 5)]
    one = _palette_file(tmp_path / "1.png", [[0, 1]], colours)
    other = _palette_file(tmp_path / "2.png", [[0, 2]], colours)
    third = _palette_file(tmp_path / "3.png", [[0, 2]], colours[::-1])

    assert classes_of_files([one, other], "index").colours == tuple(colours)
    assert classes_of_files([one, third], "index").colours == tuple(voc_colours(3))


@pytest.mark.parametrize("kind", ["binary", "foreground"])
def test_two_classes_need_no_files(kind: Any) -> None:
    assert classes_of_files([], kind) == BINARY
    named = classes_of_files([], kind, ["tissue", "cell"])
    assert named == make_classes(["tissue", "cell"], BINARY.colours)


def test_fewer_than_two_classes_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (3, 3)).save(tmp_path / "a.png")

    with pytest.raises(LabelError, match=r"2 to 255 classes .*a\.png\), got 1"):
        classes_of_files([tmp_path / "a.png"])
    with pytest.raises(LabelError, match=r"2 to 255 classes .*there are none.*got 0"):
        classes_of_files([])
