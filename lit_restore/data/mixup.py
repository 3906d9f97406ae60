"""Mixup: pictures and labels blended with others."""

from torch import Tensor

from lit_restore.data._draws import check_probability, happens
from lit_restore.data.mixing import (
    Generators,
    Mixing,
    beta,
    check_alpha,
    check_batch,
    mixed,
    partners,
)


class Mixup(Mixing):
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
        check_alpha(alpha)
        check_probability("probability", probability)
        self.alpha = alpha
        self.probability = probability

    def __call__(
        self, images: Tensor, labels: Tensor, generators: Generators
    ) -> tuple[Tensor, Tensor]:
        """Blend each picture by a share of its own generator."""
        check_batch(images, labels, generators)
        others = partners(generators[0], len(images))
        blended, shares = images.clone(), labels.clone()
        for sample, generator in enumerate(generators):
            if not happens(generator, self.probability):
                continue
            share = 1 - beta(generator, self.alpha)
            blended[sample] = mixed(images[sample], images[others[sample]], share)
            shares[sample] = mixed(labels[sample], labels[others[sample]], share)
        return blended, shares
