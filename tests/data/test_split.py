"""Tests of lit_restore.data.split."""

import math
from pathlib import Path

import pytest
from PIL import Image
from sklearn.model_selection import train_test_split

from lit_restore.data.images import ImageFileError
from lit_restore.data.split import manifest_hash, shuffle_split, split_files, split_manifest


def _fill(folder: Path, count: int) -> list[Path]:
    """Write pictures of one pixel, and say their names in order."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{index:03}.png" for index in range(count)]
    for path in files:
        Image.new("RGB", (1, 1)).save(path)
    return files


@pytest.mark.parametrize("seed", [0, 18])
@pytest.mark.parametrize("fraction", [0.15, 0.3])
def test_the_division_is_scikit_learns_in_its_order(fraction: float, seed: int) -> None:
    for count in range(5, 61):
        files = [Path(f"{index}.png") for index in range(count)]
        expected = train_test_split(files, test_size=fraction, random_state=seed)
        assert list(shuffle_split(files, fraction, seed)) == expected


def test_a_folder_is_divided_as_in_the_notes(tmp_path: Path) -> None:
    files = _fill(tmp_path, 20)

    splits = split_files(tmp_path, test_fraction=0.15, val_fraction=0, seed=18)

    train, test = train_test_split(files, test_size=0.15, random_state=18)
    assert splits == {"train": train, "val": test, "test": test, "predict": test}


@pytest.mark.parametrize("count", [5, 20, 33])
def test_validation_is_taken_from_the_end_of_training_and_never_from_the_test(
    tmp_path: Path, count: int
) -> None:
    files = _fill(tmp_path, count)

    splits = split_files(tmp_path, test_fraction=0.15, val_fraction=0.1, seed=3)

    train, test = train_test_split(files, test_size=0.15, random_state=3)
    assert splits["train"] + splits["val"] == train
    assert len(splits["val"]) == math.ceil(0.1 * count)
    assert splits["test"] == splits["predict"] == test


def test_another_seed_gives_other_test_pictures(tmp_path: Path) -> None:
    _fill(tmp_path, 30)

    tests = [split_files(tmp_path, seed=seed)["test"] for seed in (18, 18, 19)]

    assert tests[0] == tests[1] != tests[2]


def test_folders_inside_are_divided_together_if_asked(tmp_path: Path) -> None:
    files = sorted(_fill(tmp_path / "x", 6) + _fill(tmp_path / "y", 5) + _fill(tmp_path, 3))

    splits = split_files(tmp_path, 0.3, 0, seed=1, recursive=True)

    train, test = train_test_split(files, test_size=0.3, random_state=1)
    assert splits == {"train": train, "val": test, "test": test, "predict": test}
    assert sum(map(len, [split_files(tmp_path, 0.3, 0)[name] for name in ("train", "test")])) == 3
    inside = _fill(tmp_path / "train" / "z", 2)
    assert split_files(tmp_path, recursive=True)["train"] == inside


def test_folders_named_after_the_splits_are_the_splits(tmp_path: Path) -> None:
    train, test = _fill(tmp_path / "train", 3), _fill(tmp_path / "test", 2)
    _fill(tmp_path, 4)  # beside the folders: not part of any split

    splits = split_files(tmp_path)

    assert splits == {"train": train, "val": [], "test": test, "predict": []}


@pytest.mark.parametrize("names", [[], ["notes.txt"], ["inside/a.png"]])
def test_a_folder_without_pictures_is_refused(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    with pytest.raises(ValueError, match=r"holds neither a folder 'train' nor pictures"):
        split_files(tmp_path)


def test_a_missing_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ImageFileError, match="nowhere: no such folder"):
        split_files(tmp_path / "nowhere")


def test_a_division_that_leaves_nothing_to_train_is_refused(tmp_path: Path) -> None:
    _fill(tmp_path, 2)

    message = "2 pictures leave none for training after 1 for the test and 1 for validation"
    with pytest.raises(ValueError, match=message):
        split_files(tmp_path)


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 15])
def test_a_fraction_out_of_range_is_refused(tmp_path: Path, fraction: float) -> None:
    _fill(tmp_path, 4)

    for name in ("test_fraction", "val_fraction"):
        with pytest.raises(ValueError, match=f"less than 1, got {fraction}"):
            split_files(tmp_path, **{name: fraction})


def test_the_manifest_names_files_relative_to_the_root(tmp_path: Path) -> None:
    _fill(tmp_path / "train", 2)

    manifest = split_manifest(split_files(tmp_path), tmp_path)

    assert manifest == {
        "train": ["train/000.png", "train/001.png"], "val": [], "test": [], "predict": [],
    }  # fmt: skip


def test_the_hash_tells_all_but_pictures_to_predict() -> None:
    manifest = {"train": ["a", "b"], "val": ["c"], "test": ["d"], "predict": ["d"]}

    assert manifest_hash(manifest) == manifest_hash({**manifest, "predict": ["e", "f"]})
    others = [
        {**manifest, "train": ["b", "a"]},
        {**manifest, "train": ["a", "b", "c"], "val": []},
        {**manifest, "val": ["x"]},
        {**manifest, "test": []},
    ]
    assert len({manifest_hash(other) for other in [manifest, *others]}) == 5
