"""Networks of super-resolution; each layer is called what our module is called."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from parity.references.models import Shape


def srcnn(
    shape: Shape, widths: Sequence[int], kernel_sizes: Sequence[int], padding: str
) -> keras.Model:
    """SRCNN of Dong et al."""
    x = image = keras.Input(shape)
    filters = (*widths, shape[-1])
    names = ("extract", "mapping", "reconstruct")
    for name, width, size in zip(names, filters, kernel_sizes, strict=True):
        x = layers.Conv2D(width, size, padding=padding, name=name)(x)
        x = layers.ReLU()(x) if name != names[-1] else x
    return keras.Model(image, x)


def resnet_sr(shape: Shape, width: int, depth: int) -> keras.Model:
    """The residual network ``ResNetSR`` for a factor of 2."""
    image = keras.Input(shape)
    first = x = layers.ReLU()(_conv(image, "stem", width))
    for index in range(depth):
        x = _block(x, f"blocks.{index}", width)
    x = layers.UpSampling2D(2)(layers.Add()([x, first]))
    x = layers.ReLU()(_conv(x, "refine", width))
    return keras.Model(image, _conv(x, "head", shape[-1]))


def _conv(x: Any, name: str, width: int) -> Any:
    return layers.Conv2D(width, 3, padding="same", name=name)(x)


def _block(features: Any, name: str, width: int) -> Any:
    x = layers.BatchNormalization(name=f"{name}.norm1")(_conv(features, f"{name}.conv1", width))
    x = _conv(layers.ReLU()(x), f"{name}.conv2", width)
    return layers.Add()([layers.BatchNormalization(name=f"{name}.norm2")(x), features])
