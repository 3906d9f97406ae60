"""Restoring one file: read, restore, write what was asked for."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._batch import Job, Sizes
from lit_restore.commands._pictures import enough_memory, tell_losses
from lit_restore.commands._report import Report

if TYPE_CHECKING:
    import torch
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
        size: Pixels to which a picture's longer side is brought first; None leaves it.
        seed: Of what the network draws, anew for each picture; None leaves torch's own.
    """

    restorer: "Restorer"
    options: "ReadOptions"
    report: Report
    keep_grey: bool
    size: int | None = None
    seed: int | None = None

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
        size = self._size(picture.pixels.shape[-2:])
        pixels = resized(picture.pixels, size)
        with enough_memory(pixels), _seeded(self.seed, self.restorer.device):
            image = self.restorer(pixels)
        final = (size[0] * self.restorer.scale, size[1] * self.restorer.scale)
        write_image(
            image,
            path,
            alpha=None if picture.alpha is None else resized(picture.alpha, final),
            grey=picture.grey and self.keep_grey,
            bit_depth=picture.bit_depth,
            exif=picture.exif,
        )
        return image.shape[-2], image.shape[-1]

    def _check_size(self, job: Job) -> None:
        if job.header is None:
            return
        height, width = self._size(job.header.size)
        pixels = height * width * self.restorer.scale**2
        if pixels > self.options.max_pixels:
            raise ValueError(
                f"the result would have {pixels} pixels, more than the limit of "
                f"{self.options.max_pixels} (--max-pixels)"
            )

    def _size(self, own: Sequence[int]) -> tuple[int, int]:
        """Say to which height and width a picture of its own is brought before it is restored."""
        height, width = own
        if self.size is None:
            return height, width
        longer = max(height, width)
        return max(round(height * self.size / longer), 1), max(round(width * self.size / longer), 1)


def resized(image: "Tensor", size: tuple[int, int]) -> "Tensor":
    """Bring colours or transparency, shape (C, H, W), to a size by MATLAB's bicubic."""
    if image.shape[-2:] == size:
        return image
    from lit_restore.data import matlab_resize

    other = matlab_resize(image, size=size)
    return other.clamp(0, 1) if image.is_floating_point() else other


@contextmanager
def _seeded(seed: int | None, device: "torch.device") -> Iterator[None]:
    """Draw from a seed inside the block, and go on as before after it."""
    if seed is None:
        yield
        return
    import torch

    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
