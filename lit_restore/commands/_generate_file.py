"""Making the pictures of one batch out of noise, and writing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._batch import Job, Sizes

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

TOGETHER = 64


@dataclass(frozen=True)
class FileGenerator:
    """Makes the pictures of one job.

    Attributes:
        network: Maps (N, latent_size) to (N, C, H, W) in signed range; in eval mode.
        seed: Of the noise; each index has its own.
        batch_size: Pictures of a job; job and index begin at ``job.position * batch_size``.
        steps: Pictures of a strip between two indices; 0 for single pictures.
    """

    network: "nn.Module"
    seed: int
    batch_size: int
    steps: int

    def __call__(self, job: Job, wanted: Sequence[Path]) -> Sizes:
        """Make the wanted outputs of a job and return their sizes."""
        from lit_restore.data.images import write_image

        first = job.position * self.batch_size
        pictures = self._strip(first) if self.steps else self._batch(first)
        sizes = []
        for picture, path in zip(pictures, job.outputs, strict=False):  # some are company alone
            if path in wanted:
                write_image(picture, path)
                sizes.append((picture.shape[-2], picture.shape[-1]))
        return sizes

    def _batch(self, first: int) -> "Tensor":
        """Make all pictures of a batch, be they wanted or not: they may depend on one another."""
        import torch

        indices = range(first, first + self.batch_size)
        return self._made(torch.stack([self._latent(index) for index in indices]))

    def _strip(self, first: int) -> "Tensor":
        """Make the way from one index to the next, shape (1, C, H, W), side by side."""
        import torch

        ends = self._latent(first), self._latent(first + 1)
        shares = torch.linspace(0, 1, self.steps).tolist()
        pictures = self._made(torch.stack([between(*ends, share) for share in shares]))
        return torch.cat(list(pictures), -1)[None]

    def _latent(self, index: int) -> "Tensor":
        import torch

        from lit_restore.data.sampling import sample_generator

        size: int = self.network.latent_size  # type: ignore[assignment]
        return torch.randn(size, generator=sample_generator(self.seed, 0, index))

    def _made(self, latents: "Tensor") -> "Tensor":
        """Make pictures in unit range of latents, shape (N, latent_size)."""
        import torch

        from lit_restore.nn import to_unit

        with torch.inference_mode():
            result: Tensor = self.network(latents.to(self._device))
        return to_unit(result.float()).clamp(0, 1).cpu()

    @property
    def _device(self) -> "torch.device":
        return next(self.network.parameters()).device


def between(first: "Tensor", second: "Tensor", share: float) -> "Tensor":
    """Go a share of the way between two latents, on an arc.

    Normal vectors of many numbers are all about as long as one another; the straight way leads
    through shorter ones, which the network never saw.

    Args:
        first: Shape (L,).
        second: Shape (L,).
        share: 0 gives the first, 1 the second.

    Source:
        Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985, section 3.3.
    """
    import torch

    cosine = torch.nn.functional.cosine_similarity(first, second, dim=0).clamp(-1, 1)
    angle = cosine.arccos()
    if angle.sin() < 1e-4:  # the arc is a line, or goes all ways
        return first.lerp(second, share)
    return (first * ((1 - share) * angle).sin() + second * (share * angle).sin()) / angle.sin()
