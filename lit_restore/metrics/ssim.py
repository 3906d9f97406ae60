"""Structural similarity."""

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW = 11
SIGMA = 1.5
K1, K2 = 0.01, 0.03


def ssim(prediction: Tensor, target: Tensor, peak: float = 1.0) -> Tensor:
    """Structural similarity of each picture, the mean over its channels.

    The window is an 11x11 Gaussian of sigma 1.5, and only windows that lie in the picture count,
    as in the paper's code and in ``tf.image.ssim``. Libraries that pad the border give other
    numbers.

    Args:
        prediction: Shape (N, C, H, W), in 0 .. ``peak``; H and W at least 11.
        target: The same shape and range.
        peak: The largest value that a pixel may have.

    Returns:
        Shape (N,), at most 1.

    Raises:
        ValueError: If the shapes differ or a side is shorter than 11 pixels.

    Source:
        Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity",
        IEEE TIP 2004; ``tf.image.ssim``.
    """
    if prediction.shape != target.shape:
        raise ValueError(
            "prediction and target must have the same shape, got "
            f"{tuple(prediction.shape)} and {tuple(target.shape)}"
        )
    if min(prediction.shape[-2:]) < WINDOW:
        raise ValueError(
            f"SSIM needs pictures of at least {WINDOW}x{WINDOW} pixels, got "
            f"{prediction.shape[-2]}x{prediction.shape[-1]}"
        )
    c1, c2 = (K1 * peak) ** 2, (K2 * peak) ** 2
    mean_p, mean_t = _blur(prediction), _blur(target)
    product = mean_p * mean_t
    squares = mean_p.square() + mean_t.square()
    luminance = (2 * product + c1) / (squares + c1)
    covariance = 2 * (_blur(prediction * target) - product)
    variances = _blur(prediction.square() + target.square()) - squares
    contrast = (covariance + c2) / (variances + c2)
    return (luminance * contrast).mean(dim=(1, 2, 3))


def _blur(image: Tensor) -> Tensor:
    """Average each window that lies in the image; shape (N, C, H - 10, W - 10)."""
    taps = torch.arange(WINDOW, dtype=image.dtype, device=image.device) - WINDOW // 2
    kernel = torch.softmax(-taps.square() / (2 * SIGMA**2), dim=0)
    channels = image.shape[1]
    down = kernel.view(1, 1, -1, 1).expand(channels, 1, -1, 1)
    across = kernel.view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    return F.conv2d(F.conv2d(image, down, groups=channels), across, groups=channels)
