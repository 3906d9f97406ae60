"""What the study notes do to pictures before training."""

import numpy as np
import tensorflow as tf
from PIL import Image, ImageFilter

from parity.references._common import Tensors


def unit_range(t: Tensors) -> Tensors:
    """uint8 to float32 in unit range."""
    return {"output": tf.image.convert_image_dtype(t["image"], tf.float32)}


def mosaic(t: Tensors, block: int) -> Tensors:
    """The notes' mosaic, by Pillow."""
    pictures = [Image.fromarray(picture) for picture in np.asarray(t["image"])]
    return {"output": np.stack([_mosaic(picture, block) for picture in pictures])}


def _mosaic(picture: Image.Image, block: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    small = picture.resize(
        (picture.width // block, picture.height // block), Image.Resampling.NEAREST
    )
    blurred = small.filter(ImageFilter.GaussianBlur(1.5))
    return np.asarray(blurred.resize(picture.size, Image.Resampling.NEAREST), np.uint8)
