"""Pairs of pictures dealt to folds, of which one is for the test."""

from pathlib import Path

from lit_restore.data.folds import deal_folds
from lit_restore.data.split import Split
from lit_restore.datamodules._sides import SideFolders, Sides


def check_folds(folds: int | None, fold: int, val_fold: int) -> None:
    """Refuse a fold that is not there.

    Raises:
        ValueError: If one of the two is no fold, or there are less than 2.
    """
    if folds is None:
        return
    if folds < 2:
        raise ValueError(f"folds must be at least 2, or None to deal none, got {folds}")
    if not (0 <= fold < folds and 0 <= val_fold < folds):
        raise ValueError(f"fold and val_fold must be 0 to {folds - 1}, got {fold} and {val_fold}")


def dealt_sides(folders: SideFolders, folds: int, fold: int, val_fold: int) -> Sides:
    """Find pairs and deal them; what is in neither fold is to train on.

    Args:
        folders: Both in ``root`` itself; the last of their fractions is the seed.
        folds: How many.
        fold: For the test, and for prediction.
        val_fold: For validation.

    Raises:
        ValueError: If there are splits already, fewer pairs than folds, or a picture has no
            partner.
    """
    ours, theirs = folders.together()
    partner = dict(zip(ours, theirs, strict=True))
    parts = deal_folds(ours, folders.root / folders.names[0], folds, folders.fractions[2])
    held = {fold, val_fold}
    rest = sorted(path for i, part in enumerate(parts) if i not in held for path in part)
    if not rest:
        raise ValueError(
            f"{folds} folds leave none for training: expected val_fold to be fold, or more folds"
        )
    splits: dict[Split, list[Path]] = {
        "train": rest,
        "val": parts[val_fold],
        "test": parts[fold],
        "predict": parts[fold],
    }
    return {split: (files, [partner[path] for path in files]) for split, files in splits.items()}
