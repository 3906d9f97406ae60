"""Folders of pictures and of label images that tell the class of each pixel."""

from pathlib import Path

from lightning.pytorch.utilities import rank_zero_info

from lit_restore.data.border_weights import BorderWeights
from lit_restore.data.classes import BINARY, Classes, Colour, as_colour, make_classes
from lit_restore.data.images import list_images
from lit_restore.data.joint_augmentation import JointAugmentation
from lit_restore.data.label_files import classes_of_files
from lit_restore.data.label_images import LabelKind, LabelReader
from lit_restore.data.restoration import View
from lit_restore.data.segmentation import SegmentationDataset
from lit_restore.data.split import Split
from lit_restore.datamodules._base import ImageDataModule
from lit_restore.datamodules._division import Division
from lit_restore.datamodules._folds import check_folds, dealt_sides
from lit_restore.datamodules._sides import SideFolders, Sides


class SegmentationDataModule(ImageDataModule):
    """Pictures under ``root`` with a label image each, in two folders that may have folders inside.

    A picture and its label image have the same stem and lie in folders of the same name
    (``images/akahara/1.jpg`` and ``labels/akahara/1.png``); one without the other is refused. If
    ``root`` has a folder ``train``, then ``train``, ``val``, ``test`` and ``predict`` are the
    splits, and each holds the two folders; otherwise these lie in ``root`` itself, and are divided
    by a seed, or into folds. Names with ``{split}`` in them are as in ``PairedDataModule``.

    Prediction needs no labels: ``predict`` may hold the folder of pictures alone, and its batches
    are without ``classes``. ``weights`` are in training batches only.

    Args:
        root: Folder of the splits, or of the two folders.
        images: Name of the folder of pictures in ``root``, or in each split.
        labels: The same of the label images.
        kind: What tells the class of a pixel: ``"colours"``, ``"index"`` (its value), ``"binary"``
            (black and white) or ``"foreground"`` (anything but black); see ``LabelReader``. The
            last two have one logit.
        names: Of the classes, the background first; None: ``class_0`` and so on, or
            ``background`` and ``foreground``.
        colours: Of the classes, three numbers of 0 to 255 each, in the same order. None takes
            those that occur in the label images, in the order of their palette; see
            ``lit_restore.data.classes_of_files``. With names and colours no file is read for this.
        tolerance: How far each channel may be off its colour.
        ignore_colour: Pixels of this colour are ignored; three numbers.
        size: Side of the square samples, in pixels.
        working_side: What the longer side of every picture is resized to first, in pixels; None
            leaves them as they are.
        view: What becomes of a training picture: ``"zoom"`` (a random square of random side,
            reduced to ``size``), ``"crop"``, ``"resize"`` or ``"whole"``; see
            ``SegmentationDataset``.
        eval_view: The same for validation, test and prediction. ``"whole"`` pictures come one by
            one.
        multiple_of: With ``"whole"``: what both sides are padded to a multiple of, in pixels, as
            the network needs it; padding is ignored in losses and scores. None pads nothing.
        augmentation: Of training samples; None leaves them as they are.
        backgrounds: Folder of further pictures to train on, in which nothing is of any class but 0;
            they teach a network what is none of its classes. None for none.
        background_share: How often a training sample shows one of them; see
            ``SegmentationDataset``.
        border: Makes the weights of training samples; None makes none.
        grey: Whether ``input`` has one channel instead of three.
        repeat: Training samples per picture and epoch.
        batch_size: Pictures per batch and process.
        num_workers: Loader processes; 0 reads in the main process.
        test_fraction: Part of all pictures that is kept for the test, if ``root`` has no splits.
        val_fraction: Part of all pictures that is kept for validation; 0 validates on the test.
        split_seed: Of the division.
        folds: Into how many parts pictures without splits are dealt, each with the same share of
            every folder inside; then the fractions are not used. None deals none.
        fold: Which of them is for the test, and for prediction; counted from 0.
        val_fold: Which is for validation; None for ``fold``, so that the rest trains.
        seed: Of the order and of every random draw.
        cache: Folder for decoded and resized pictures; None for none.

    Attributes:
        class_names: Of the classes; none until ``setup`` ran.
        class_colours: Of the classes; none until ``setup`` ran.
        working_side: The argument.
    """

    def __init__(
        self,
        root: str,
        images: str = "images",
        labels: str = "labels",
        kind: LabelKind = "colours",
        names: list[str] | None = None,
        colours: list[list[int]] | None = None,
        tolerance: int = 2,
        ignore_colour: list[int] | None = None,
        size: int = 128,
        working_side: int | None = None,
        view: View = "zoom",
        eval_view: View = "whole",
        multiple_of: int | None = None,
        augmentation: JointAugmentation | None = None,
        backgrounds: str | None = None,
        background_share: float = 0.5,
        border: BorderWeights | None = None,
        grey: bool = False,
        repeat: int = 1,
        batch_size: int = 8,
        num_workers: int = 0,
        test_fraction: float = 0.15,
        val_fraction: float = 0.1,
        split_seed: int = 18,
        folds: int | None = None,
        fold: int = 0,
        val_fold: int | None = None,
        seed: int = 0,
        cache: str | None = None,
    ) -> None:
        self.root = Path(root)
        super().__init__(Division(self.root, self._divide), batch_size, num_workers, seed)
        fractions = (test_fraction, val_fraction, split_seed)
        self.folders = SideFolders(self.root, (images, labels), fractions, recursive=True)
        self.folds = folds
        self.fold, self.val_fold = fold, fold if val_fold is None else val_fold
        check_folds(folds, self.fold, self.val_fold)
        self.kind: LabelKind = kind
        self.names, self.colours = names, colours
        self.tolerance = tolerance
        self.ignore_colour = None if ignore_colour is None else as_colour(ignore_colour)
        self.size = size
        self.working_side = working_side
        self.view, self.eval_view = view, eval_view
        self.multiple_of = multiple_of
        self.augmentation = augmentation
        self.backgrounds = Path(backgrounds) if backgrounds else None
        self.background_share = background_share
        self.border = border
        self.grey = grey
        self.repeat = repeat
        self.cache = Path(cache) if cache else None
        self.class_names: tuple[str, ...] = ()
        self.class_colours: tuple[Colour, ...] = ()
        self._sides: Sides = {}

    @property
    def num_classes(self) -> int:
        """Logits of a network for these classes: 1 for two classes in black and white."""
        return 1 if self.kind in ("binary", "foreground") else len(self.class_names)

    def setup(self, stage: str) -> None:
        """Divide the pictures, keep the division with the run, and find out about the classes.

        Raises:
            ValueError: If pictures and labels do not pair, there are none, or the names are not as
                many as the classes.
        """
        super().setup(stage)
        table = self._table()
        self.class_names = table.names if table else ()
        self.class_colours = table.colours if table else ()
        if table is not None and self.colours is None and self.kind == "colours":
            pairs = zip(table.names, table.colours, strict=True)
            told = ", ".join(f"{name} {colour}" for name, colour in pairs)
            rank_zero_info(f"classes by the colours that were found: {told}")

    def dataset(self, split: str) -> SegmentationDataset:
        """Build the dataset of a split.

        Raises:
            ValueError: If the split has no pictures, one differs in size from its labels, or there
                are no ``backgrounds`` where they should be.
        """
        self.division.files(split)  # refuses a split without pictures
        files, labels = self._sides[split]  # type: ignore[index]
        if not files:
            raise ValueError(f"{self.root} has no pictures to {split}, only labels")
        training = split == "train"
        return SegmentationDataset(
            files,
            None if split == "predict" else labels,
            None if split == "predict" else self._reader(),
            size=self.size,
            view=self.view if training else self.eval_view,
            working_side=self.working_side,
            multiple_of=self.multiple_of or 1,
            grey=self.grey,
            augmentation=self.augmentation if training else None,
            weigh=self.border if training else None,
            repeat=self.repeat if training else 1,
            backgrounds=self._backgrounds() if training else (),
            background_share=self.background_share,
            seed=self.seed,
            cache=self.cache,
        )

    def _backgrounds(self) -> list[Path]:
        if self.backgrounds is None:
            return []
        files = list_images(self.backgrounds)
        if not files:
            raise ValueError(f"{self.backgrounds} must hold pictures without any class, got none")
        return files

    def _eval_batch_size(self, split: str) -> int:
        return 1 if self.eval_view == "whole" else self.batch_size

    def _reader(self) -> LabelReader:
        classes = Classes(self.class_names, self.class_colours)
        return LabelReader(classes, self.kind, self.tolerance, self.ignore_colour)

    def _table(self) -> Classes | None:
        """Take the classes that are told, or find them in the label images of all splits."""
        if self.colours is not None:
            return make_classes(self.names or self._binary_names(), self.colours)
        labels = sorted(
            {path for split in self._sides if split != "predict" for path in self._sides[split][1]}
        )
        if not labels and self._binary_names() is None:
            return make_classes(self.names) if self.names else None
        return classes_of_files(labels, self.kind, self.names, self.ignore_colour)

    def _binary_names(self) -> tuple[str, ...] | None:
        return BINARY.names if self.kind in ("binary", "foreground") else None

    def _divide(self) -> dict[Split, list[Path]]:
        if self.folds is None:
            self._sides = self.folders.pairs()
        else:
            self._sides = dealt_sides(self.folders, self.folds, self.fold, self.val_fold)
        return {split: [*ours, *theirs] for split, (ours, theirs) in self._sides.items()}
