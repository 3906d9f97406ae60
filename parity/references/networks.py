"""How whole networks of Keras are run and trained with the arrays of a case."""

import importlib
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from parity.references._common import Tensors


def forward(
    t: Tensors, model: str, training: bool, untapped: Sequence[str] = (), **options: Any
) -> Tensors:
    """Run a network, and keep the output of each layer that has weights.

    Args:
        t: ``image``, ``mask`` or ``condition`` if the model takes one, and ``layer/variable`` for
            every variable.
        model: ``module.function`` in ``parity.references``: makes a functional model from the shape
            of an image (H, W, C). Its layers with weights are called what our modules are called.
        training: The mode.
        untapped: Layers whose outputs are not asked for.
        **options: Further arguments of that function.

    Returns:
        Each other such layer's output, also the mask that comes with it, the model's ``output``,
        and in training the moving statistics afterwards.
    """
    network = build(tuple(t["image"].shape[1:]), model, **options)
    layers = [one for one in network.layers if one.weights and one.name not in untapped]
    taps = dict(pair for layer in layers for pair in _outputs(layer))
    tap = keras.Model(network.inputs, [*taps.values(), *network.outputs])
    values, after = tap.stateless_call(
        [_given(t, variable) for variable in tap.trainable_variables],
        [_given(t, variable) for variable in tap.non_trainable_variables],
        _inputs(t),
        training=training,
    )
    names = [*taps, "output"]
    moving = [f"after {variable.path}" for variable in tap.non_trainable_variables]
    states = dict(zip(moving, after, strict=True)) if training else {}
    return dict(zip(names, values, strict=True)) | states


def train(
    t: Tensors,
    model: str,
    loss: str,
    optimizer: str,
    steps: int,
    momentum: float = 0.0,
    **options: Any,
) -> Tensors:
    """Train a network on one batch.

    Args:
        t: ``image``, ``mask`` as above, ``target``, and ``layer/variable`` for every variable.
        model: As above.
        loss: A loss of ``keras.losses``, by the name of its class.
        optimizer: An optimizer of ``keras.optimizers``, likewise; with its own defaults.
        steps: How many steps.
        momentum: Of that optimizer, if it is not its default.
        **options: As above.

    Returns:
        ``output``, the loss before each step, and every variable afterwards.
    """
    network = build(tuple(t["image"].shape[1:]), model, **options)
    for variable in network.variables:
        variable.assign(_given(t, variable))
    criterion = getattr(keras.losses, loss)()
    descent = getattr(keras.optimizers, optimizer)(**({"momentum": momentum} if momentum else {}))
    losses = []
    for _ in range(steps):
        with tf.GradientTape() as tape:
            value = criterion(t["target"], network(_inputs(t), training=True))
        gradients = tape.gradient(value, network.trainable_variables)
        descent.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        losses.append(value)
    after = {
        f"after {variable.path}": tf.reshape(variable.value, t[variable.path].shape)
        for variable in network.variables
    }
    return {"output": tf.stack(losses), **after}


def _inputs(t: Tensors) -> Any:
    second = [t[name] for name in ("mask", "condition") if name in t]
    return [t["image"], *second] if second else t["image"]


def _outputs(layer: Any) -> list[tuple[str, Any]]:
    """Name a layer's output; of two the second is a mask."""
    found = layer.output if isinstance(layer.output, (list, tuple)) else [layer.output]
    return list(zip((layer.name, f"{layer.name} mask"), found, strict=False))


def _given(t: Tensors, variable: Any) -> Any:
    """Give a variable's array; that of a Dense layer may be given as a 1x1 convolution's."""
    return tf.reshape(t[variable.path], variable.shape)


def build(shape: tuple[int, ...], model: str, **options: Any) -> Any:
    """Make the model that ``module.function`` of ``parity.references`` makes for a shape."""
    module, _, name = model.partition(".")
    function = getattr(importlib.import_module(f"parity.references.{module}"), name)
    return function(shape, **options)
