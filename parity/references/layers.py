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


def conv_valid(t: Tensors, stride: int, dilation: int) -> Tensors:
    """Conv2D with Keras's default padding, which is none."""
    size, _, _, filters = t["kernel"].shape
    layer = keras.layers.Conv2D(filters, size, strides=stride, dilation_rate=dilation)
    return {"output": run(layer, t["image"], [t["kernel"], t["bias"]])[0]}


def conv_transpose_valid(t: Tensors, stride: int) -> Tensors:
    """Conv2DTranspose with Keras's default padding, which is none."""
    size, _, filters, _ = t["kernel"].shape
    layer = keras.layers.Conv2DTranspose(filters, size, strides=stride)
    return {"output": run(layer, t["image"], [t["kernel"], t["bias"]])[0]}


def dense(t: Tensors) -> Tensors:
    """Dense on a map, which takes each pixel's channels."""
    layer = keras.layers.Dense(t["kernel"].shape[1])
    return {"output": run(layer, t["image"], [t["kernel"], t["bias"]])[0]}


def average_pool(t: Tensors, size: int, stride: int) -> Tensors:
    """AveragePooling2D with SAME padding."""
    layer = keras.layers.AveragePooling2D(size, strides=stride, padding="same")
    return {"output": layer(t["image"])}


def upsampling(t: Tensors, scale: int, interpolation: str) -> Tensors:
    """UpSampling2D."""
    return {"output": keras.layers.UpSampling2D(scale, interpolation=interpolation)(t["image"])}


def dropout(t: Tensors, rate: float) -> Tensors:
    """Dropout, evaluated."""
    return {"output": keras.layers.Dropout(rate)(t["image"], training=False)}
