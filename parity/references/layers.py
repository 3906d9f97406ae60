"""Single layers."""

import keras
import tensorflow as tf

from parity.references._common import Tensors, run


def conv(t: Tensors, stride: int, dilation: int) -> Tensors:
    """Conv2D with SAME padding."""
    size, _, _, filters = t["kernel"].shape
    layer = keras.layers.Conv2D(
        filters, size, strides=stride, dilation_rate=dilation, padding="same"
    )
    return {"output": run(layer, t["image"], [t["kernel"], t["bias"]])[0]}


def conv_transpose(t: Tensors, stride: int) -> Tensors:
    """Conv2DTranspose with SAME padding."""
    size, _, filters, _ = t["kernel"].shape
    layer = keras.layers.Conv2DTranspose(filters, size, strides=stride, padding="same")
    return {"output": run(layer, t["image"], [t["kernel"], t["bias"]])[0]}


def max_pool(t: Tensors, size: int, stride: int) -> Tensors:
    """MaxPooling2D with SAME padding."""
    layer = keras.layers.MaxPooling2D(size, strides=stride, padding="same")
    return {"output": layer(t["image"])}


def depth_to_space(t: Tensors, scale: int) -> Tensors:
    """TensorFlow's own pixel shuffle."""
    return {"output": tf.nn.depth_to_space(t["image"], scale)}
