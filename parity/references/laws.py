"""What is random, as shares of samples that are at most as large as each of the points."""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from parity.references._common import Tensors


def dropout(t: Tensors, rate: float, maps: int) -> Tensors:
    """Dropout in training, on ones: single values, and means over maps of 4x5 pixels."""
    image = tf.ones((maps // 10, 4, 5, 10))
    values = keras.layers.Dropout(rate, seed=1)(image, training=True)
    means = tf.reduce_mean(values, axis=(1, 2))
    return {"output": _shares(values, t["points"]), "means": _shares(means, t["points"])}


def conv(t: Tensors, inputs: int, outputs: int, size: int) -> Tensors:
    """Kernel and bias of a new Conv2D."""
    return _initial(partial(keras.layers.Conv2D, outputs, size), (None, 8, 8, inputs), t["points"])


def conv_transpose(t: Tensors, inputs: int, outputs: int, size: int) -> Tensors:
    """Kernel and bias of a new Conv2DTranspose."""
    make = partial(keras.layers.Conv2DTranspose, outputs, size)
    return _initial(make, (None, 8, 8, inputs), t["points"])


def dense(t: Tensors, inputs: int, outputs: int) -> Tensors:
    """Kernel and bias of a new Dense."""
    return _initial(partial(keras.layers.Dense, outputs), (None, inputs), t["points"])


def _initial(make: Callable[[], Any], shape: tuple[int | None, ...], points: Any) -> Tensors:
    keras.utils.set_random_seed(1)  # before the initialisers are made, which draw their seeds
    layer = make()
    layer.build(shape)
    kernel, bias = layer.variables
    return {"output": _shares(kernel, points), "bias": _shares(bias, points)}


def _shares(values: Any, points: Any) -> Any:
    flat = tf.sort(tf.reshape(values, [-1]))
    below = tf.searchsorted(flat, tf.cast(points, flat.dtype), side="right")
    return tf.cast(below, "float32") / len(flat)
