"""The brightness of pictures in float."""

import torch
from torch import Tensor

_WEIGHTS = (0.299, 0.587, 0.114)


def luma(image: Tensor) -> Tensor:
    """Compute the luma of BT.601 in full range, shape (1, H, W), of floats of shape (3, H, W)."""
    return (image * torch.tensor(_WEIGHTS).reshape(3, 1, 1)).sum(dim=0, keepdim=True)
