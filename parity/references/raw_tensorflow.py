"""The study notes' segmentation networks by TensorFlow's functions alone: no layer, no model.

Moments and moving averages are written out, with the constants of Keras's BatchNormalization.
"""

from typing import Any

import tensorflow as tf

from parity.references._common import Tensors

_EPSILON = 1e-3
_KEPT = 0.99


class _Graph:
    """Operations on the arrays of a case, by the names of our modules."""

    def __init__(self, t: Tensors, training: bool) -> None:
        self.t = t
        self.training = training
        self.after: Tensors = {}

    def block(self, x: Any, name: str) -> Any:
        """Convolve, ReLU, normalise."""
        return self.normalised(tf.nn.relu(self.convolved(x, f"{name}.conv")), f"{name}.norm")

    def convolved(self, x: Any, name: str) -> Any:
        """Convolve with SAME padding."""
        return tf.nn.conv2d(x, self.t[f"{name}/kernel"], 1, "SAME") + self.t[f"{name}/bias"]

    def doubled(self, x: Any, name: str) -> Any:
        """Convolve transposed, with a step of 2."""
        kernel = self.t[f"{name}/kernel"]
        count, height, width, _ = x.shape
        shape = (count, 2 * height, 2 * width, kernel.shape[2])
        return tf.nn.conv2d_transpose(x, kernel, shape, 2, "SAME") + self.t[f"{name}/bias"]

    def normalised(self, x: Any, name: str) -> Any:
        """Normalise by the batch's moments, and move the averages; or by the averages."""
        own = [f"{name}/moving_mean", f"{name}/moving_variance"]
        mean, variance = (self.t[one] for one in own)
        if self.training:
            kept = mean, variance
            mean = tf.reduce_mean(x, (0, 1, 2))
            variance = tf.reduce_mean(tf.square(x - mean), (0, 1, 2))
            for key, old, new in zip(own, kept, (mean, variance), strict=True):
                self.after[f"after {key}"] = _KEPT * old + (1 - _KEPT) * new
        beta, gamma = self.t[f"{name}/beta"], self.t[f"{name}/gamma"]
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, _EPSILON)


def conv_segmenter(t: Tensors, training: bool, depth: int) -> Tensors:
    """Convolutions in a row, then one of 1x1."""
    graph = _Graph(t, training)
    x = t["image"]
    for index in range(depth):
        x = graph.block(x, f"blocks.{index}")
    return {"output": graph.convolved(x, "head"), **graph.after}


def pooling_segmenter(t: Tensors, training: bool, skip: bool) -> Tensors:
    """Down by max pooling, up by a transposed convolution, joined or not."""
    graph = _Graph(t, training)
    fine = graph.block(graph.block(t["image"], "fine.0"), "fine.1")
    x = tf.nn.max_pool2d(fine, 2, 2, "VALID")
    x = graph.block(graph.block(x, "coarse.0"), "coarse.1")
    x = graph.normalised(tf.nn.relu(graph.doubled(x, "up.conv")), "up.norm")
    x = graph.block(tf.concat([x, fine], axis=3), "fuse") if skip else x
    x = graph.block(graph.block(x, "last.0"), "last.1")
    return {"output": graph.convolved(x, "head"), **graph.after}
