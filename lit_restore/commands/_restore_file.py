"""Restoring one file: read, restore, write what was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._batch import Job, Sizes
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

        self._tell_losses(picture, path)
        image = self._restored(picture.pixels)
        write_image(
            image,
            path,
            alpha=None if picture.alpha is None else _enlarged(picture.alpha, self.restorer.scale),
            grey=picture.grey and self.keep_grey,
            bit_depth=picture.bit_depth,
            exif=picture.exif,
        )
        return image.shape[-2], image.shape[-1]

    def _restored(self, pixels: "Tensor") -> "Tensor":
        try:
            return self.restorer(pixels)
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and not _is_shortage(error):
                raise
            height, width = pixels.shape[-2:]
            raise ValueError(
                f"{width}x{height} pixels need more memory than there is; pictures are restored "
                "in one piece"
            ) from error

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

    def _tell_losses(self, picture: "Picture", path: Path) -> None:
        from lit_restore.data.images import can_hold

        losses = []
        if picture.bit_depth == 16 and not can_hold(path.suffix, bit_depth=16):
            losses.append("16 bits")
        if picture.alpha is not None and not can_hold(path.suffix, alpha=True):
            losses.append("transparency")
        if losses:
            self.report.line(f"warning: {path}: the format cannot hold {' and '.join(losses)}")


def _is_shortage(error: RuntimeError) -> bool:
    """Whether PyTorch found no memory; on a CPU it says so in words alone."""
    text = str(error)
    return "can't allocate memory" in text or "out of memory" in text


def _enlarged(alpha: "Tensor", scale: int) -> "Tensor":
    """Enlarge transparency, shape (1, H, W), with the picture, by the bicubic of its colours."""
    if scale == 1:
        return alpha
    from lit_restore.data import matlab_resize

    enlarged = matlab_resize(alpha, scale)
    return enlarged.clamp(0, 1) if alpha.is_floating_point() else enlarged
