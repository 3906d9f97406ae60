"""Ways to fill holes: (picture (3, H, W) uint8, mask (1, H, W) True where valid) -> uint8."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

MEAN, TELEA, NAVIER_STOKES = "mean of the valid pixels", "OpenCV Telea", "OpenCV Navier-Stokes"
RADIUS = 3


def methods(
    ours: str, weights: Path | None = None
) -> "dict[str, Callable[[Tensor, Tensor], Tensor]]":
    """Give all methods by name.

    Args:
        ours: Name of our network's; of the shipped weights, unless ``weights`` are given.
        weights: A file of another network.

    Raises:
        ImportError: If OpenCV is not installed.
        KeyError, OSError, ValueError: If the weights are missing, broken or of a network that takes
            no mask.
    """
    import cv2

    from lit_restore import Inpainter, load_network
    from lit_restore.weights import weights_path

    inpainter = Inpainter(load_network(weights or weights_path(ours)), "cpu")
    return {
        MEAN: mean_fill,
        TELEA: lambda picture, mask: opencv(picture, mask, cv2.INPAINT_TELEA),
        NAVIER_STOKES: lambda picture, mask: opencv(picture, mask, cv2.INPAINT_NS),
        ours: lambda picture, mask: as_bytes(255 * inpainter(picture, mask)),
    }


def mean_fill(picture: "Tensor", mask: "Tensor") -> "Tensor":
    """Fill with the mean of the valid pixels, of each channel."""
    mean = (picture.double() * mask).sum((1, 2)) / mask.sum()
    return as_bytes(mean)[:, None, None].expand_as(picture)


def opencv(picture: "Tensor", mask: "Tensor", method: int) -> "Tensor":
    """Fill as OpenCV does, from within 3 pixels.

    Args:
        picture: Shape (3, H, W), uint8.
        mask: Shape (1, H, W), bool; True where valid.
        method: ``cv2.INPAINT_TELEA`` or ``cv2.INPAINT_NS``.
    """
    import cv2
    import numpy as np
    import torch

    pixels = np.ascontiguousarray(picture.permute(1, 2, 0).numpy())
    hole = (~mask[0]).to(torch.uint8).mul(255).numpy()
    return torch.from_numpy(cv2.inpaint(pixels, hole, RADIUS, method)).permute(2, 0, 1)


def as_bytes(levels: "Tensor") -> "Tensor":
    """Round levels of 0 to 255 half up, to uint8."""
    import torch

    return (levels + 0.5).floor().clamp(0, 255).to(torch.uint8)
