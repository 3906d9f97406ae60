"""A loss that asks for decibels in the hole."""

import torch
from torch import Tensor, nn

from lit_restore.losses._wide import wide

_LEAST = 1e-5  # a mean square; 50 dB, beyond which nothing is asked for


class HolePSNRLoss(nn.Module):
    """The hole's peak signal-to-noise ratio, and the absolute difference of the valid pixels.

    Called as ``loss(prediction, target, mask)``, it returns two named scalars that are already
    weighted. Each picture's hole counts alike, however large it is and however hard: a gain of a
    tenth of its error is worth the same everywhere. Where PSNR is what matters it does better than
    the absolute difference, which the mean over pictures leaves to the large and hard ones; as all
    such losses it makes what is unknown flat.

    Args:
        hole: Weight of the ratio in dB, which enters with a minus.
        valid: Weight of the mean absolute difference of the valid pixels, over all values.

    Source:
        Chen et al., "HINet: Half Instance Normalization Network for Image Restoration", CVPR
        Workshops 2021, https://arxiv.org/abs/2105.06086, section 3.4, for the ratio as a loss.
    """

    def __init__(self, hole: float = 0.025, valid: float = 1.0) -> None:
        super().__init__()
        self.hole = hole
        self.valid = valid

    def forward(self, prediction: Tensor, target: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Compare two batches of pictures.

        Args:
            prediction: Shape (N, C, H, W), in unit range.
            target: The same shape and range.
            mask: Shape (N, 1, H, W); 1 where valid, 0 in the hole.

        Returns:
            ``valid`` and ``hole``, scalars; ``hole`` is 0 for a picture without one.

        Raises:
            ValueError: If the shapes do not fit.
        """
        expected = (len(prediction), 1, *prediction.shape[-2:])
        if prediction.shape != target.shape or mask.shape != expected:
            raise ValueError(
                f"expected prediction and target of one shape and a mask of {expected}, got "
                f"{tuple(prediction.shape)}, {tuple(target.shape)} and {tuple(mask.shape)}"
            )
        difference, hole = wide(prediction) - wide(target.detach()), mask == 0
        values = hole.sum(dim=(1, 2, 3)) * target.shape[1]
        squares = difference.where(hole, 0).square().sum(dim=(1, 2, 3))
        decibels = -10 * torch.log10(squares / values.clamp(min=1) + _LEAST)
        return {
            "valid": self.valid * difference.where(~hole, 0).abs().mean(),
            "hole": -self.hole * decibels.where(values > 0, 0).mean(),
        }
