"""Pictures and the classes of their pixels."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from lit_restore.data._draws import check_probability, happens
from lit_restore.data._labelled_look import Labelled, LabelledLook
from lit_restore.data.cache import PictureCache, file_stamp
from lit_restore.data.images import image_size, read_image
from lit_restore.data.joint_augmentation import JointAugmentation, paste_objects
from lit_restore.data.label_images import LabelError, LabelReader
from lit_restore.data.restoration import View, unit_range
from lit_restore.data.sampling import Key, sample_generator

Weigh = Callable[[Tensor], Tensor]
_LUMA = (19595, 38470, 7471)  # of 65536, as Pillow's mode L


class SegmentationDataset(Dataset[dict[str, Any]]):
    """Pictures with a class for each pixel: ``input``, ``classes``, ``path``, perhaps ``weights``.

    Args:
        files: Image files.
        labels: The label image of each, of the same size; None for samples without ``classes``.
        reader: Reads label images; needed with ``labels``.
        size: Side of the square samples, in pixels.
        view: What becomes of a picture. ``"resize"``: all of it, squeezed to the square.
            ``"crop"``: a random square of its own pixels. ``"zoom"``: a random square of random
            side, ``size`` at least, reduced to it. ``"whole"``: all of it at its own size. Nothing
            is cut off or left out of ``"whole"``; there, and where a picture is smaller than the
            square to be cut, it is padded by its edge, with labels of 255, which are ignored.
        working_side: What the longer side of every picture is resized to first, in pixels; None
            keeps the pictures' own pixels. Pictures are resized by Pillow's BICUBIC, labels by
            Pillow's NEAREST.
        multiple_of: With ``"whole"``: what both sides are padded to a multiple of.
        grey: Whether ``input`` has one channel, the luma of BT.601 in full range, which of a grey
            picture is its own level.
        augmentation: Changes a sample at random; None leaves it as it is.
        weigh: Makes ``weights``, float32, shape (H, W), of the classes of a sample as the network
            sees them (``BorderWeights``); None makes none.
        repeat: Samples per picture and epoch.
        backgrounds: Further image files, in which nothing is of any class but 0.
        background_share: How often a sample shows one of these in place of its own picture, as a
            probability; ``paste`` of the augmentation then lays objects of the others over it.
        seed: Of every random draw.
        cache: Folder for decoded (and resized) pictures and labels, so that only the first access
            decodes; None decodes anew at every access.

    Raises:
        ValueError: If there are not as many labels as pictures, labels come without a reader, a
            grey picture is to change its saturation or hue, or an option does not fit.
        LabelError: If a picture and its labels differ in size.
    """

    def __init__(
        self,
        files: Sequence[Path],
        labels: Sequence[Path] | None = None,
        reader: LabelReader | None = None,
        size: int = 128,
        view: View = "zoom",
        working_side: int | None = None,
        multiple_of: int = 1,
        grey: bool = False,
        augmentation: JointAugmentation | None = None,
        weigh: Weigh | None = None,
        repeat: int = 1,
        backgrounds: Sequence[Path] = (),
        background_share: float = 0.5,
        seed: int = 0,
        cache: Path | None = None,
    ) -> None:
        check_probability("background_share", background_share)
        self.look = LabelledLook(size, view, working_side, multiple_of)
        _check(labels, reader, grey, augmentation)
        self.files = list(files)
        self.labels = None if labels is None else list(labels)
        self.reader = reader
        self.grey = grey
        self.augmentation = augmentation
        self.weigh = weigh
        self.repeat = repeat
        self.seed = seed
        self.backgrounds = list(backgrounds)
        self.background_share = background_share
        sizes = [*_sizes(self.files, self.labels), *_sizes(self.backgrounds, None)]
        self._cache = None
        if cache is not None:
            stored = [self.look.prepared_size(size) for size in sizes]
            self._cache = PictureCache(cache, self._key(), [(2 * h, w) for h, w in stored])

    def __len__(self) -> int:
        """The pictures, times ``repeat``."""
        return len(self.files) * self.repeat

    def __getitem__(self, key: Key | int) -> dict[str, Any]:
        """Make a sample.

        Args:
            key: Epoch and index, or an index alone for epoch 0.

        Returns:
            ``input``, float32 in unit range, shape (3 or 1, size, size) ((3 or 1, H, W) for
            ``"whole"``), ``classes``, int64, shape (size, size), ``path``, and ``weights``.
        """
        epoch, sample = (0, key) if isinstance(key, int) else key
        index = sample % len(self.files)
        generator = sample_generator(self.seed, epoch, sample)
        image, classes = self._augmented(index, generator)
        made: dict[str, Any] = {"input": image, "path": str(self.files[index])}
        if self.labels is not None:
            made["classes"] = classes
            if self.weigh is not None:
                made["weights"] = self.weigh(classes)
        return made

    def _augmented(self, index: int, generator: torch.Generator) -> Labelled:
        change = self.augmentation
        image, classes = self._shown(self._seen(index, generator), generator)
        if change is None:
            return image, classes
        image, classes = change.move(image, classes, generator)
        if change.pastes(generator):
            other = int(torch.randint(len(self.files), (), generator=generator))
            moved = change.move(*self._shown(other, generator), generator)
            if moved[1].shape == classes.shape:  # "whole" pictures may differ in size
                image, classes = paste_objects(image, classes, *moved)
        return change.recolour(image, generator), classes

    def _seen(self, index: int, generator: torch.Generator) -> int:
        """Say which picture is shown: backgrounds come after the others."""
        if not self.backgrounds or not happens(generator, self.background_share):
            return index
        return len(self.files) + int(torch.randint(len(self.backgrounds), (), generator=generator))

    def _shown(self, index: int, generator: torch.Generator) -> Labelled:
        """Show a picture by the view: float32 in unit range, and int64."""
        picture, labels = self.look.show(*self._prepared(index), generator)
        return unit_range(picture[:1] if self.grey else picture), labels.long()

    def _prepared(self, index: int) -> Labelled:
        """Read a picture and its labels as far as every access gives the same, both uint8."""
        both = self._cache.get(index) if self._cache else None
        if both is None:
            picture, labels = self.look.prepare(*self._read(index))
            both = torch.cat((picture, labels.expand(3, -1, -1)), -2)
            if self._cache:
                self._cache.put(index, both)
        picture, labels = both.chunk(2, -2)
        return picture, labels[0]

    def _read(self, index: int) -> Labelled:
        picture = read_image([*self.files, *self.backgrounds][index], bit_depth=8)
        if self.grey:
            picture = _luma(picture).expand(3, -1, -1)
        if self.labels is None or self.reader is None or index >= len(self.labels):
            return picture, torch.zeros(picture.shape[1:], dtype=torch.uint8)
        return picture, self.reader(self.labels[index]).to(torch.uint8)

    def _sources(self) -> list[Path]:
        return [*self.files, *(self.labels or []), *self.backgrounds]

    def _key(self) -> str:
        look = f"segmentation {self.look.working_side} {self.look.view == 'resize'}"
        square = self.look.size if self.look.view == "resize" else None
        stamps = [file_stamp(path) for path in self._sources()]
        return "\n".join([f"{look} {square} {self.grey} {self.reader}", *stamps])


def _check(
    labels: Sequence[Path] | None,
    reader: LabelReader | None,
    grey: bool,
    augmentation: JointAugmentation | None,
) -> None:
    if labels is not None and reader is None:
        raise ValueError("labels need a reader that knows their classes, got None")
    if reader is not None and reader.ignore_index != 255:
        raise ValueError(f"datasets ignore the index 255, got {reader.ignore_index}")
    if grey and augmentation is not None:
        colours = augmentation.colours
        if colours.saturation or colours.hue:
            raise ValueError(
                "grey pictures have no saturation and no hue: expected 0, got "
                f"{colours.saturation} and {colours.hue}"
            )


def _sizes(files: Sequence[Path], labels: Sequence[Path] | None) -> list[tuple[int, int]]:
    """Measure the pictures, which are as large as their labels."""
    sizes = [image_size(path) for path in files]
    if labels is None:
        return sizes
    if len(labels) != len(files):
        raise ValueError(f"each picture needs a label image: got {len(files)} and {len(labels)}")
    for path, (height, width), label in zip(files, sizes, labels, strict=True):
        its_height, its_width = image_size(label)
        if (height, width) != (its_height, its_width):
            raise LabelError(
                f"a picture and its label image must be of one size, got {width}x{height} pixels "
                f"of {path} and {its_width}x{its_height} of {label}"
            )
    return sizes


def _luma(picture: Tensor) -> Tensor:
    """Take the luma of a uint8 picture, shape (1, H, W), rounded; exact where it is grey."""
    weights = torch.tensor(_LUMA, dtype=torch.int32).view(3, 1, 1)
    total = (picture.int() * weights).sum(0, keepdim=True)
    return ((total + 32768) >> 16).to(torch.uint8)
