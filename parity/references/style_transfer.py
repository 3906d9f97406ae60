"""The study notes' style transfer: its loss, and SciPy's L-BFGS-B on it."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from keras.applications.imagenet_utils import preprocess_input
from scipy.optimize import fmin_l_bfgs_b  # type: ignore[import-untyped]

from parity.references import vgg
from parity.references._common import Tensors

_POOLS = (layers.MaxPooling2D, layers.AveragePooling2D)


def loss(t: Tensors, **settings: Any) -> Tensors:
    """The three terms of a picture in unit range, and their sum."""
    prepared = {name: _prepared(t[name]) for name in ("content", "style", "image")}
    terms = _terms(t, prepared, **settings)
    total = terms["content"] + terms["style"] + terms["total_variation"]
    return {"output": tf.reshape(total, [1])} | {
        f"{name} term": tf.reshape(term, [1]) for name, term in terms.items()
    }


def descend(t: Tensors, maxfun: int, shown: int, **settings: Any) -> Tensors:
    """SciPy's L-BFGS-B from the content, in the range that VGG reads, as the notes call it.

    Args:
        t: ``content`` and ``style``, in unit range, and the weights of VGG.
        maxfun: Evaluations after which it ends.
        shown: How many evaluations' losses are given.
        **settings: Of ``_terms``.

    Returns:
        ``output``, the losses; ``after image``, and how many evaluations it took.
    """
    content, style = _prepared(t["content"]), _prepared(t["style"])
    losses: list[float] = []

    def evaluate(x: Any) -> tuple[float, Any]:
        image = tf.constant(x.reshape(content.shape), dtype=content.dtype)
        with tf.GradientTape() as tape:
            tape.watch(image)
            found = _terms(t, {"content": content, "style": style, "image": image}, **settings)
            total = found["content"] + found["style"] + found["total_variation"]
        losses.append(float(total))
        return losses[-1], np.asarray(tape.gradient(total, image), np.float64).ravel()

    start = np.asarray(content, np.float64).ravel()
    x, _, told = fmin_l_bfgs_b(evaluate, start, maxfun=maxfun)
    return {
        "output": tf.constant(losses[:shown], content.dtype),
        "after image": tf.constant(x.reshape(content.shape), content.dtype),
        "evaluations": tf.constant([float(told["funcalls"])], content.dtype),
    }


def _prepared(image: Any) -> Any:
    return preprocess_input(image * 255, mode="caffe")


def _terms(
    t: Tensors,
    images: Mapping[str, Any],
    weights: Sequence[float],
    content_layer: str,
    style_layers: Sequence[str],
    **network: Any,
) -> dict[str, Any]:
    """The notes' terms, of pictures that are prepared; all three go through VGG as one batch."""
    content_weight, style_weight, variation_weight = weights
    batch = ops.concatenate([images["content"], images["style"], images["image"]], axis=0)
    maps = _maps(t, batch, [content_layer, *style_layers], **network)
    size = batch.shape[1] * batch.shape[2]
    content = ops.sum(ops.square(maps[content_layer][2] - maps[content_layer][0]))
    style: Any = 0.0
    for name in style_layers:
        difference = _gram(maps[name][1]) - _gram(maps[name][2])
        distance = ops.sum(ops.square(difference)) / (4.0 * 3**2 * size**2)
        style = style + (style_weight / len(style_layers)) * distance
    return {
        "content": content_weight * content,
        "style": style,
        "total_variation": variation_weight * _variation(images["image"]),
    }


def _gram(x: Any) -> Any:
    features = ops.reshape(ops.transpose(x, (2, 0, 1)), (x.shape[-1], -1))
    return ops.dot(features, ops.transpose(features))


def _variation(x: Any) -> Any:
    rows, columns = x.shape[1], x.shape[2]
    corner = x[:, : rows - 1, : columns - 1, :]
    a = ops.square(corner - x[:, 1:, : columns - 1, :])
    b = ops.square(corner - x[:, : rows - 1, 1:, :])
    return ops.sum(ops.power(a + b, 1.25))


def _maps(t: Tensors, batch: Any, wanted: Sequence[str], **options: Any) -> dict[str, Any]:
    """What VGG makes of a prepared batch at named layers."""
    network = vgg.features(tuple(batch.shape[1:]), inputs="raw", **options)
    outputs, block, index = {}, 1, 0
    for layer in network.layers:
        if isinstance(layer, _POOLS):
            block, index = block + 1, 0
        if isinstance(layer, layers.ReLU):
            index += 1
            outputs[f"block{block}_conv{index}"] = layer.output
    tap = keras.Model(network.inputs, [outputs[name] for name in wanted])
    weights = [t[variable.path] for variable in tap.trainable_variables]
    values, _ = tap.stateless_call(weights, [], batch)
    return dict(zip(wanted, values, strict=True))
