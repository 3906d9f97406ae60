"""Pictures in a folder for each class, and which of them belong to which split."""

from collections.abc import Sequence
from pathlib import Path

from lit_restore.data.images import list_images
from lit_restore.data.split import SPLITS, Split, split_files, split_folder

Splits = dict[Split, list[Path]]


def split_classes(
    root: Path, test_fraction: float = 0.15, val_fraction: float = 0.1, seed: int = 18
) -> tuple[tuple[str, ...], Splits]:
    """Find classes and divide their pictures into splits.

    If ``root`` has a folder ``train``, ``test`` or ``predict``, then ``train``, ``val`` (or
    ``valid``) and ``test`` are the splits, each with a folder for each class, and ``predict`` holds
    pictures of unknown class. Otherwise ``root`` itself has a folder for each class, each of which
    is divided on its own as ``lit_restore.data.split.split_files`` does, so that every split has
    the same share of each class, but for rounding up.

    Args:
        root: The folder.
        test_fraction: Part of each class, in 0..1, rounded up.
        val_fraction: Part of each class, in 0..1, rounded up; 0 validates on the test.
        seed: Of the division.

    Returns:
        The names of the classes, sorted (none if there are only pictures to predict), and the files
        of each split, class by class. A file's class is the name of its folder, but for those to
        predict.

    Raises:
        ValueError: If there are not at least two classes, a class has no pictures, none for
            training, or is missing in a split, or a fraction is out of range.
        ImageFileError: If ``root`` is no folder.
    """
    list_images(root)  # refuses what is no folder
    folders = {split: split_folder(str(root / "{split}"), split) for split in SPLITS}
    if any(folders[split].is_dir() for split in ("train", "test", "predict")):
        return _given(folders)
    names = class_names(root)
    splits: Splits = {split: [] for split in SPLITS}
    for name in names:
        _pictures(root / name)
        try:
            divided = split_files(root / name, test_fraction, val_fraction, seed)
        except ValueError as error:
            raise ValueError(f"class {name}: {error}") from error
        for split in SPLITS:
            splits[split] += divided[split]
    return names, splits


def class_names(folder: Path) -> tuple[str, ...]:
    """List the folders of a folder, sorted: the classes of the pictures in them.

    Raises:
        ValueError: If there are not at least two.
    """
    inside = folder.iterdir()
    names = sorted(path.name for path in inside if path.is_dir() and path.name[0] != ".")
    if len(names) < 2:
        raise ValueError(
            f"{folder} must hold a folder of pictures for each of two classes or more, got "
            f"{', '.join(names) or 'none'}"
        )
    return tuple(names)


def label_of(path: Path, names: Sequence[str]) -> int:
    """Tell a picture's class by its folder: the index of the name."""
    return names.index(path.parent.name)


def _given(folders: dict[Split, Path]) -> tuple[tuple[str, ...], Splits]:
    """Read splits that are folders; one that is missing is empty."""
    there: list[Split] = [
        split for split in SPLITS if split != "predict" and folders[split].is_dir()
    ]
    found = {split: class_names(folders[split]) for split in there}
    names = found[there[0]] if there else ()
    for split in there:
        missing = sorted(set(names) ^ set(found[split]))
        if missing:
            raise ValueError(
                f"{folders[there[0]]} and {folders[split]} must hold the same classes, got "
                f"{', '.join(missing)} in one of them only"
            )
    splits: Splits = {split: [] for split in SPLITS}
    for split in there:
        splits[split] = [path for name in names for path in _pictures(folders[split] / name)]
    predict = folders["predict"]
    splits["predict"] = list_images(predict) if predict.is_dir() else splits["test"]
    return names, splits


def _pictures(folder: Path) -> list[Path]:
    files = list_images(folder)
    if not files:
        raise ValueError(f"{folder} holds no pictures: every class needs some in every split")
    return files
