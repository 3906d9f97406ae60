"""Segmenting one file: read, judge, write what was asked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lit_restore.commands._batch import Job, Sizes
from lit_restore.commands._pictures import enough_memory
from lit_restore.commands._report import Report

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lit_restore.data.classes import Classes
    from lit_restore.data.images import Picture, ReadOptions
    from lit_restore.inference import Segmenter

_OVERLAY = "overlay"
_LONGEST_WORD = 60


class Maps(NamedTuple):
    """What is written of a picture beside its label image.

    Attributes:
        overlay: Whether a picture with the colours of its classes is.
        words: Ends of the names of the probabilities' files, one for each of the network's maps;
            empty if they are not written.
        bits: Of the probabilities.
    """

    overlay: bool
    words: Sequence[str]
    bits: int

    @property
    def beside(self) -> list[str]:
        """Ends of the names of all files that are not the label image."""
        return [*([_OVERLAY] if self.overlay else []), *self.words]


@dataclass(frozen=True)
class FileSegmenter:
    """Segments one file, and remembers how much of it is of which class.

    Attributes:
        segmenter: The network.
        classes: Their names and colours.
        maps: What is written beside label images.
        options: How files are read.
        threshold: As for ``lit_restore.inference.decide``.
        shares: By label image and class, filled as files are segmented.
    """

    segmenter: "Segmenter"
    classes: "Classes"
    maps: Maps
    options: "ReadOptions"
    threshold: float | None
    shares: dict[Path, dict[str, float]] = field(default_factory=dict)

    def __call__(self, job: Job, wanted: Sequence[Path]) -> Sizes:
        """Make the wanted outputs of a job and return their sizes."""
        from lit_restore.data.images import read_pictures

        sizes = []
        count = 1 + len(self.maps.beside)
        for index, picture in enumerate(read_pictures(job.source, self.options)):
            outputs = job.outputs[index * count : (index + 1) * count]
            if any(path in wanted for path in outputs):
                self._segment(picture, outputs, wanted)
            height, width = picture.pixels.shape[-2:]
            sizes += [(height, width) for path in outputs if path in wanted]
        return sizes

    def tell(self, report: Report) -> None:
        """Tell which share of each picture is of which class."""
        lines = [
            f"{path}: " + ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
            for path, shares in self.shares.items()
        ]
        rounded = {
            str(path): {name: round(share, 6) for name, share in shares.items()}
            for path, shares in self.shares.items()
        }
        report.conclude("shares", rounded, lines)

    def _segment(self, picture: "Picture", outputs: Sequence[Path], wanted: Sequence[Path]) -> None:
        from lit_restore.data.images import write_image
        from lit_restore.data.label_files import write_classes
        from lit_restore.inference import decide

        with enough_memory(picture.pixels, "--tile makes do with less"):
            probabilities = self.segmenter(picture.pixels)
        labels = decide(probabilities, self.threshold)
        self.shares[outputs[0]] = self._shares(labels)
        overlays = [overlaid(picture.pixels, labels, self.classes)] if self.maps.overlay else []
        if outputs[0] in wanted:
            write_classes(labels, outputs[0], self.classes)
        for path, overlay in zip(outputs[1:], overlays, strict=False):
            if path in wanted:
                write_image(overlay, path)
        grey = probabilities[:, None] if self.maps.words else ()
        for path, one in zip(outputs[1 + len(overlays) :], grey, strict=True):
            if path in wanted:
                write_image(one, path, bit_depth=16 if self.maps.bits == 16 else 8)

    def _shares(self, labels: "Tensor") -> dict[str, float]:
        counts = labels.flatten().bincount(minlength=len(self.classes))
        shares = (counts / labels.numel()).tolist()
        return dict(zip(self.classes.names, shares, strict=True))


def overlaid(pixels: "Tensor", labels: "Tensor", classes: "Classes") -> "Tensor":
    """Lay the colours of classes half over a picture; background stays as it is.

    Args:
        pixels: Shape (3, H, W), uint8, or float in unit range.
        labels: Shape (H, W), int64.
        classes: The table; index 0 is the background.

    Returns:
        Shape (3, H, W), float in unit range.
    """
    import torch

    picture = pixels / 255 if pixels.dtype == torch.uint8 else pixels
    colours = torch.tensor(classes.colours, dtype=picture.dtype, device=labels.device)[labels]
    blended = (picture + colours.permute(2, 0, 1) / 255) / 2
    return torch.where(labels == 0, picture, blended)


def class_table(network: "nn.Module") -> "Classes":
    """Make the table of a network's classes; what it does not know of them gets names and colours.

    Args:
        network: Says its ``num_classes``, and perhaps ``class_names`` and ``class_colours``.

    Raises:
        ValueError: If they make no table.
    """
    from lit_restore.data.classes import BINARY, make_classes, voc_colours

    count = int(network.num_classes)  # type: ignore[arg-type]
    binary = count == 1
    names = getattr(network, "class_names", None) or (BINARY.names if binary else None)
    colours = getattr(network, "class_colours", None) or (
        BINARY.colours if binary else voc_colours(count)
    )
    return make_classes(names, colours)


def in_words(names: Sequence[str]) -> list[str]:
    """Make parts of file names out of the names of classes, no two alike."""
    words: list[str] = []
    taken = {_OVERLAY}
    for name in names:
        word = re.sub(r"[^\w-]+", "_", name)[:_LONGEST_WORD]
        while word.casefold() in taken:
            word += "_"
        taken.add(word.casefold())
        words.append(word)
    return words
