"""Which pictures a run trains and measures on, kept with the run and its checkpoints."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.utilities import rank_zero_info

from lit_restore.atomic import replace_file
from lit_restore.data.split import Split, manifest_hash, split_manifest

MANIFEST = "split.json"


class Division:
    """The files of each split; a checkpoint holds its hash, and is not resumed on others.

    Args:
        root: Folder that the files' names are told relative to.
        divide: Finds the files of each split.

    Attributes:
        splits: The files of each split, once ``setup`` ran.
    """

    def __init__(self, root: Path, divide: Callable[[], dict[Split, list[Path]]]) -> None:
        self.root = root
        self.splits: dict[Split, list[Path]] = {}
        self._divide = divide
        self._saved_hash: str | None = None
        self._manifest: dict[str, list[str]] = {}

    def setup(self, stage: str, trainer: Trainer | None) -> None:
        """Divide the pictures; if they are trained on, keep their names beside the run's logs.

        Raises:
            ValueError: If the run goes on from a checkpoint of other pictures.
        """
        self.splits = self._divide()
        self._manifest = split_manifest(self.splits, self.root)
        if stage == "fit":
            self._check_resumed()
            self._write(trainer)

    def files(self, split: str) -> list[Path]:
        """Give the files of a split.

        Raises:
            ValueError: If there are none.
        """
        files = self.splits[split]  # type: ignore[index]
        if not files:
            told = f"{self.root} has no pictures to {split}: expected some in {split}/"
            if split in ("val", "test"):
                told += f", or data.{split}_fraction above 0 before the training"
            raise ValueError(told)
        return files

    def state_dict(self) -> dict[str, Any]:
        """The hash of the division."""
        return {"split_hash": manifest_hash(self._manifest)} if self._manifest else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Remember on which pictures the checkpoint was trained, and refuse others."""
        self._saved_hash = state_dict.get("split_hash")
        self._check_resumed()

    def _check_resumed(self) -> None:
        if not (self._saved_hash and self._manifest):
            return
        found = manifest_hash(self._manifest)
        if found != self._saved_hash:
            raise ValueError(
                f"the checkpoint was trained on another split than this one of {self.root}: other "
                "pictures, fractions or split_seed; its hash is "
                f"{self._saved_hash[:12]}, this one's {found[:12]} (compare their {MANIFEST})"
            )

    def _write(self, trainer: Trainer | None) -> None:
        log_dir = trainer.log_dir if trainer else None  # asks all processes
        if not log_dir or trainer is None or not trainer.is_global_zero:
            return
        folder = Path(log_dir)
        folder.mkdir(parents=True, exist_ok=True)
        content = {"hash": manifest_hash(self._manifest), "splits": self._manifest}
        replace_file(folder / MANIFEST, json.dumps(content, indent=1).encode())


def tell_skipped(split: str, skipped: Sequence[Path], files: Sequence[Path], size: int) -> None:
    """Say how many pictures of a split are too small to be used."""
    if skipped:
        rank_zero_info(
            f"{split}: left out {len(skipped)} of {len(files)} pictures, smaller than "
            f"{size}x{size} pixels"
        )
