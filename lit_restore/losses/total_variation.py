"""How much neighbouring pixels differ.

Each function gives one value per picture, each module the mean of those; both are computed in
float32 at least.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.losses._wide import wide


def total_variation(image: Tensor, region: Tensor | None = None) -> Tensor:
    """Sum the absolute differences to the right and lower neighbours; anisotropic, per value.

    The sum is divided by the number of values of the picture, C * H * W, whatever the region:
    that is how the inpainting paper weights it, with ``region=dilated_hole(mask)``.

    Args:
        image: Shape (N, C, H, W).
        region: Shape (N, 1, H, W); a difference counts if both pixels are in it, not 0. None: all
            count. What is outside has no part in it, be it NaN.

    Returns:
        Shape (N,).

    Raises:
        ValueError: If the region has another shape.

    Source:
        Liu et al., "Image Inpainting for Irregular Holes Using Partial Convolutions", ECCV 2018,
        https://arxiv.org/abs/1804.07723, equation 6.
    """
    _check_region(image, region)
    x = wide(image)
    down = _within(x[..., 1:, :] - x[..., :-1, :], region, dim=-2)
    right = _within(x[..., 1:] - x[..., :-1], region, dim=-1)
    sums = down.abs().sum(dim=(1, 2, 3)) + right.abs().sum(dim=(1, 2, 3))
    return sums / image[0].numel()


def isotropic_total_variation(image: Tensor, exponent: float = 1.25) -> Tensor:
    """Sum ``(dy**2 + dx**2) ** exponent`` over the pixels with a right and a lower neighbour.

    A sum, divided by nothing: it grows with the picture, and with its range by the power of twice
    the exponent. Pixels of the last row and column count as neighbours alone. The exponent 1.25 is
    that of style transfer in the study notes; 0.5 is the length of the gradient, the total
    variation of Rudin, Osher and Fatemi; 1 is the sum of squares. Where a picture is flat the
    gradient is 0 with any exponent.

    Args:
        image: Shape (N, C, H, W).
        exponent: Positive; half of the beta of the source.

    Returns:
        Shape (N,).

    Raises:
        ValueError: If ``exponent`` is not positive.

    Source:
        Mahendran and Vedaldi, "Understanding Deep Image Representations by Inverting Them", CVPR
        2015, https://arxiv.org/abs/1412.0035, section 3.
    """
    if exponent <= 0:
        raise ValueError(f"exponent must be positive, got {exponent}")
    x = wide(image)
    corner = x[..., :-1, :-1]
    squares = (x[..., 1:, :-1] - corner).square() + (x[..., :-1, 1:] - corner).square()
    flat = squares == 0  # where the power below 1 has an infinite slope
    return squares.masked_fill(flat, 1).pow(exponent).masked_fill(flat, 0).sum(dim=(1, 2, 3))


def dilated_hole(mask: Tensor) -> Tensor:
    """Say which pixels are in the hole or next to it, diagonally too.

    Args:
        mask: Shape (N, 1, H, W); 1 where valid, 0 in the hole.

    Returns:
        The same shape and type; 1 in the hole grown by a pixel, else 0.
    """
    hole = (mask == 0).to(torch.float32)
    return F.max_pool2d(hole, 3, stride=1, padding=1).to(mask.dtype)


class TotalVariationLoss(nn.Module):
    """``total_variation``, then the mean over the pictures."""

    def forward(self, image: Tensor, region: Tensor | None = None) -> Tensor:
        """Measure; shapes (N, C, H, W) and (N, 1, H, W); returns a scalar."""
        return total_variation(image, region).mean()


class IsotropicTotalVariationLoss(nn.Module):
    """``isotropic_total_variation``, then the mean over the pictures.

    Args:
        exponent: Of the squared length of the gradient; positive.

    Raises:
        ValueError: If ``exponent`` is not positive.
    """

    def __init__(self, exponent: float = 1.25) -> None:
        if exponent <= 0:
            raise ValueError(f"exponent must be positive, got {exponent}")
        super().__init__()
        self.exponent = exponent

    def forward(self, image: Tensor) -> Tensor:
        """Measure; shape (N, C, H, W); returns a scalar."""
        return isotropic_total_variation(image, self.exponent).mean()


def _check_region(image: Tensor, region: Tensor | None) -> None:
    if region is None:
        return
    expected = (len(image), 1, *image.shape[-2:])
    if region.shape != expected:
        raise ValueError(f"region must have the shape {expected}, got {tuple(region.shape)}")


def _within(differences: Tensor, region: Tensor | None, dim: int) -> Tensor:
    if region is None:
        return differences
    inside = region != 0
    count = differences.shape[dim]
    both = inside.narrow(dim, 0, count) & inside.narrow(dim, 1, count)
    return differences.where(both, 0)
