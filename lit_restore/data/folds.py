"""Cross-validation: files dealt to folds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np


def deal_folds(files: Sequence[Path], root: Path, folds: int, seed: int) -> list[list[Path]]:
    """Deal files to folds, so that each has as many of every subfolder, give or take one.

    The files of a subfolder are shuffled and then dealt one by one, each subfolder going on where
    the one before stopped. Who is in which fold follows from the names below ``root``, ``folds``
    and ``seed`` alone.

    Args:
        files: In any order.
        root: Folder that they lie below.
        folds: How many, at least 2.
        seed: Of the shuffle.

    Returns:
        The files of each fold, sorted.

    Raises:
        ValueError: If there are fewer than 2 folds, or fewer files than folds.
    """
    if not 2 <= folds <= len(files):
        raise ValueError(f"folds must be 2 to the {len(files)} pictures there are, got {folds}")
    groups: dict[str, list[Path]] = {}
    for path in sorted(files, key=lambda path: path.relative_to(root).as_posix()):
        groups.setdefault(path.relative_to(root).parent.as_posix(), []).append(path)
    random = np.random.RandomState(seed)
    order = [group[i] for group in groups.values() for i in random.permutation(len(group))]
    return [sorted(order[fold::folds]) for fold in range(folds)]
