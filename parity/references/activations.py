"""Activations."""

import keras
import tensorflow as tf

from parity.references._common import Tensors, run


def activation(t: Tensors, name: str) -> Tensors:
    """Activation, by its name; softmax is over the channels."""
    return {"output": keras.layers.Activation(name)(t["image"])}


def leaky_relu(t: Tensors) -> Tensors:
    """LeakyReLU with its default slope."""
    return {"output": keras.layers.LeakyReLU()(t["image"])}


def prelu(t: Tensors) -> Tensors:
    """PReLU with one slope per channel."""
    layer = keras.layers.PReLU(shared_axes=[1, 2])
    return {"output": run(layer, t["image"], [t["alpha"]])[0]}


def prelu_at_zero(t: Tensors) -> Tensors:
    """PReLU of an image in which every value above 0 became exactly 0."""
    zeros = tf.stop_gradient(t["image"]) * tf.cast(t["image"] > 0, t["image"].dtype)
    return prelu(t | {"image": t["image"] - zeros})
