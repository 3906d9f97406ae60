"""Two folders of pictures of two kinds, each of which is to become the other."""

from pathlib import Path

from lit_restore.data import UnpairedDataset
from lit_restore.data.restoration import View
from lit_restore.data.split import Split
from lit_restore.datamodules._division import tell_skipped
from lit_restore.datamodules._sides import SideFolders, Sides
from lit_restore.datamodules._views import ViewDataModule


class UnpairedDataModule(ViewDataModule):
    """Pictures of two kinds under ``root``, in two folders; their names need not agree.

    ``a: "{split}A"`` and ``b: "{split}B"`` read CycleGAN's data as they are published, as
    ``trainA``, ``trainB``, ``testA`` and ``testB``. Otherwise, if ``root`` has a folder ``train``,
    then ``train``, ``val``, ``test`` and ``predict`` are the splits, and each holds the folders
    ``a`` and ``b``. Otherwise those lie in ``root`` itself, and each is divided by the same seed:
    see ``lit_restore.data.split.split_files``. Splits that no command uses need not exist: data
    without a split ``val`` are trained on with ``trainer.limit_val_batches: 0``. Names of files and
    their hash are kept with the run.

    In training, b meets a in another order in every epoch, and each picture is cut and mirrored by
    itself; otherwise both come in file order. Prediction shows every picture of a once; the folder
    ``b`` need not exist there, and batches are then without ``b``.

    Args:
        root: Folder of the splits, or of the pictures.
        a: Name of a folder in ``root``, or in each split.
        b: The same of the other kind.
        size: Side of the square samples, in pixels; where it is not resized, a smaller picture is
            left out and counted.
        view: What becomes of a training picture: ``"resize"``, ``"crop"``, ``"zoom"`` (a random
            crop of random side, reduced to ``size``), or ``"whole"``; see ``PairedDataset``.
        eval_view: The same for validation, test and prediction. ``"whole"`` pictures come one by
            one.
        jitter: With the training view ``"resize"``: side of the square that pictures are squeezed
            to, in pixels, and of which a random square of ``size`` is cut; None cuts nothing.
        multiple_of: With ``"whole"``: what both sides are cut to a multiple of, in pixels, as the
            network needs it; None for ``size``.
        flip: Whether to mirror half of the training pictures.
        turn: Whether to mirror and turn training pictures by quarters, in all eight ways.
        repeat: Training samples per picture of the longer side and epoch.
        batch_size: Pictures of each side per batch and process.
        num_workers: Loader processes; 0 reads in the main process.
        test_fraction: Part of each side that is kept for the test, if ``root`` has no splits.
        val_fraction: Part of each side that is kept for validation; 0 validates on the test.
        split_seed: Of the division.
        seed: Of the order and of every random draw.
        cache: Folder for decoded and resized pictures, so that only the first epoch decodes; None
            for none.
    """

    def __init__(
        self,
        root: str,
        a: str = "a",
        b: str = "b",
        size: int = 256,
        view: View = "resize",
        eval_view: View = "resize",
        jitter: int | None = 286,
        multiple_of: int | None = None,
        flip: bool = True,
        turn: bool = False,
        repeat: int = 1,
        batch_size: int = 1,
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
            self._divide,
            seed,
            cache,
        )
        self.folders = SideFolders(self.root, (a, b), (test_fraction, val_fraction, split_seed))
        self.jitter = jitter
        self.multiple_of = multiple_of
        self.turn = turn
        self._sides: Sides = {}

    def dataset(self, split: str) -> UnpairedDataset:
        """Build the dataset of a split.

        Raises:
            ValueError: If a side has no pictures in the split (to predict: a alone).
        """
        files_a, files_b = self._files(split)
        training = split == "train"
        dataset = UnpairedDataset(
            files_a,
            files_b[: len(files_a)] if split == "predict" else files_b,
            shuffle_b=training,
            jitter=self.jitter if training else None,
            multiple_of=self.multiple_of,
            turn=self.turn and training,
            **self.view_of(split),
        )
        for side, files in ((dataset.pictures_a, files_a), (dataset.pictures_b, files_b)):
            tell_skipped(split, side.skipped, files, dataset.look.least)
        return dataset

    def _files(self, split: str) -> tuple[list[Path], list[Path]]:
        self.division.files(split)  # refuses a split without pictures
        ours, theirs = self._sides[split]  # type: ignore[index]
        if not ours or not (theirs or split == "predict"):
            name, other = self.folders.names if not ours else self.folders.names[::-1]
            raise ValueError(
                f"{self.root} has pictures to {split} in {other}, but none in {name}: expected both"
            )
        return ours, theirs

    def _divide(self) -> dict[Split, list[Path]]:
        self._sides = self.folders.lists()
        return {split: [*ours, *theirs] for split, (ours, theirs) in self._sides.items()}
