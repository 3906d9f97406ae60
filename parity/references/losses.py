"""Losses, one value per picture, with the target first as in Keras."""

import keras
import tensorflow as tf

from parity.references._common import Tensors


def absolute(t: Tensors) -> Tensors:
    """Mean absolute error, as the study notes write it."""
    difference = tf.abs(t["target"] - t["prediction"])
    return {"output": tf.reduce_mean(difference, axis=(1, 2, 3))}


def squared(t: Tensors) -> Tensors:
    """Mean squared error: Keras's over the channels, then over the pixels."""
    values = keras.losses.mean_squared_error(t["target"], t["prediction"])
    return {"output": tf.reduce_mean(values, axis=(1, 2))}
