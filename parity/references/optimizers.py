"""Optimizers, as many steps as there are gradients."""

from typing import Any

import keras

from parity.references._common import Tensors


def adam(t: Tensors, beta: float, later: float) -> Tensors:
    """Adam; after half of the steps at ``later`` times the learning rate."""
    return _displacement(keras.optimizers.Adam(1e-3, beta), t, later)


def sgd(t: Tensors, momentum: float, nesterov: bool, later: float) -> Tensors:
    """SGD; after half of the steps at ``later`` times the learning rate."""
    return _displacement(keras.optimizers.SGD(0.01, momentum, nesterov), t, later)


def _displacement(optimizer: Any, t: Tensors, later: float) -> Tensors:
    parameter = keras.Variable(t["start"])
    optimizer.build([parameter])
    lr = float(optimizer.learning_rate)
    half = len(t["gradients"]) // 2
    for step, gradient in enumerate(t["gradients"]):
        if step == half:
            middle = parameter.value - t["start"]
            optimizer.learning_rate = lr * later
        optimizer.apply([gradient])
    return {"middle": middle, "output": parameter.value - t["start"]}
