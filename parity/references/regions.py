"""Layers that treat hole and valid region apart."""

from typing import Any

import tensorflow as tf
from keras import layers

from parity.references._common import Tensors


class RegionNorm(layers.Layer):  # type: ignore[misc]
    """Moments of both regions of each picture; variables of shape (channels, 2): hole, valid."""

    def build(self, shapes: Any) -> None:
        """Make the variables."""
        shape = (shapes[0][-1], 2)
        self.gamma = self.add_weight(name="gamma", shape=shape)
        self.beta = self.add_weight(name="beta", shape=shape)

    def call(self, pair: Any) -> Any:
        """Normalise [maps, mask]."""
        image, mask = pair
        found = tf.zeros_like(image)
        for region, weight in enumerate((1 - mask, mask)):
            normal = normalised(image, weight)
            found += weight * (normal * self.gamma[:, region] + self.beta[:, region])
        return found


def normalised(image: Any, weight: Any, epsilon: float = 1e-5) -> Any:
    """Take off the mean and divide by the deviation of the pixels of weight 1, in each picture."""
    total = tf.maximum(tf.reduce_sum(weight, (1, 2), keepdims=True), 1)
    mean = tf.reduce_sum(image * weight, (1, 2), keepdims=True) / total
    squares = tf.reduce_sum(tf.square(image - mean) * weight, (1, 2), keepdims=True)
    return (image - mean) / tf.sqrt(squares / total + epsilon)


def region_norm(t: Tensors) -> Tensors:
    """RegionNorm, by TensorFlow's own weighted moments."""
    found = 0.0
    for region, weight in enumerate((1 - t["mask"], t["mask"])):
        mean, variance = tf.nn.weighted_moments(t["image"], (1, 2), weight, keepdims=True)
        normal = (t["image"] - mean) / tf.sqrt(variance + 1e-5)
        found += weight * (normal * t["gamma"][:, region] + t["beta"][:, region])
    return {"output": found}


def learned_region_norm(t: Tensors) -> Tensors:
    """Regions by a threshold on attention, factor and offset by convolutions of it."""
    image = t["image"]
    pooled = [tf.reduce_mean(image, -1, keepdims=True), tf.reduce_max(image, -1, keepdims=True)]
    importance = tf.sigmoid(_same(tf.concat(pooled, axis=-1), t["attention"]))
    gamma, beta = tf.split(_same(importance, t["kernel"]) + t["bias"], 2, axis=-1)
    valid = tf.stop_gradient(tf.cast(importance >= 0.8, image.dtype))
    normal = sum(weight * normalised(image, weight) for weight in (valid, 1 - valid))
    return {"output": normal * (1 + gamma) + beta, "regions": valid}


def region_conv(t: Tensors, stride: int) -> Tensors:
    """Two convolutions, of which the mask of the output takes one."""
    hole, valid = (
        _same(t["image"], t[f"{region}_kernel"], stride) + t[f"{region}_bias"]
        for region in ("hole", "valid")
    )
    return {"output": tf.where(t["mask"] > 0, valid, hole)}


def _same(image: Any, kernel: Any, stride: int = 1) -> Any:
    return tf.nn.conv2d(image, kernel, stride, "SAME")
