"""Losses of segmentation, and Adam."""

from typing import Any

import chainer
import chainer.functions as F
import numpy as np

Variables = dict[str, Any]


def softmax_cross_entropy(t: Variables) -> Variables:
    """Of scores (N, classes, H, W) and classes (N, H, W); -1 is ignored."""
    return {"output": F.softmax_cross_entropy(t["scores"], _classes(t))}


def sigmoid_cross_entropy(t: Variables) -> Variables:
    """Of scores and 0 or 1 for each; -1 is ignored."""
    return {"output": F.sigmoid_cross_entropy(t["scores"], _classes(t))}


def _classes(t: Variables) -> Any:
    return np.floor(t["classes"].array).astype(np.int32)


def adam(t: Variables, beta1: float, beta2: float, lr: float) -> Variables:
    """Where Adam is after each step, from its start."""
    start, gradients = t["start"].array, t["gradients"].array
    link = chainer.Link()
    with link.init_scope():
        link.parameter = chainer.Parameter(start.copy())
    optimizer = chainer.optimizers.Adam(lr, beta1, beta2).setup(link)
    places = []
    for gradient in gradients:
        link.parameter.grad = gradient
        optimizer.update()
        places.append(link.parameter.array - start)
    return {"output": np.stack(places)}
