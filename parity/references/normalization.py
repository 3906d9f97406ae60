"""The normalisations of the study notes."""

from functools import partial
from typing import Any

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
    return {"output": over_deviation(t["image"]) * t["gamma"] + t["beta"]}


def over_deviation(image: Any, epsilon: float = 1e-3) -> Any:
    """That formula, without factor and offset."""
    mean = keras.ops.mean(image, axis=(1, 2), keepdims=True)
    deviation = keras.ops.std(image, axis=(1, 2), keepdims=True)
    return (image - mean) / (deviation + epsilon)


class _OwnStatistics(keras.layers.BatchNormalization):  # type: ignore[misc]
    """BatchNormalization that a model cannot put in evaluation mode."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise by the batch's mean and variance."""
        return super().call(inputs, training=True, mask=mask)


def normalised(
    x: Any, norm: str, name: str, epsilon: float = 1e-3, statistics: str = "running"
) -> Any:
    """Normalise symbolic maps by the kinds of one argument.

    Args:
        x: Maps.
        norm: ``"batch"``, ``"layer"`` (over the whole of a sample), ``"instance"``,
            ``"std_instance"``, ``"group"`` (as many groups of two or more as divide the
            channels, 32 at most) or ``"none"``.
        name: Of the layer, if it has weights.
        epsilon: What is added to the variance, or to the deviation.
        statistics: ``"batch"`` if BatchNorm takes the batch's own in evaluation, too.
    """
    most = min(32, max(x.shape[-1] // 2, 1))
    groups = max(count for count in range(1, most + 1) if x.shape[-1] % count == 0)
    group = partial(keras.layers.GroupNormalization, epsilon=epsilon)
    match norm:
        case "batch":
            make = _OwnStatistics if statistics == "batch" else keras.layers.BatchNormalization
            return make(epsilon=epsilon, name=name)(x)
        case "layer" | "group":
            return group(1 if norm == "layer" else groups, name=name)(x)
        case "instance":
            return group(-1, center=False, scale=False)(x)
        case "std_instance":
            return keras.layers.Lambda(partial(over_deviation, epsilon=epsilon))(x)
    return x


def of_kind(t: Tensors, norm: str, training: bool, **options: Any) -> Tensors:
    """A layer of ``normalised``, and its statistics afterwards in training."""
    image = keras.Input(t["image"].shape[1:])
    model = keras.Model(image, normalised(image, norm, "norm", **options))
    weights = [t[name] for name in ("gamma", "beta") if name in t]
    states = [t[name] for name in ("moving_mean", "moving_variance") if name in t]
    output, after = run(model, t["image"], weights, states, training=training)
    moved = dict(zip(("mean", "variance"), after, strict=True)) if training else {}
    return {"output": output, **moved}


def group_norm(t: Tensors, groups: int) -> Tensors:
    """GroupNormalization."""
    layer = keras.layers.GroupNormalization(groups)
    return {"output": run(layer, t["image"], [t["gamma"], t["beta"]])[0]}


def layer_norm(t: Tensors) -> Tensors:
    """LayerNormalization over the channels of each pixel."""
    layer = keras.layers.LayerNormalization()
    return {"output": run(layer, t["image"], [t["gamma"], t["beta"]])[0]}
