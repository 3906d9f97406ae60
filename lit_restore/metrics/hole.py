"""Peak signal-to-noise ratio of what was filled in, and nothing else."""

import torch
from torch import Tensor


def hole_psnr(prediction: Tensor, target: Tensor, mask: Tensor, peak: float = 1.0) -> Tensor:
    """Peak signal-to-noise ratio over the pixels of each picture's hole, all channels.

    Unlike that of the whole picture it does not rise as the hole gets smaller.

    Args:
        prediction: Shape (N, C, H, W), in 0 .. ``peak``. What it has outside the hole does not
            matter.
        target: The same shape and range.
        mask: Shape (N, 1, H, W); 0 in the hole.
        peak: The largest value that a pixel may have.

    Returns:
        Shape (N,), in dB; infinite where the two are equal, NaN where there is no hole.

    Raises:
        ValueError: If the shapes do not fit.
    """
    if prediction.shape != target.shape:
        raise ValueError(
            "prediction and target must have the same shape, got "
            f"{tuple(prediction.shape)} and {tuple(target.shape)}"
        )
    expected = (len(target), 1, *target.shape[-2:])
    if mask.shape != expected:
        raise ValueError(f"mask must have shape {expected}, got {tuple(mask.shape)}")
    hole = mask == 0
    squares = (prediction - target).square().where(hole, 0).sum(dim=(1, 2, 3))
    mean_square = squares / (hole.sum(dim=(1, 2, 3)) * target.shape[1])
    return 10 * torch.log10(peak**2 / mean_square)
