"""Where the pictures of two sides lie, and which of them belong to which split."""

from pathlib import Path

from lit_restore.data.images import list_images
from lit_restore.data.split import SPLITS, Split, split_files, split_folder
from lit_restore.data.stems import pair_by_stem

SPLIT = "{split}"
Sides = dict[Split, tuple[list[Path], list[Path]]]
Fractions = tuple[float, float, int]


class SideFolders:
    """Finds the pictures of two folders below ``root``, in one of three layouts.

    Names with ``{split}`` in them are patterns (``{split}A`` for ``trainA``, ``valA`` or
    ``validA``, ``testA``). Else, if ``root`` has a folder ``train``, each split has a folder that
    holds both. Else both lie in ``root`` itself, and are divided by a seed.

    Args:
        root: Folder.
        names: Of the two folders.
        fractions: Parts of the pictures for test and validation, and the seed of their choice.
        recursive: Whether to descend into the folders inside of the two.

    Raises:
        ValueError: If only one of the names is a pattern, or one does not lie below ``root``.
    """

    def __init__(
        self, root: Path, names: tuple[str, str], fractions: Fractions, recursive: bool = False
    ) -> None:
        if (SPLIT in names[0]) != (SPLIT in names[1]):
            raise ValueError(f"both folders or neither must have {SPLIT} in its name, got {names}")
        if names[0] == names[1] or any(Path(name).is_absolute() for name in names):
            raise ValueError(f"the folders must be two names below root, got {names}")
        self.root = root
        self.names = names
        self.fractions = fractions
        self.recursive = recursive

    def pairs(self) -> Sides:
        """Find pairs. Those to predict need no partners: each side is what there is of it.

        Raises:
            ValueError: If a folder is missing or there are no pictures, one of another split than
                ``predict`` has no partner, or two of a folder have one stem.
        """
        if not self._in_splits():
            partner = dict(zip(*self.together(), strict=True))
            return {
                split: (files, [partner[path] for path in files])
                for split, files in self._divided(self.names[0]).items()
            }
        return self._checked({split: self._pairs_of(split) for split in SPLITS})

    def together(self) -> tuple[list[Path], list[Path]]:
        """Find all pairs of two folders in ``root`` itself, undivided.

        Raises:
            ValueError: If there are splits, a folder is missing, a picture has no partner, or two
                of a folder have one stem.
        """
        if self._in_splits():
            raise ValueError(
                f"{self.root} is divided already: expected {self.names[0]} and {self.names[1]} in "
                "root itself, and no folder train"
            )
        return pair_by_stem(*self._direct(), self.recursive)

    def lists(self) -> Sides:
        """Find the pictures of both sides, whatever their names are.

        Raises:
            ValueError: If a folder is missing or there are no pictures.
        """
        if self._in_splits():
            return self._checked({split: self._listed(split) for split in SPLITS})
        self._direct()
        ours, theirs = (self._divided(name) for name in self.names)
        return {split: (ours[split], theirs[split]) for split in SPLITS}

    def _in_splits(self) -> bool:
        return SPLIT in self.names[0] or (self.root / "train").is_dir()

    def _of(self, split: Split) -> tuple[Path, Path]:
        names = (name if SPLIT in name else f"{SPLIT}/{name}" for name in self.names)
        ours, theirs = (split_folder(str(self.root / name), split) for name in names)
        return ours, theirs

    def _listed(self, split: Split) -> tuple[list[Path], list[Path]]:
        ours, theirs = (
            list_images(path, self.recursive) if path.is_dir() else [] for path in self._of(split)
        )
        return ours, theirs

    def _pairs_of(self, split: Split) -> tuple[list[Path], list[Path]]:
        folders = self._of(split)
        if split == "predict" or not any(path.is_dir() for path in folders):
            return self._listed(split)
        return pair_by_stem(*folders, self.recursive)

    def _checked(self, sides: Sides) -> Sides:
        if not any(files for pair in sides.values() for files in pair):
            ours, theirs = self._of("train")
            raise ValueError(f"{ours} and {theirs} must be folders of pictures")
        return sides

    def _direct(self) -> tuple[Path, Path]:
        ours, theirs = (self.root / name for name in self.names)
        if not (ours.is_dir() and theirs.is_dir()):
            raise ValueError(
                f"{self.root} must hold the folders {self.names[0]} and {self.names[1]}, or "
                f"train/{self.names[0]} and train/{self.names[1]}"
            )
        return ours, theirs

    def _divided(self, name: str) -> dict[Split, list[Path]]:
        return split_files(self.root / name, *self.fractions, self.recursive)
