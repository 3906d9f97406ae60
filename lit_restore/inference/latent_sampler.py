"""A network that makes pictures out of noise, asked for single ones by number."""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.inference._device import find_device
from lit_restore.nn import to_unit

TOGETHER = 64


class LatentSampler:
    """Makes pictures whose content follows from a seed and an index alone.

    The latent of an index is normal, from a generator of its own. Pictures of a network that
    normalises by the batch (``norm_mode`` ``"batch"``) depend on their company: ``TOGETHER``
    neighbours by index, from a multiple of that, are always made together.

    Args:
        network: Maps (N, latent_size) to (N, C, H, W) in signed range; says its ``latent_size``.
            It is moved to the device and put in eval mode.
        seed: Of all latents.
        device: ``"auto"`` takes a GPU where there is one.

    Attributes:
        together: How many neighbours are made at a time, at least.

    Raises:
        ValueError: If there is no such device, or the network takes no latents.
    """

    def __init__(
        self,
        network: nn.Module,
        seed: int = 0,
        device: Literal["auto", "cpu", "cuda"] | str = "auto",
    ) -> None:
        if not hasattr(network, "latent_size"):
            raise ValueError(
                "a network that makes pictures out of noise says its latent_size, got "
                f"{type(network).__name__}, which does not"
            )
        self.device = find_device(device)
        self.seed = seed
        self.latent_size = int(network.latent_size)  # type: ignore[arg-type]
        self.together = TOGETHER if getattr(network, "norm_mode", "running") == "batch" else 1
        self.network = network.eval().to(self.device)

    def latent(self, index: int) -> Tensor:
        """Draw the latent of an index, shape (latent_size,)."""
        from lit_restore.data.sampling import sample_generator  # whose package needs Pillow

        return torch.randn(self.latent_size, generator=sample_generator(self.seed, 0, index))

    def __call__(self, indices: Sequence[int]) -> Tensor:
        """Make the pictures of indices.

        Args:
            indices: Each 0 or more.

        Returns:
            Shape (N, C, H, W), float32, clipped to unit range, on the CPU.
        """
        if self.together == 1:
            return self.decode(torch.stack([self.latent(index) for index in indices]))
        made = {first: self._company(first) for first in {one // TOGETHER for one in indices}}
        return torch.stack([made[one // TOGETHER][one % TOGETHER] for one in indices])

    def way(self, first: int, second: int, steps: int) -> Tensor:
        """Make pictures on the way from one index to another.

        Args:
            first: Index of the first picture.
            second: Index of the last one.
            steps: Pictures, both ends among them.

        Returns:
            Shape (steps, C, H, W), as of a call.
        """
        ends = self.latent(first), self.latent(second)
        shares = torch.linspace(0, 1, steps).tolist()
        return self.decode(torch.stack([between(*ends, share) for share in shares]))

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Tensor:
        """Make pictures of latents, shape (N, latent_size); the result is that of a call."""
        result: Tensor = self.network(latents.to(self.device))
        return to_unit(result.float()).clamp(0, 1).cpu()

    def _company(self, group: int) -> Tensor:
        """Make all pictures of the group of so many before it."""
        first = group * TOGETHER
        indices = range(first, first + TOGETHER)
        return self.decode(torch.stack([self.latent(index) for index in indices]))


def between(first: Tensor, second: Tensor, share: float) -> Tensor:
    """Go a share of the way between two latents, on an arc.

    Normal vectors of many numbers are all about as long as one another; the straight way leads
    through shorter ones, which the network never saw.

    Args:
        first: Shape (L,).
        second: Shape (L,).
        share: 0 gives the first, 1 the second.

    Returns:
        Shape (L,).

    Source:
        Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985, section 3.3.
    """
    angle = F.cosine_similarity(first, second, dim=0).clamp(-1, 1).arccos()
    if angle.sin() < 1e-4:  # the arc is a line, or goes all ways
        return first.lerp(second, share)
    return (first * ((1 - share) * angle).sin() + second * (share * angle).sin()) / angle.sin()
