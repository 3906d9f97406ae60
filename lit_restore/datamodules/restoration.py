"""Folders of clean pictures, degraded on the fly."""

from functools import partial
from pathlib import Path

from lit_restore.data import RestorationDataset
from lit_restore.data.degradations import Degradation
from lit_restore.data.restoration import View
from lit_restore.data.split import split_files
from lit_restore.datamodules._division import tell_skipped
from lit_restore.datamodules._views import ViewDataModule


class RestorationDataModule(ViewDataModule):
    """Clean pictures under ``root``, in split folders or divided by a seed.

    If ``root`` has a folder ``train``, then ``train``, ``val``, ``test`` and ``predict`` are the
    splits, and only those that a command uses need exist. Otherwise the pictures in ``root`` are
    divided: see ``lit_restore.data.split.split_files``. The names of the files of each split are
    written as ``split.json`` beside the run's logs, and their hash is part of each checkpoint: a
    run is not resumed on other pictures.

    Args:
        root: Folder of the pictures or of the split folders.
        degradation: Makes the network's input of a clean picture; None leaves it as it is, for
            networks that make pictures out of noise.
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
        degrade_predict: Whether pictures to predict are clean, and are degraded first.
    """

    def __init__(
        self,
        root: str,
        degradation: Degradation | None,
        size: int = 64,
        view: View = "resize",
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
        degrade_predict: bool = True,
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
        self.degradation = degradation
        self.degrade_predict = degrade_predict

    def dataset(self, split: str) -> RestorationDataset:
        """Build the dataset of a split.

        Raises:
            ValueError: If the split has no pictures.
        """
        files = self.division.files(split)
        dataset = RestorationDataset(
            files,
            None if split == "predict" and not self.degrade_predict else self.degradation,
            **self.view_of(split),
        )
        tell_skipped(split, dataset.skipped, files, self.size)
        return dataset
