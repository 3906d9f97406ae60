"""Peak signal-to-noise ratio."""

import torch
from torch import Tensor


def psnr(prediction: Tensor, target: Tensor, peak: float = 1.0) -> Tensor:
    """Peak signal-to-noise ratio of each picture, over all its channels.

    Average these values for a set of pictures: the ratio of the set's pooled error, which some
    libraries report, is another number.

    Args:
        prediction: Shape (N, C, H, W), in 0 .. ``peak``.
        target: The same shape and range.
        peak: The largest value that a pixel may have.

    Returns:
        Shape (N,), in dB; infinite where the two are equal.

    Raises:
        ValueError: If the shapes differ.

    Source:
        ``tf.image.psnr``.
    """
    if prediction.shape != target.shape:
        raise ValueError(
            "prediction and target must have the same shape, got "
            f"{tuple(prediction.shape)} and {tuple(target.shape)}"
        )
    mean_square = (prediction - target).square().mean(dim=(1, 2, 3))
    return 10 * torch.log10(peak**2 / mean_square)
