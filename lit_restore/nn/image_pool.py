"""A history of generated pictures, for a discriminator that should not forget."""

from typing import Any

import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """Hands a discriminator earlier fakes among the present ones.

    Until the pool is full it keeps what comes and hands it on. Then each picture is, half of the
    time, kept in place of a random earlier one, which is handed on instead. An earlier picture of
    another shape than the present ones' is replaced all the same, but not handed on.

    The pictures and the state of the random generator belong to ``state_dict``, so a resumed
    training draws as an uninterrupted one would. Under DDP every process has a pool of its own,
    and a checkpoint holds the first one's.

    Args:
        size: How many pictures are kept; 0 hands the present ones on.
        seed: Of the pool's own random generator.

    Raises:
        ValueError: If ``size`` is negative.

    Source:
        Shrivastava et al., "Learning from Simulated and Unsupervised Images through Adversarial
        Training", CVPR 2017, https://arxiv.org/abs/1612.07828, section 2.3; Zhu et al., "Unpaired
        Image-to-Image Translation using Cycle-Consistent Adversarial Networks", ICCV 2017,
        https://arxiv.org/abs/1703.10593, section 4.
    """

    def __init__(self, size: int = 50, seed: int = 0) -> None:
        if size < 0:
            raise ValueError(f"size must be at least 0, got {size}")
        super().__init__()
        self.size = size
        self.seed = seed
        self.images: list[Tensor] = []
        self._generator = torch.Generator().manual_seed(seed)

    def forward(self, images: Tensor) -> Tensor:
        """Exchange some of the pictures for earlier ones.

        Args:
            images: Shape (N, C, H, W).

        Returns:
            The same shape, dtype and device; detached.
        """
        images = images.detach()
        if not self.size:
            return images
        return torch.stack([self._exchange(image) for image in images])

    def get_extra_state(self) -> dict[str, Any]:
        """Give the pictures and the random generator's state, as tensors."""
        return {"images": list(self.images), "generator": self._generator.get_state()}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take over another pool's pictures, ``size`` of them at most, and its randomness."""
        self.images = list(state["images"][: self.size])
        self._generator.set_state(state["generator"].cpu())

    def extra_repr(self) -> str:
        """Tell the arguments."""
        return f"size={self.size}, seed={self.seed}"

    def _exchange(self, image: Tensor) -> Tensor:
        if len(self.images) < self.size:
            self.images.append(image.clone())
            return image
        if torch.rand((), generator=self._generator) < 0.5:
            return image
        place = int(torch.randint(self.size, (), generator=self._generator))
        earlier, self.images[place] = self.images[place], image.clone()
        return earlier.to(image) if earlier.shape == image.shape else image
