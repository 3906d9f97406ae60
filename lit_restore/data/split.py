"""Which pictures belong to which split: folders by name, or one folder divided by a seed."""

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from lit_restore.data.images import list_images

Split = Literal["train", "val", "test", "predict"]
SPLITS: tuple[Split, ...] = ("train", "val", "test", "predict")


def split_files(
    root: Path,
    test_fraction: float = 0.15,
    val_fraction: float = 0.1,
    seed: int = 18,
    recursive: bool = False,
) -> dict[Split, list[Path]]:
    """Divide the pictures under ``root`` into splits.

    If ``root`` has a folder ``train``, the folders ``train``, ``val``, ``test`` and ``predict``
    are the splits, and one that is missing is empty. Otherwise the pictures of ``root`` itself are
    divided: the test pictures are those of scikit-learn's
    ``train_test_split(files, test_size=test_fraction, random_state=seed)``, in its order, and the
    last ``val_fraction`` of its training pictures are for validation. With ``val_fraction=0``
    validation is on the test pictures, as in the notes. Pictures to predict are the test pictures.

    Args:
        root: The folder.
        test_fraction: Part of all pictures, in 0..1, rounded up.
        val_fraction: Part of all pictures, in 0..1, rounded up.
        seed: Of the shuffle.
        recursive: Whether to descend into the folders inside.

    Returns:
        The files of each split.

    Raises:
        ValueError: If there are no pictures, none is left for training, or a fraction is out of
            range.
        ImageFileError: If ``root`` is no folder.
    """
    if (root / "train").is_dir():
        folders = {split: root / split for split in SPLITS}
        return {
            split: list_images(folder, recursive) if folder.is_dir() else []
            for split, folder in folders.items()
        }
    files = list_images(root, recursive)
    if not files:
        raise ValueError(f"{root} holds neither a folder 'train' nor pictures")
    _check_fraction(val_fraction)
    rest, test = shuffle_split(files, test_fraction, seed)
    held_out = math.ceil(val_fraction * len(files))
    train, val = rest[: len(rest) - held_out], rest[len(rest) - held_out :]
    if not train:
        raise ValueError(
            f"{len(files)} pictures leave none for training after {len(test)} for the test and "
            f"{len(val)} for validation"
        )
    return {"train": train, "val": val or test, "test": test, "predict": test}


def split_folders(pattern: str) -> dict[Split, list[Path]]:
    """List the pictures of each split, each in a folder of its own.

    Args:
        pattern: Path with ``{split}`` in it, for ``train``, ``val`` (or ``valid``), ``test`` and
            ``predict``: ``DIV2K_{split}_HR`` finds ``DIV2K_train_HR`` and ``DIV2K_valid_HR``.

    Returns:
        The files of each split; none where there is no folder.

    Raises:
        ValueError: If there is no folder for ``train``, or no picture in it.
    """
    files = {split: _pictures(split_folder(pattern, split)) for split in SPLITS}
    if not files["train"]:
        raise ValueError(f"{split_folder(pattern, 'train')} must be a folder of pictures")
    return files


def split_folder(pattern: str, split: Split) -> Path:
    """Fill in ``{split}``; that of validation may be called ``valid`` if ``val`` is not there."""
    folder, valid = (Path(pattern.replace("{split}", name)) for name in (split, "valid"))
    return valid if split == "val" and valid.is_dir() and not folder.is_dir() else folder


def _pictures(folder: Path) -> list[Path]:
    return list_images(folder) if folder.is_dir() else []


def pair_files(files: Sequence[Path], folder: Path, scale: int) -> list[Path]:
    """Find the small picture of each large one, by its stem: ``0001.png`` or ``0001x4.png``.

    Args:
        files: The large pictures.
        folder: Of the small ones.
        scale: Factor between the two.

    Raises:
        ValueError: If a large picture has no partner, or more than one.
    """
    found: dict[str, list[Path]] = {}
    for path in list_images(folder):
        found.setdefault(path.stem, []).append(path)
    partners = []
    for path in files:
        names = (path.stem, f"{path.stem}x{scale}")
        matches = [match for name in names for match in found.get(name, [])]
        if len(matches) != 1:
            got = ", ".join(match.name for match in matches) or "none"
            raise ValueError(
                f"{path.name} needs one small picture {names[0]}.* or {names[1]}.* in {folder}, "
                f"got {got}"
            )
        partners.append(matches[0])
    return partners


def shuffle_split(
    files: Sequence[Path], test_fraction: float, seed: int
) -> tuple[list[Path], list[Path]]:
    """Divide files as scikit-learn's ``train_test_split`` does: same files, same order.

    Args:
        files: Sorted.
        test_fraction: In 0..1; the number of test files is rounded up.
        seed: scikit-learn's ``random_state``.

    Returns:
        The training files and the test files.

    Raises:
        ValueError: If ``test_fraction`` is out of range.
    """
    _check_fraction(test_fraction)
    order = np.random.RandomState(seed).permutation(len(files))
    count = math.ceil(test_fraction * len(files))
    return [files[i] for i in order[count:]], [files[i] for i in order[:count]]


def split_manifest(splits: dict[Split, list[Path]], root: Path) -> dict[str, list[str]]:
    """Name the files of each split relative to ``root``, to be kept with a run."""
    return {
        split: [path.relative_to(root).as_posix() for path in files]
        for split, files in splits.items()
    }


def manifest_hash(manifest: dict[str, list[str]]) -> str:
    """SHA-256 of the files that train and measure; pictures to predict may change freely."""
    lines = [f"{split}/{name}" for split in SPLITS[:3] for name in manifest[split]]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _check_fraction(fraction: float) -> None:
    if not 0 <= fraction < 1:
        raise ValueError(f"a fraction must be at least 0 and less than 1, got {fraction}")
