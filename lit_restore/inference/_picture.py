"""What is refused where a single picture comes in."""

import torch
from torch import Tensor


def check_image(image: Tensor, in_channels: int) -> None:
    """Refuse what is no picture for a network of so many channels.

    Args:
        image: Shape (in_channels, H, W), or (3, H, W) for one channel; uint8, or floating point.
        in_channels: Of the network.

    Raises:
        ValueError: If the shape or the type is another.
    """
    allowed = (1, 3) if in_channels == 1 else (in_channels,)
    if image.ndim != 3 or image.shape[0] not in allowed or 0 in image.shape:
        shapes = " or ".join(f"({channels}, H, W)" for channels in allowed)
        raise ValueError(f"image must have shape {shapes}, got {tuple(image.shape)}")
    if image.dtype != torch.uint8 and not image.is_floating_point():
        raise ValueError(f"image must be uint8 or float in unit range, got {image.dtype}")
