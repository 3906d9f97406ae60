"""Masks of inpainting: 1 (or True) is a valid pixel, 0 (or False) one in a hole."""

import torch
from torch import Tensor

RATIO_BINS = ((0.01, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4), (0.4, 0.5), (0.5, 0.6))
"""The paper's six classes of hole ratios, each above the first number and at most the second."""


def hole_ratio(mask: Tensor) -> Tensor:
    """Measure the part of each mask that is a hole.

    Args:
        mask: Shape (N, 1, H, W) or (1, H, W), bool or float; 0 in the hole.

    Returns:
        Shape (N,), or a scalar for one mask; float32, in unit range.
    """
    return (mask == 0).flatten(-3).float().mean(-1)


def ratio_bin(mask: Tensor) -> Tensor:
    """Say which of ``RATIO_BINS`` each mask falls into, exactly, by counting pixels.

    Args:
        mask: Shape (N, 1, H, W) or (1, H, W), bool or float; 0 in the hole.

    Returns:
        Shape (N,), or a scalar for one mask; int64, 0 for the first class to 5, and -1 for a ratio
        in none.
    """
    holes = (mask == 0).flatten(-3)
    percents = 100 * holes.sum(-1)
    ends = [round(100 * end) for end in (RATIO_BINS[0][0], *(high for _, high in RATIO_BINS))]
    limits = torch.tensor(ends, device=mask.device) * holes.shape[-1]
    index = (percents[..., None] > limits).sum(-1) - 1
    return torch.where(index < len(RATIO_BINS), index, -1)


def composite(prediction: Tensor, source: Tensor, mask: Tensor) -> Tensor:
    """Fill the hole with the prediction, and keep the source elsewhere, whatever it may hold.

    What lies under the mask in either has no effect, NaN included, neither on the result nor on
    the gradients.

    Args:
        prediction: Shape (N, C, H, W).
        source: Shape (N, C, H, W).
        mask: Shape (N, 1, H, W), bool or float; 0 in the hole.

    Returns:
        Shape (N, C, H, W).
    """
    return torch.where(mask == 0, prediction, source)
