"""VGG; each layer is called what our module is called."""

from collections.abc import Sequence

import keras
from keras import layers
from keras.applications.imagenet_utils import preprocess_input

from parity.references.models import Shape

_CONVOLUTIONS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
_POOLS = {"max": layers.MaxPooling2D, "average": layers.AveragePooling2D}


def features(
    shape: Shape, depth: int, widths: Sequence[int], inputs: str = "caffe", pool: str = "max"
) -> keras.Model:
    """The convolutional part up to the last ReLU, as in ``keras.applications``."""
    x = image = keras.Input(shape)
    if inputs != "raw":
        x = preprocess_input(image * 255 if inputs == "caffe" else image, mode="caffe")
    position = 0
    for block, (count, width) in enumerate(zip(_CONVOLUTIONS[depth], widths, strict=True)):
        if block:
            x = _POOLS[pool](2, strides=2)(x)
            position += 1
        for _ in range(count):
            x = layers.Conv2D(width, 3, padding="same", name=f"features.{position}")(x)
            x = layers.ReLU()(x)
            position += 2
    return keras.Model(image, x)
