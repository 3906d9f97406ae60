"""Mixup: pictures and labels blended with others."""

import torch
from torch import Tensor

from lit_restore.data.mixing import PartnerMixing, beta, mixed


class Mixup(PartnerMixing):
    """Blends each picture, and its label alike, with another of the batch.

    The share of the picture itself is drawn from Beta(alpha, alpha) for each: with a small
    ``alpha`` nearly 0 or 1 most of the time.

    Args:
        alpha: Of the Beta distribution. The paper has 0.1 to 0.4 for ImageNet, 1 for CIFAR.
        probability: Of each picture to be blended, 0..1.

    Raises:
        ValueError: If ``alpha`` is not above 0, or ``probability`` is none; in a call, if the batch
            has one sample only.

    Source:
        Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018,
        https://arxiv.org/abs/1710.09412, section 2.
    """

    def __init__(self, alpha: float = 0.2, probability: float = 1.0) -> None:
        super().__init__(alpha, probability)

    def mix_into(self, image: Tensor, other: Tensor, generator: torch.Generator) -> float:
        """Blend, and return the other's share."""
        share = 1 - beta(generator, self.alpha)
        image.copy_(mixed(image, other, share))
        return share
