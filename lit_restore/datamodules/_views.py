"""What DataModules share that show pictures by a view."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lit_restore.data.restoration import View
from lit_restore.data.split import Split
from lit_restore.datamodules._base import ImageDataModule
from lit_restore.datamodules._division import Division


class ViewDataModule(ImageDataModule):
    """Keeps how pictures are shown, in training and in evaluation; arguments as of its subclasses.

    Args:
        root: Folder of the pictures or of the split folders.
        size: Side of the square samples, in pixels.
        views: What becomes of a picture in training, and in evaluation.
        flip: Whether to mirror half of the training samples.
        repeat: Training samples per picture and epoch.
        batch_size: Items per batch and process.
        num_workers: Loader processes.
        divide: Finds the files of each split.
        seed: Of the order and of every random draw.
        cache: Folder for decoded pictures; None for none.
    """

    def __init__(
        self,
        root: str,
        size: int,
        views: tuple[View, View],
        flip: bool,
        repeat: int,
        batch_size: int,
        num_workers: int,
        divide: Callable[[], dict[Split, list[Path]]],
        seed: int,
        cache: str | None,
    ) -> None:
        self.root = Path(root)
        super().__init__(Division(self.root, divide), batch_size, num_workers, seed)
        self.size = size
        self.view, self.eval_view = views
        self.flip = flip
        self.repeat = repeat
        self.cache = Path(cache) if cache else None

    def view_of(self, split: str) -> dict[str, Any]:
        """Give a dataset's arguments that say how the pictures of a split are shown."""
        training = split == "train"
        return {
            "size": self.size,
            "view": self.view if training else self.eval_view,
            "flip": self.flip and training,
            "repeat": self.repeat if training else 1,
            "seed": self.seed,
            "cache": self.cache,
        }

    def _eval_batch_size(self, split: str) -> int:
        return 1 if self.eval_view == "whole" else self.batch_size
