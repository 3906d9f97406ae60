"""Folders of pictures, one for each class."""

from pathlib import Path

from lit_restore.data import ClassificationDataset
from lit_restore.data.class_folders import label_of, split_classes
from lit_restore.data.mixing import Mixing, MixingCollate
from lit_restore.data.restoration import View
from lit_restore.data.split import Split
from lit_restore.datamodules._base import Collate
from lit_restore.datamodules._division import tell_skipped
from lit_restore.datamodules._views import ViewDataModule


class ClassificationDataModule(ViewDataModule):
    """Pictures in a folder for each class, in split folders or divided by a seed.

    If ``root`` has a folder ``train``, ``test`` or ``predict``, then ``train``, ``val`` and
    ``test`` are the splits, each with a folder for each class, and ``predict`` holds pictures of
    unknown class; only those that a command uses need exist. Otherwise the classes' folders lie in
    ``root`` itself, and each is divided on its own, so that every split has the same share of each:
    see ``lit_restore.data.class_folders.split_classes``. Names of files and their hash are kept
    with the run.

    Batches: ``input``, ``label`` (but for prediction), ``path``; in training with ``mix`` also
    ``mixed_label``, shape (N, num_classes). Batches are mixed by the loaders, by seeds of their
    samples: whatever the number of workers, and after every resume, alike.

    Args:
        root: Folder of the splits, or of the classes.
        size: Side of the square samples, in pixels; where it is not resized, a smaller picture is
            left out and counted.
        view: What becomes of a training picture: ``"resize"``, ``"crop"``, ``"zoom"`` (a random
            crop of random side, reduced to ``size``), or ``"whole"``; see
            ``ClassificationDataset``.
        eval_view: The same for validation, test and prediction. ``"whole"`` pictures come one by
            one.
        jitter: With the training view ``"resize"``: side of the square that pictures are squeezed
            to, in pixels, and of which a random square of ``size`` is cut; None cuts nothing.
        flip: Whether to mirror half of the training pictures.
        brightness: Most that is added to all values of a training picture, or taken away; the notes
            have 0.2.
        clip_brightness: Whether the result is clipped to unit range; the notes do not.
        mix: What mixes training batches, such as ``CutMix()``, or several one after the other; None
            for nothing.
        repeat: Training samples per picture and epoch.
        batch_size: Pictures per batch and process.
        num_workers: Loader processes; 0 reads in the main process.
        test_fraction: Part of each class that is kept for the test, if ``root`` has no splits.
        val_fraction: Part of each class that is kept for validation; 0 validates on the test.
        split_seed: Of the division.
        seed: Of the order and of every random draw.
        cache: Folder for decoded and resized pictures, so that only the first epoch decodes; None
            for none.

    Attributes:
        class_names: Names of the classes, once ``setup`` ran: those of their folders, sorted.
        num_classes: How many there are.

    Raises:
        ValueError: If ``mix`` is to mix batches of one.
    """

    def __init__(
        self,
        root: str,
        size: int = 64,
        view: View = "resize",
        eval_view: View = "resize",
        jitter: int | None = None,
        flip: bool = False,
        brightness: float = 0.0,
        clip_brightness: bool = False,
        mix: Mixing | list[Mixing] | None = None,
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
            self._divide,
            seed,
            cache,
        )
        self.fractions = (test_fraction, val_fraction, split_seed)
        self.jitter = jitter
        self.brightness = brightness
        self.clip_brightness = clip_brightness
        self.mix = [mix] if isinstance(mix, Mixing) else list(mix or [])
        if self.mix and batch_size < 2:
            raise ValueError(
                f"mix joins pictures of a batch: expected batch_size 2 or more, got {batch_size}"
            )
        self.class_names: tuple[str, ...] = ()

    @property
    def num_classes(self) -> int:
        """How many classes there are, once ``setup`` ran."""
        return len(self.class_names)

    def dataset(self, split: str) -> ClassificationDataset:
        """Build the dataset of a split.

        Raises:
            ValueError: If the split has no pictures, or none is large enough.
        """
        files = self.division.files(split)
        training = split == "train"
        known = split != "predict"
        dataset = ClassificationDataset(
            files,
            [label_of(path, self.class_names) for path in files] if known else None,
            jitter=self.jitter if training else None,
            brightness=self.brightness if training else 0.0,
            clip_brightness=self.clip_brightness,
            mixing_seeds=bool(self.mix) and training,
            **self.view_of(split),
        )
        tell_skipped(split, dataset.skipped, files, dataset.pictures.look.least)
        return dataset

    def training_collate(self) -> Collate | None:
        """Mix what the samples of a training batch are joined to."""
        return MixingCollate(self.mix, self.num_classes) if self.mix else None

    def _divide(self) -> dict[Split, list[Path]]:
        self.class_names, splits = split_classes(self.root, *self.fractions)
        return splits
