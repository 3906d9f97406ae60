"""From unit range to 8-bit codes as TensorFlow rounds."""

import torch
from torch import Tensor


def tensorflow_codes(image: Tensor) -> Tensor:
    """Convert unit range to uint8, as ``tf.image.convert_image_dtype(saturate=True)`` does.

    That is ``floor(value * 255.5)``, kept in 0 .. 255: all codes but the last have equal shares of
    the range. A quarter of all values get another code than by rounding, as files are written here.
    The way back is ``lit_restore.data.restoration.unit_range``.

    Args:
        image: Any shape, floating point; values outside 0 .. 1 become 0 or 255.

    Returns:
        The same shape, uint8.

    Raises:
        ValueError: If the image is not floating point.

    Source:
        ``tf.image.convert_image_dtype(image, tf.uint8, saturate=True)``.
    """
    if not image.is_floating_point():
        raise ValueError(f"image must be floating point, got {image.dtype}")
    return (image * 255.5).clamp(0, 255).to(torch.uint8)
