"""How whole networks of Keras are run and trained with the arrays of a case."""

import importlib
from typing import Any

import keras
import tensorflow as tf

from parity.references._common import Tensors


def forward(t: Tensors, model: str, training: bool, **options: Any) -> Tensors:
    """Run a network, and keep the output of each layer that has weights.

    Args:
        t: ``image``, and ``layer/variable`` for every variable.
        model: ``module.function`` in ``parity.references``: makes a functional model from the shape
            of an image (H, W, C). Its layers with weights are called what our modules are called.
        training: The mode.
        **options: Further arguments of that function.

    Returns:
        Each such layer's output, the model's ``output``, and in training the moving statistics
        afterwards.
    """
    network = _build(t, model, options)
    layers = [layer for layer in network.layers if layer.weights]
    tap = keras.Model(network.inputs, [*(layer.output for layer in layers), *network.outputs])
    values, after = tap.stateless_call(
        [t[variable.path] for variable in tap.trainable_variables],
        [t[variable.path] for variable in tap.non_trainable_variables],
        t["image"],
        training=training,
    )
    names = [*(layer.name for layer in layers), "output"]
    moving = [f"after {variable.path}" for variable in tap.non_trainable_variables]
    states = dict(zip(moving, after, strict=True)) if training else {}
    return dict(zip(names, values, strict=True)) | states


def train(t: Tensors, model: str, loss: str, optimizer: str, steps: int, **options: Any) -> Tensors:
    """Train a network on one batch.

    Args:
        t: ``image``, ``target``, and ``layer/variable`` for every variable.
        model: As above.
        loss: A loss of ``keras.losses``, by the name of its class.
        optimizer: An optimizer of ``keras.optimizers``, likewise; with its own defaults.
        steps: How many steps.
        **options: As above.

    Returns:
        ``output``, the loss before each step, and every variable afterwards.
    """
    network = _build(t, model, options)
    for variable in network.variables:
        variable.assign(t[variable.path])
    criterion = getattr(keras.losses, loss)()
    descent = getattr(keras.optimizers, optimizer)()
    losses = []
    for _ in range(steps):
        with tf.GradientTape() as tape:
            value = criterion(t["target"], network(t["image"], training=True))
        gradients = tape.gradient(value, network.trainable_variables)
        descent.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        losses.append(value)
    after = {f"after {variable.path}": variable.value for variable in network.variables}
    return {"output": tf.stack(losses), **after}


def _build(t: Tensors, model: str, options: dict[str, Any]) -> Any:
    module, _, name = model.partition(".")
    build = getattr(importlib.import_module(f"parity.references.{module}"), name)
    return build(tuple(t["image"].shape[1:]), **options)
