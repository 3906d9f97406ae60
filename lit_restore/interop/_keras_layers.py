"""Keras's layers, from their configurations to a graph's layers with their arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lit_restore.interop._keras_activations import activation_steps
from lit_restore.interop._keras_layer import Layer, Shapes
from lit_restore.interop._keras_nodes import Step
from lit_restore.interop._keras_weighted import WEIGHTED


def known_layers() -> list[str]:
    """Name the Keras layers that can be carried across."""
    return sorted([*_LAYERS, "InputLayer"])


def layer_steps(
    class_name: str, config: Mapping[str, Any], shapes: Shapes, keras2: bool
) -> list[Step]:
    """Turn a Keras layer to one layer of a graph, or to a layer and its activation.

    Args:
        class_name: Its class, in the words of Keras 2 or 3.
        config: Its arguments.
        shapes: The shapes of its arrays, laid out as Keras does, by leaf name.
        keras2: Whether the model is of Keras 1 or 2, whose hard_sigmoid is another.

    Returns:
        The layers' names and arguments, in order.

    Raises:
        GraphError: If the layer is used in a way that is not understood.
    """
    layer = Layer(config, shapes, keras2)
    kind, arguments = _LAYERS[class_name](layer)
    steps = [(kind, arguments)]
    if class_name in _ACTIVATED:
        steps += activation_steps(config.get("activation"), keras2)
    return steps


def is_known(class_name: str) -> bool:
    """Whether a Keras layer can be carried across."""
    return class_name in _LAYERS


def _activation(layer: Layer) -> Step:
    steps = activation_steps(layer.get("activation"), layer.keras2)
    return steps[0] if steps else ("Identity", {})


def _leaky_relu(layer: Layer) -> Step:
    return "LeakyReLU", {"slope": layer.get("negative_slope", layer.get("alpha", 0.3))}


def _relu(layer: Layer) -> Step:
    return "ReLU", {
        "max_value": layer.get("max_value"),
        "slope": layer.get("negative_slope", 0.0),
        "threshold": layer.get("threshold", 0.0),
    }


def _softmax(layer: Layer) -> Step:
    axis = layer.get("axis", -1)
    return "Softmax", {"axis": axis[0] if isinstance(axis, list) and len(axis) == 1 else axis}


def _pooling(kind: str) -> Callable[[Layer], Step]:
    def step(layer: Layer) -> Step:
        size = layer.pair("pool_size", (2, 2))
        strides = layer.pair("strides", size)
        padding = layer.get("padding", "valid")
        return kind, {"pool_size": size, "strides": strides, "padding": padding}

    return step


def _border(kind: str, key: str) -> Callable[[Layer], Step]:
    def step(layer: Layer) -> Step:
        value = layer.get(key)
        sides = value if isinstance(value, (list, tuple)) else [value, value]
        return kind, {
            "border": [list(s) if isinstance(s, (list, tuple)) else [s, s] for s in sides]
        }

    return step


def _upsampling(layer: Layer) -> Step:
    interpolation = layer.get("interpolation", "nearest")
    return "UpSampling2D", {"size": layer.pair("size", (2, 2)), "interpolation": interpolation}


def _resizing(layer: Layer) -> Step:
    for key in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"):
        layer.refuse(key, False)
    return "Resizing", {
        "height": layer.get("height"),
        "width": layer.get("width"),
        "interpolation": layer.get("interpolation", "bilinear"),
    }


def _plain(kind: str, **keys: tuple[str, Any]) -> Callable[[Layer], Step]:
    """Take arguments as they are: ours by name, Keras's name and its default."""

    def step(layer: Layer) -> Step:
        return kind, {ours: layer.get(key, default) for ours, (key, default) in keys.items()}

    return step


_ACTIVATED = ("Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D", "Dense")
_LAYERS: dict[str, Callable[[Layer], Step]] = {
    **WEIGHTED,
    "Activation": _activation,
    "LeakyReLU": _leaky_relu,
    "ReLU": _relu,
    "Softmax": _softmax,
    "ELU": _plain("ELU", alpha=("alpha", 1.0)),
    "Dropout": _plain("Dropout", rate=("rate", 0.5)),
    "SpatialDropout2D": _plain("SpatialDropout2D", rate=("rate", 0.5)),
    "GaussianNoise": _plain("GaussianNoise", deviation=("stddev", 1.0)),
    "GaussianDropout": _plain("GaussianDropout", rate=("rate", 0.5)),
    "ActivityRegularization": _plain("Identity"),
    "Identity": _plain("Identity"),
    "Concatenate": _plain("Concatenate", axis=("axis", -1)),
    "MaxPooling2D": _pooling("MaxPooling2D"),
    "AveragePooling2D": _pooling("AveragePooling2D"),
    "GlobalMaxPooling2D": _plain("GlobalMaxPooling2D", keepdims=("keepdims", False)),
    "GlobalAveragePooling2D": _plain("GlobalAveragePooling2D", keepdims=("keepdims", False)),
    "UpSampling2D": _upsampling,
    "Resizing": _resizing,
    "ZeroPadding2D": _border("ZeroPadding2D", "padding"),
    "Cropping2D": _border("Cropping2D", "cropping"),
    "Flatten": _plain("Flatten"),
    "Reshape": _plain("Reshape", shape=("target_shape", None)),
    "Permute": _plain("Permute", order=("dims", None)),
    "Rescaling": _plain("Rescaling", scale=("scale", 1.0), offset=("offset", 0.0)),
    **{
        name: _plain(name)
        for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
    },
}
