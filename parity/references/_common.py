"""How a Keras layer or model is run with weights that gradients are taken of."""

from collections.abc import Sequence
from typing import Any

Tensors = dict[str, Any]


def run(
    layer: Any,
    image: Any,
    weights: Sequence[Any],
    states: Sequence[Any] = (),
    **options: bool,
) -> tuple[Any, list[Any]]:
    """Build a layer or model, and run it with the given weights in place of its own.

    Args:
        layer: A layer or model of Keras; not built, or built for this shape.
        image: Its input.
        weights: A tensor for each of its trainable variables, in its order.
        states: A tensor for each of its other variables, in its order.
        **options: Of its call, as ``training=True``.

    Returns:
        Its output, and its other variables afterwards.

    Raises:
        ValueError: If the shapes of the variables are others.
    """
    if not layer.built:
        layer.build(image.shape)
    expected = [tuple(v.shape) for v in layer.trainable_variables + layer.non_trainable_variables]
    given = [tuple(tensor.shape) for tensor in [*weights, *states]]
    if expected != given:
        raise ValueError(f"expected variables of shapes {expected}, got {given}")
    output, after = layer.stateless_call(list(weights), list(states), image, **options)
    return output, list(after)
