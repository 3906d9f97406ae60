"""Making the pictures of one batch out of noise, and writing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._batch import Job, Sizes

if TYPE_CHECKING:
    from torch import Tensor

    from lit_restore.inference import LatentSampler


@dataclass(frozen=True)
class FileGenerator:
    """Makes the pictures of one job.

    Attributes:
        sampler: The network.
        batch_size: Pictures of a job; the first index of one is ``job.position * batch_size``.
        steps: Pictures of a strip from each index to the next; 0 for single pictures.
    """

    sampler: "LatentSampler"
    batch_size: int
    steps: int

    def __call__(self, job: Job, wanted: Sequence[Path]) -> Sizes:
        """Make the wanted outputs of a job and return their sizes."""
        from lit_restore.data.images import write_image

        sizes = []
        # The batch is made whole: a smaller one may differ in the last bits.
        for picture, path in zip(self._pictures(job), job.outputs, strict=False):
            if path in wanted:
                write_image(picture, path)
                sizes.append((picture.shape[-2], picture.shape[-1]))
        return sizes

    def _pictures(self, job: Job) -> "Sequence[Tensor]":
        first = job.position * self.batch_size
        if not self.steps:
            return list(self.sampler(range(first, first + self.batch_size)))
        import torch

        return [torch.cat(list(self.sampler.way(first, first + 1, self.steps)), -1)]
