"""Folders of clean pictures, with holes cut into them on the fly."""

from functools import partial
from pathlib import Path

from lit_restore.data import InpaintingDataset
from lit_restore.data.masks import MaskSource
from lit_restore.data.restoration import View
from lit_restore.data.split import split_files
from lit_restore.datamodules._division import tell_skipped
from lit_restore.datamodules._views import ViewDataModule


class InpaintingDataModule(ViewDataModule):
    """Clean pictures under ``root``, in split folders or divided by a seed, and masks for them.

    The pictures are divided, kept and checked as in ``RestorationDataModule``. Validation, test and
    prediction draw the same mask for a picture at every pass.

    Args:
        root: Folder of the pictures or of the split folders.
        masks: Draws the masks of training samples.
        eval_masks: The same for validation, test and prediction; ``masks`` unless given.
        size: Side of the square samples, in pixels; smaller pictures are left out and counted.
        view: What becomes of a training picture: ``"resize"``, ``"crop"``, ``"zoom"`` (a random
            crop of random side, reduced to ``size``), or ``"whole"``.
        eval_view: The same for validation, test and prediction. ``"whole"`` pictures come one by
            one, since their sizes differ.
        flip: Whether to mirror half of the training samples.
        repeat: Training samples per picture and epoch.
        batch_size: Items per batch and process.
        num_workers: Loader processes; 0 reads in the main process.
        test_fraction: Part of all pictures that is kept for the test, if ``root`` has no splits.
        val_fraction: Part of all pictures that is kept for validation; 0 validates on the test.
        split_seed: Of the division.
        seed: Of the order and of every random draw.
        cache: Folder for decoded pictures, so that only the first epoch decodes; None for none.
    """

    def __init__(
        self,
        root: str,
        masks: MaskSource,
        eval_masks: MaskSource | None = None,
        size: int = 128,
        view: View = "zoom",
        eval_view: View = "resize",
        flip: bool = False,
        repeat: int = 1,
        batch_size: int = 16,
        num_workers: int = 0,
        test_fraction: float = 0.15,
        val_fraction: float = 0.1,
        split_seed: int = 18,
        seed: int = 0,
        cache: str | None = None,
    ) -> None:
        super().__init__(
            root,
            size,
            (view, eval_view),
            flip,
            repeat,
            batch_size,
            num_workers,
            partial(split_files, Path(root), test_fraction, val_fraction, split_seed),
            seed,
            cache,
        )
        self.masks = masks
        self.eval_masks = eval_masks or masks

    def dataset(self, split: str) -> InpaintingDataset:
        """Build the dataset of a split.

        Raises:
            ValueError: If the split has no pictures.
        """
        files = self.division.files(split)
        dataset = InpaintingDataset(
            files,
            self.masks if split == "train" else self.eval_masks,
            **self.view_of(split),
        )
        tell_skipped(split, dataset.pictures.skipped, files, self.size)
        return dataset
