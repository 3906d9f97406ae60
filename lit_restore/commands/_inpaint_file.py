"""Inpainting one file: read, find the holes, fill them, write."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._batch import Job, Sizes
from lit_restore.commands._holes import HoleSource
from lit_restore.commands._pictures import LOSSY, enough_memory, tell_losses
from lit_restore.commands._report import Report

if TYPE_CHECKING:
    from torch import Tensor

    from lit_restore.data.images import Picture, ReadOptions
    from lit_restore.inference import Inpainter


@dataclass(frozen=True)
class FileInpainter:
    """Fills the holes of one file.

    Attributes:
        inpainter: The network.
        holes: Finds them.
        options: How files are read.
        report: Is told of what the output's format loses, and of pictures without holes.
        keep_grey: Whether a grey input is written grey.
        opaque: Whether transparency ends with the holes.
    """

    inpainter: "Inpainter"
    holes: HoleSource
    options: "ReadOptions"
    report: Report
    keep_grey: bool
    opaque: bool

    def __call__(self, job: Job, wanted: Sequence[Path]) -> Sizes:
        """Fill the holes of the wanted outputs of a job and return their sizes."""
        from lit_restore.data.images import read_pictures

        sizes = []
        for picture, path in zip(read_pictures(job.source, self.options), job.outputs, strict=True):
            if path in wanted:
                sizes.append(self._fill(job, picture, path))
        return sizes

    def _fill(self, job: Job, picture: "Picture", path: Path) -> tuple[int, int]:
        from lit_restore.data.images import write_image

        image = self._filled(job, picture)
        alpha = None if self.opaque else picture.alpha
        tell_losses(picture, path, self.report)
        if path.suffix in LOSSY:
            self.report.line(
                f"warning: {path}: the format changes pixels outside of the holes, too"
            )
        write_image(
            image,
            path,
            alpha=alpha,
            grey=picture.grey and self.keep_grey,
            bit_depth=picture.bit_depth,
            exif=picture.exif,
        )
        return image.shape[-2], image.shape[-1]

    def _filled(self, job: Job, picture: "Picture") -> "Tensor":
        hole = self.holes(job, picture)
        if not hole.any():
            self.report.line(f"note: {job.source}: nothing to fill; it is written as it is")
            return picture.pixels
        with enough_memory(picture.pixels):
            return self.inpainter(picture.pixels, ~hole)
