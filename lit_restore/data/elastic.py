"""Elastic deformation: every pixel moves a little, and its neighbours with it."""

import torch
import torch.nn.functional as F
from torch import Tensor


def elastic_displacement(
    size: tuple[int, int], spread: float, generator: torch.Generator, points: int = 3
) -> Tensor:
    """Draw how far each pixel moves.

    A coarse grid of random vectors spans the picture from corner to corner; between its points
    they are interpolated by a cubic, so that the field is smooth.

    Args:
        size: Height and width of the picture, in pixels.
        spread: Standard deviation of each coordinate of the vectors, in pixels; the paper has 10
            for pictures of 512.
        generator: Draws the vectors.
        points: Vectors of the grid along each side, at least 2.

    Returns:
        Displacement in pixels, shape (2, H, W): to the right, and down.

    Raises:
        ValueError: If ``spread`` is negative or there are fewer than 2 points.

    Source:
        Ronneberger et al., U-Net: Convolutional Networks for Biomedical Image Segmentation,
        MICCAI 2015, https://arxiv.org/abs/1505.04597, section 3.1.
    """
    if spread < 0 or points < 2:
        raise ValueError(
            f"spread must not be negative and points at least 2, got {spread} and {points}"
        )
    vectors = spread * torch.randn(1, 2, points, points, generator=generator)
    return F.interpolate(vectors, size, mode="bicubic", align_corners=True)[0]
