"""Losses between pixels: absolute, squared, and Charbonnier's smooth absolute difference.

Each function gives one value per picture, as the notes' loss does; each module the mean of those.
"""

import torch
from torch import Tensor, nn


def l1_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error of each picture.

    Args:
        prediction: Shape (N, C, H, W).
        target: The same shape.

    Returns:
        Shape (N,).

    Raises:
        ValueError: If the shapes differ.
    """
    return _difference(prediction, target).abs().mean(dim=(1, 2, 3))


def l2_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean squared error of each picture.

    Args:
        prediction: Shape (N, C, H, W).
        target: The same shape.

    Returns:
        Shape (N,).

    Raises:
        ValueError: If the shapes differ.
    """
    return _difference(prediction, target).square().mean(dim=(1, 2, 3))


def charbonnier_loss(prediction: Tensor, target: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Mean of ``sqrt(difference**2 + epsilon**2)`` of each picture.

    Args:
        prediction: Shape (N, C, H, W).
        target: The same shape.
        epsilon: Where the parabola passes into the straight line, in the pictures' unit.

    Returns:
        Shape (N,).

    Raises:
        ValueError: If the shapes differ.

    Source:
        Lai et al., "Deep Laplacian Pyramid Networks", CVPR 2017,
        https://arxiv.org/abs/1704.03915, section 3.2.
    """
    squares = _difference(prediction, target).square()
    return torch.sqrt(squares + epsilon**2).mean(dim=(1, 2, 3))


class L1Loss(nn.Module):
    """Mean absolute error: ``l1_loss``, then the mean over the pictures."""

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Compare; both have shape (N, C, H, W); returns a scalar."""
        return l1_loss(prediction, target).mean()


class L2Loss(nn.Module):
    """Mean squared error: ``l2_loss``, then the mean over the pictures. Best for PSNR."""

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Compare; both have shape (N, C, H, W); returns a scalar."""
        return l2_loss(prediction, target).mean()


class CharbonnierLoss(nn.Module):
    """``charbonnier_loss``, then the mean over the pictures.

    Args:
        epsilon: Where the parabola passes into the straight line, in the pictures' unit.
    """

    def __init__(self, epsilon: float = 1e-3) -> None:
        super().__init__()
        self.epsilon = epsilon

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Compare; both have shape (N, C, H, W); returns a scalar."""
        return charbonnier_loss(prediction, target, self.epsilon).mean()


def _difference(prediction: Tensor, target: Tensor) -> Tensor:
    if prediction.shape != target.shape:
        raise ValueError(
            "prediction and target must have the same shape, got "
            f"{tuple(prediction.shape)} and {tuple(target.shape)}"
        )
    return prediction - target
