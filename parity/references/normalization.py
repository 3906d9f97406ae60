"""The normalisations of the study notes."""

import keras
import tensorflow as tf

from parity.references._common import Tensors, run


def batch_norm(t: Tensors, training: bool) -> Tensors:
    """BatchNormalization with Keras's defaults."""
    states = [t["moving_mean"], t["moving_variance"]]
    layer = keras.layers.BatchNormalization()
    output, after = run(layer, t["image"], [t["gamma"], t["beta"]], states, training=training)
    return {"output": output, "moving_mean": after[0], "moving_variance": after[1]}


def fused_batch_norm(t: Tensors) -> Tensors:
    """TensorFlow's fused kernel in training, which Keras 2 runs BatchNormalization by."""
    output, mean, variance = tf.compat.v1.nn.fused_batch_norm(
        *(tf.cast(t[name], "float32") for name in ("image", "gamma", "beta")),
        mean=tf.cast(t["moving_mean"], "float32"),
        variance=tf.cast(t["moving_variance"], "float32"),
        epsilon=1e-3,
        exponential_avg_factor=0.01,
        is_training=True,
    )
    return {"output": output, "moving_mean": mean, "moving_variance": variance}


def instance_norm(t: Tensors) -> Tensors:
    """Keras 3's GroupNormalization with a group per channel."""
    layer = keras.layers.GroupNormalization(groups=-1, center=False, scale=False)
    return {"output": layer(t["image"])}


def contributed_instance_norm(t: Tensors) -> Tensors:
    """The formula of keras_contrib's InstanceNormalization(axis=-1)."""
    mean = keras.ops.mean(t["image"], axis=(1, 2), keepdims=True)
    deviation = keras.ops.std(t["image"], axis=(1, 2), keepdims=True)
    return {"output": (t["image"] - mean) / (deviation + 1e-3) * t["gamma"] + t["beta"]}


def group_norm(t: Tensors, groups: int) -> Tensors:
    """GroupNormalization."""
    layer = keras.layers.GroupNormalization(groups)
    return {"output": run(layer, t["image"], [t["gamma"], t["beta"]])[0]}


def layer_norm(t: Tensors) -> Tensors:
    """LayerNormalization over the channels of each pixel."""
    layer = keras.layers.LayerNormalization()
    return {"output": run(layer, t["image"], [t["gamma"], t["beta"]])[0]}
