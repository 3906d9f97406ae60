"""Tests of lit_restore.data.class_folders."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image
from sklearn.model_selection import train_test_split

from lit_restore.data.class_folders import label_of, split_classes
from lit_restore.data.images import ImageFileError
from lit_restore.data.split import Split


def _make(root: Path, counts: Mapping[str, int]) -> Path:
    """Make folders of so many pictures."""
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for index in range(count):
            Image.new("RGB", (4, 4)).save(root / name / f"{index:02}.png")
    return root


def _counts(splits: Mapping[Split, list[Path]], split: Split) -> dict[str, int]:
    names = [path.parent.name for path in splits[split]]
    return {name: names.count(name) for name in sorted(set(names))}


def test_each_class_is_divided_on_its_own(tmp_path: Path) -> None:
    root = _make(tmp_path, {"b": 20, "a": 40, "c": 7})

    names, splits = split_classes(root, 0.25, 0.1, 5)

    assert names == ("a", "b", "c")
    assert _counts(splits, "test") == {"a": 10, "b": 5, "c": 2}
    assert _counts(splits, "val") == {"a": 4, "b": 2, "c": 1}
    assert _counts(splits, "train") == {"a": 26, "b": 13, "c": 4}
    assert splits["predict"] == splits["test"]
    every = [path for split in ("train", "val", "test") for path in splits[split]]  # type: ignore[index]
    assert sorted(every) == sorted(root.glob("*/*.png"))
    for name in names:
        _, test = train_test_split(sorted((root / name).iterdir()), test_size=0.25, random_state=5)
        assert [path for path in splits["test"] if path.parent.name == name] == test


def test_without_a_part_for_validation_the_test_serves(tmp_path: Path) -> None:
    _, splits = split_classes(_make(tmp_path, {"a": 10, "b": 10}), 0.2, 0)

    assert splits["val"] == splits["test"]


def test_another_seed_divides_otherwise(tmp_path: Path) -> None:
    root = _make(tmp_path, {"a": 30, "b": 30})

    assert split_classes(root, seed=1) == split_classes(root, seed=1)
    assert split_classes(root, seed=1) != split_classes(root, seed=2)


def test_a_files_class_is_its_folder(tmp_path: Path) -> None:
    names, splits = split_classes(_make(tmp_path, {"cat": 4, "dog": 4, ".git": 3}), 0.2, 0)

    assert names == ("cat", "dog")
    assert [label_of(path, names) for path in splits["train"]] == [0, 0, 0, 1, 1, 1]


def test_folders_of_splits_are_taken_as_they_are(tmp_path: Path) -> None:
    for split, counts in (("train", (5, 3)), ("valid", (2, 1)), ("test", (1, 2))):
        _make(tmp_path / split, dict(zip("ab", counts, strict=True)))
    _make(tmp_path, {"predict": 3})

    names, splits = split_classes(tmp_path, 0.9, 0.9)

    assert names == ("a", "b")
    assert _counts(splits, "train") == {"a": 5, "b": 3}
    assert _counts(splits, "val") == {"a": 2, "b": 1}
    assert _counts(splits, "test") == {"a": 1, "b": 2}
    assert splits["predict"] == sorted((tmp_path / "predict").iterdir())
    shutil.rmtree(tmp_path / "predict")
    assert split_classes(tmp_path)[1]["predict"] == splits["test"]


@pytest.mark.parametrize("split", ["train", "test"])
def test_one_folder_of_a_split_is_enough(tmp_path: Path, split: Split) -> None:
    names, splits = split_classes(_make(tmp_path / split, {"a": 2, "b": 1}).parent)

    assert names == ("a", "b")
    assert _counts(splits, split) == {"a": 2, "b": 1}
    assert splits["val"] == []


def test_pictures_to_predict_need_no_classes(tmp_path: Path) -> None:
    names, splits = split_classes(_make(tmp_path, {"predict": 2}))

    assert names == ()
    assert len(splits["predict"]) == 2


def test_a_class_that_is_missing_in_a_split_is_told(tmp_path: Path) -> None:
    _make(tmp_path / "train", {"a": 2, "b": 2, "c": 1})
    _make(tmp_path / "test", {"a": 2, "b": 2})

    with pytest.raises(ValueError, match=r"train and .*test must hold the same classes, got c in"):
        split_classes(tmp_path)
    (tmp_path / "test" / "c").mkdir()
    with pytest.raises(ValueError, match=r"test/c holds no pictures: every class needs some"):
        split_classes(tmp_path)


def test_a_class_without_pictures_or_too_few_is_told(tmp_path: Path) -> None:
    root = _make(tmp_path, {"a": 9, "b": 2})
    with pytest.raises(ValueError, match="class b: 2 pictures leave none for training"):
        split_classes(root)
    (root / "c").mkdir()
    (root / "c" / "readme.txt").write_text("no picture")
    with pytest.raises(ValueError, match="c holds no pictures"):
        split_classes(root, 0, 0)


def test_what_holds_no_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageFileError, match="no such folder"):
        split_classes(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="for each of two classes or more, got none"):
        split_classes(tmp_path)
    with pytest.raises(ValueError, match="for each of two classes or more, got only"):
        split_classes(_make(tmp_path, {"only": 4}))
    with pytest.raises(ValueError, match="fraction"):
        split_classes(_make(tmp_path / "two", {"a": 4, "b": 4}), 1.0)
