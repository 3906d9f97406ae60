"""Restoring one file: read, restore, write what was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._batch import Job, Sizes
from lit_restore.commands._pictures import enough_memory, tell_losses
from lit_restore.commands._report import Report

if TYPE_CHECKING:
    from torch import Tensor

    from lit_restore.data.images import Picture, ReadOptions
    from lit_restore.inference import Restorer


@dataclass(frozen=True)
class FileRestorer:
    """Restores one file.

    Attributes:
        restorer: The network.
        options: How files are read.
        report: Is told of what the output's format loses.
        keep_grey: Whether a grey input is written grey.
    """

    restorer: "Restorer"
    options: "ReadOptions"
    report: Report
    keep_grey: bool

    def __call__(self, job: Job, wanted: Sequence[Path]) -> Sizes:
        """Restore the wanted outputs of a job and return their sizes."""
        from lit_restore.data.images import read_pictures

        self._check_size(job)
        sizes = []
        for picture, path in zip(read_pictures(job.source, self.options), job.outputs, strict=True):
            if path in wanted:
                sizes.append(self._restore(picture, path))
        return sizes

    def _restore(self, picture: "Picture", path: Path) -> tuple[int, int]:
        from lit_restore.data.images import write_image

        tell_losses(picture, path, self.report)
        with enough_memory(picture.pixels):
            image = self.restorer(picture.pixels)
        write_image(
            image,
            path,
            alpha=None if picture.alpha is None else _enlarged(picture.alpha, self.restorer.scale),
            grey=picture.grey and self.keep_grey,
            bit_depth=picture.bit_depth,
            exif=picture.exif,
        )
        return image.shape[-2], image.shape[-1]

    def _check_size(self, job: Job) -> None:
        if job.header is None:
            return
        height, width = job.header.size
        pixels = height * width * self.restorer.scale**2
        if pixels > self.options.max_pixels:
            raise ValueError(
                f"the result would have {pixels} pixels, more than the limit of "
                f"{self.options.max_pixels} (--max-pixels)"
            )


def _enlarged(alpha: "Tensor", scale: int) -> "Tensor":
    """Enlarge transparency, shape (1, H, W), with the picture, by the bicubic of its colours."""
    if scale == 1:
        return alpha
    from lit_restore.data import matlab_resize

    enlarged = matlab_resize(alpha, scale)
    return enlarged.clamp(0, 1) if alpha.is_floating_point() else enlarged
