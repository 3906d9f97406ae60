"""Tests of lit_restore.data.stems."""

from pathlib import Path

import pytest
from PIL import Image

from lit_restore.data import pair_by_stem
from lit_restore.data.images import ImageFileError


def _fill(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        Image.new("RGB", (1, 1)).save(folder / name)
    return folder


def test_stems_pair_whatever_the_suffix(tmp_path: Path) -> None:
    ours = _fill(tmp_path / "a", "2.png", "1.jpg", "x.y.png", "x.png")
    theirs = _fill(tmp_path / "b", "x.jpg", "1.PNG", "x.y.bmp", "2.jpg")

    found = pair_by_stem(ours, theirs)

    assert [path.name for path in found[0]] == ["1.jpg", "2.png", "x.png", "x.y.png"]
    assert [path.name for path in found[1]] == ["1.PNG", "2.jpg", "x.jpg", "x.y.bmp"]
    assert {path.parent for path in found[1]} == {theirs}


def test_the_picture_without_a_partner_and_the_folder_that_lacks_it_are_named(
    tmp_path: Path,
) -> None:
    ours, theirs = _fill(tmp_path / "a", "1.png", "2.png"), _fill(tmp_path / "b", "1.png")

    with pytest.raises(ValueError, match=r"a/2\.png has no partner: \S*/b lacks a picture 2\.\*$"):
        pair_by_stem(ours, theirs)
    with pytest.raises(ValueError, match=r"a/2\.png has no partner: \S*/b lacks a picture 2\.\*$"):
        pair_by_stem(theirs, ours)


def test_how_many_have_no_partner_is_told(tmp_path: Path) -> None:
    ours, theirs = _fill(tmp_path / "a", "1.png", "2.png"), _fill(tmp_path / "b", "3.png")

    with pytest.raises(ValueError, match=r"a/1\.png has no partner.*\(2 more have none, too\)"):
        pair_by_stem(ours, theirs)


def test_two_files_of_one_stem_are_refused(tmp_path: Path) -> None:
    ours, theirs = _fill(tmp_path / "a", "1.png", "1.jpg"), _fill(tmp_path / "b", "1.png")

    for folders in ((ours, theirs), (theirs, ours)):
        with pytest.raises(ValueError, match=r"a has both 1\.jpg and 1\.png"):
            pair_by_stem(*folders)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageFileError, match=r"b: no such folder"):
        pair_by_stem(_fill(tmp_path / "a", "1.png"), tmp_path / "b")


def test_pictures_in_folders_inside_pair_with_those_in_folders_of_the_same_name(
    tmp_path: Path,
) -> None:
    for side in "ab":
        _fill(tmp_path / side, "1.png")
        _fill(tmp_path / side / "x", "1.png", "2.png")
        _fill(tmp_path / side / "y", "1.png")

    found = pair_by_stem(tmp_path / "a", tmp_path / "b", recursive=True)

    for side, files in zip("ab", found, strict=True):
        names = [path.relative_to(tmp_path / side).as_posix() for path in files]
        assert names == ["1.png", "x/1.png", "x/2.png", "y/1.png"]
    flat = pair_by_stem(tmp_path / "a", tmp_path / "b")
    assert flat == ([tmp_path / "a/1.png"], [tmp_path / "b/1.png"])


def test_the_folder_inside_is_told_of_a_picture_without_a_partner(tmp_path: Path) -> None:
    for side, inner in (("a", "x"), ("b", "y")):
        _fill(tmp_path / side)
        _fill(tmp_path / side / inner, "1.png")

    with pytest.raises(ValueError, match=r"x/1\.png has no partner: \S*b lacks a picture x/1\.\*"):
        pair_by_stem(tmp_path / "a", tmp_path / "b", recursive=True)
    _fill(tmp_path / "b" / "x", "1.png", "1.jpg")
    with pytest.raises(ValueError, match=r"b/x has both 1\.jpg and 1\.png"):
        pair_by_stem(tmp_path / "a", tmp_path / "b", recursive=True)
