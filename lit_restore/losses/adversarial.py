"""What a discriminator's scores cost: those of real pictures, and those of a generator's."""

from collections.abc import Callable
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

AdversarialKind = Literal["bce", "lsgan", "hinge", "wgan-gp"]


class AdversarialLoss(nn.Module):
    """The cost of calling pictures real, or calling them fake.

    A discriminator's loss is that of real pictures with ``real=True`` plus that of fakes with
    ``real=False``; a generator's is ``generator`` of its fakes. It reads logits, in contrast to the
    notes' SRGAN, whose discriminator ends in a sigmoid: what Keras computes there is the same.

    ===========  ===========================  =====================  =================
    kind         real                         fake                   generator
    ===========  ===========================  =====================  =================
    ``bce``      ``-log sigmoid(x)``          ``-log sigmoid(-x)``   as real
    ``lsgan``    ``(x - 1)^2``                ``x^2``                as real
    ``hinge``    ``max(0, 1 - x)``            ``max(0, 1 + x)``      ``-x``
    ``wgan-gp``  ``-x``                       ``x``                  ``-x``
    ===========  ===========================  =====================  =================

    Args:
        kind: ``"bce"``: binary cross-entropy of the logits' sigmoid. ``"lsgan"``: squared distance
            from 1 or 0; the notes' CycleGAN. ``"hinge"``: scores beyond 1 or -1 cost nothing.
            ``"wgan-gp"``: the mean score itself; needs ``gradient_penalty`` beside it.

    Raises:
        ValueError: If ``kind`` is unknown.

    Source:
        ``bce``: Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014,
        https://arxiv.org/abs/1406.2661, section 3. ``lsgan``: Mao et al., "Least Squares Generative
        Adversarial Networks", ICCV 2017, https://arxiv.org/abs/1611.04076. ``hinge``: Lim and Ye,
        "Geometric GAN", 2017, https://arxiv.org/abs/1705.02894; Miyato et al., "Spectral
        Normalization for Generative Adversarial Networks", ICLR 2018,
        https://arxiv.org/abs/1802.05957. ``wgan-gp``: Gulrajani et al., "Improved Training of
        Wasserstein GANs", NeurIPS 2017, https://arxiv.org/abs/1704.00028.
    """

    def __init__(self, kind: AdversarialKind = "bce") -> None:
        if kind not in get_args(AdversarialKind):
            names = ", ".join(map(repr, get_args(AdversarialKind)))
            raise ValueError(f"kind must be one of {names}, got {kind!r}")
        super().__init__()
        self.kind = kind

    def forward(self, logits: Tensor, real: bool) -> Tensor:
        """Cost the scores as the discriminator pays for them.

        Args:
            logits: A discriminator's, before any sigmoid, of any shape: one score a picture, or a
                map of scores.
            real: What they should say.

        Returns:
            A scalar, the mean over all scores.
        """
        toward = -logits if real else logits  # what should be small
        if self.kind == "hinge":
            return F.relu(1 + toward).mean()
        if self.kind == "wgan-gp":
            return toward.mean()
        wanted = torch.full_like(logits, float(real))
        if self.kind == "lsgan":
            return F.mse_loss(logits, wanted)
        return F.binary_cross_entropy_with_logits(logits, wanted)

    def generator(self, logits: Tensor) -> Tensor:
        """Cost the scores of fakes as their generator pays for them.

        Args:
            logits: As above, of fakes.

        Returns:
            A scalar, the mean over all scores: the non-saturating form, that of real pictures, but
            for ``hinge``, whose generator is never content.
        """
        return -logits.mean() if self.kind == "hinge" else self(logits, True)


def gradient_penalty(
    judge: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mixing: Tensor | None = None
) -> Tensor:
    """Measure how far a critic's slope is from 1 between real pictures and fakes.

    The slope is that of each picture's mean score, so a map of scores is treated as the loss
    treats it; for one score a picture it is the paper's. BatchNorm in the critic would let pictures
    share a slope: the paper leaves it out. Weigh the result by 10, as the paper does.

    Args:
        judge: The critic: maps (N, C, H, W) to scores, (N, ...).
        real: Shape (N, C, H, W).
        fake: The same shape. No gradient goes to the generator.
        mixing: Shape (N, 1, 1, 1), in unit range: the share of the real picture in each mixture.
            None draws it by PyTorch's global generator, of the pictures' device.

    Returns:
        A scalar: the mean over pictures of ``(norm - 1)^2``, where the norm is over all of a
        picture's values.

    Raises:
        ValueError: If the shapes differ.

    Source:
        Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017,
        https://arxiv.org/abs/1704.00028, section 4 and algorithm 1.
    """
    if real.shape != fake.shape:
        raise ValueError(
            "real and fake must have the same shape, got "
            f"{tuple(real.shape)} and {tuple(fake.shape)}"
        )
    real, fake = real.detach(), fake.detach().to(real.dtype)
    if mixing is None:
        mixing = torch.rand(len(real), 1, 1, 1, dtype=real.dtype, device=real.device)
    with torch.enable_grad():
        mixed = (fake + mixing * (real - fake)).requires_grad_()
        scores = judge(mixed).reshape(len(real), -1).mean(dim=1)
        (slopes,) = torch.autograd.grad(scores.sum(), mixed, create_graph=True)
        return (slopes.flatten(1).norm(dim=1) - 1).square().mean()
