"""Folders of pairs of pictures, of which one is to become the other."""

from pathlib import Path

from lit_restore.data import PairedDataset
from lit_restore.data.paired import Direction
from lit_restore.data.restoration import View
from lit_restore.data.split import Split, split_files
from lit_restore.datamodules._division import tell_skipped
from lit_restore.datamodules._sides import SideFolders, Sides
from lit_restore.datamodules._views import ViewDataModule


class PairedDataModule(ViewDataModule):
    """Pairs of pictures under ``root``, in two folders or side by side in one file each.

    If ``root`` has a folder ``train``, then ``train``, ``val``, ``test`` and ``predict`` are the
    splits, only those that a command uses need exist, and each holds the folders ``a`` and ``b``,
    or the files of two halves. Otherwise those lie in ``root`` itself and are divided by a seed,
    pairs together: see ``lit_restore.data.split.split_files``. Names with ``{split}`` in them
    (``a: "{split}A"``) are folders of ``root`` that each belong to one split. Pictures of two
    folders pair by their stems; one without a partner is refused. Names of files and their hash are
    kept with the run. Data without a split ``val`` are trained on with
    ``trainer.limit_val_batches: 0``.

    Prediction needs no targets: ``predict`` may hold the inputs' folder alone, and its batches are
    without ``target``.

    Args:
        root: Folder of the splits, or of the pictures.
        a: Name of a folder in ``root``, or in each split.
        b: The same of its partners.
        direction: ``"ab"`` makes b (the right half) of a (the left half), ``"ba"`` a of b.
        side_by_side: Whether each file holds a pair, a at the left; ``a`` and ``b`` are not used.
        size: Side of the square samples, in pixels; where it is not resized, a smaller picture is
            left out and counted.
        view: What becomes of a training pair: ``"resize"``, ``"crop"``, ``"zoom"`` (a random crop
            of random side, reduced to ``size``), or ``"whole"``; see ``PairedDataset``.
        eval_view: The same for validation, test and prediction, which are never cut at random but
            for ``"crop"`` and ``"zoom"``. ``"whole"`` pictures come one by one.
        jitter: With the training view ``"resize"``: side of the square that pictures are squeezed
            to, in pixels, and of which a random square of ``size`` is cut; None cuts nothing.
        multiple_of: With ``"whole"``: what both sides are cut to a multiple of, in pixels, as the
            network needs it; None for ``size``.
        flip: Whether to mirror half of the training pairs.
        turn: Whether to mirror and turn training pairs by quarters, in all eight ways.
        repeat: Training samples per pair and epoch.
        batch_size: Pairs per batch and process.
        num_workers: Loader processes; 0 reads in the main process.
        test_fraction: Part of all pairs that is kept for the test, if ``root`` has no splits.
        val_fraction: Part of all pairs that is kept for validation; 0 validates on the test.
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
        direction: Direction = "ab",
        side_by_side: bool = False,
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
        if direction not in ("ab", "ba"):
            raise ValueError(f"direction must be 'ab' or 'ba', got {direction!r}")
        self.fractions = (test_fraction, val_fraction, split_seed)
        self.folders = None if side_by_side else SideFolders(self.root, (a, b), self.fractions)
        self.direction: Direction = direction
        self.jitter = jitter
        self.multiple_of = multiple_of
        self.turn = turn
        self._sides: Sides = {}

    def dataset(self, split: str) -> PairedDataset:
        """Build the dataset of a split.

        Raises:
            ValueError: If the split has no pictures, or the two of a pair differ in size.
        """
        self.division.files(split)  # refuses a split without pictures
        inputs, targets = self._sides[split]  # type: ignore[index]
        if self.direction == "ba" and self.folders is not None:
            inputs, targets = targets, inputs
        if not inputs:
            raise ValueError(
                f"{self.root} has no pictures to {split} in direction {self.direction}"
            )
        training = split == "train"
        dataset = PairedDataset(
            inputs,
            None if self.folders is None or split == "predict" else targets,
            halves=self.direction if self.folders is None else None,
            jitter=self.jitter if training else None,
            multiple_of=self.multiple_of,
            turn=self.turn and training,
            **self.view_of(split),
        )
        tell_skipped(split, dataset.skipped, inputs, dataset.look.least)
        return dataset

    def _divide(self) -> dict[Split, list[Path]]:
        if self.folders is None:
            files = split_files(self.root, *self.fractions)
            self._sides = {split: (files[split], []) for split in files}
        else:
            self._sides = self.folders.pairs()
        return {split: [*ours, *theirs] for split, (ours, theirs) in self._sides.items()}
