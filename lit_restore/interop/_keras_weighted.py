"""Keras's layers with arrays, from their configurations and shapes to a graph's layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lit_restore.interop._graph_common import GraphError, torch_dim
from lit_restore.interop._keras_layer import Layer
from lit_restore.interop._keras_nodes import Step


def _window(layer: Layer) -> dict[str, Any]:
    return {"strides": layer.pair("strides"), "padding": layer.get("padding", "valid")}


def _convolution_window(layer: Layer) -> dict[str, Any]:
    bias = layer.get("use_bias", True)
    return {**_window(layer), "dilation": layer.pair("dilation_rate"), "bias": bias}


def _conv(layer: Layer) -> Step:
    height, width, lanes, channels = layer.kernel("kernel")
    layer.agree("filters", channels)
    layer.agree("kernel_size", [height, width])
    groups = layer.get("groups", 1)
    return "Conv2D", {
        "in_channels": lanes * groups,
        "out_channels": channels,
        "kernel_size": [height, width],
        "groups": groups,
        **_convolution_window(layer),
    }


def _conv_transpose(layer: Layer) -> Step:
    height, width, out_channels, in_channels = layer.kernel("kernel")
    layer.agree("filters", out_channels)
    layer.agree("kernel_size", [height, width])
    extra = layer.get("output_padding")
    return "Conv2DTranspose", {
        "in_channels": in_channels,
        "out_channels": out_channels,
        "kernel_size": [height, width],
        "extra": None if extra is None else layer.pair("output_padding"),
        **_convolution_window(layer),
    }


def _depthwise(layer: Layer) -> Step:
    height, width, channels, multiplier = layer.kernel("depthwise_kernel", "kernel")
    layer.agree("depth_multiplier", multiplier)
    return "DepthwiseConv2D", {
        "in_channels": channels,
        "multiplier": multiplier,
        "kernel_size": [height, width],
        **_convolution_window(layer),
    }


def _separable(layer: Layer) -> Step:
    height, width, channels, multiplier = layer.kernel("depthwise_kernel")
    layer.agree("depth_multiplier", multiplier)
    layer.agree("filters", layer.kernel("pointwise_kernel")[-1])
    return "SeparableConv2D", {
        "in_channels": channels,
        "multiplier": multiplier,
        "out_channels": layer.kernel("pointwise_kernel")[-1],
        "kernel_size": [height, width],
        **_convolution_window(layer),
    }


def _dense(layer: Layer) -> Step:
    shape = layer.shape("kernel")
    layer.agree("units", shape[-1])
    bias = layer.get("use_bias", True)
    return "Dense", {"in_features": shape[0], "out_features": shape[-1], "bias": bias}


def _batch_norm(layer: Layer) -> Step:
    layer.refuse("renorm", False)
    layer.refuse("mode", 0, 2)
    return "BatchNormalization", {
        "features": layer.features(),
        "axis": _one_axis(layer.get("axis", -1)),
        "epsilon": layer.get("epsilon", 1e-3),
        "momentum": layer.get("momentum", 0.99),
        **layer.affine(),
    }


def _layer_norm(layer: Layer) -> Step:
    layer.refuse("rms_scaling", False)
    axis = layer.get("axis", -1)
    axes = list(axis) if isinstance(axis, (list, tuple)) else [axis]
    held = None
    if layer.features() is not None:
        shape = layer.shape("gamma", "beta")
        held = [shape[2], shape[0], shape[1]] if len(shape) == 3 else shape
        if len(shape) == 2 and sorted(torch_dim(axis, 4) for axis in axes) != [2, 3]:
            raise GraphError(f"axis={axis!r} is not understood; both of a map's sides are, or all")
    arguments = {"shape": held, "axes": axes, "epsilon": layer.get("epsilon", 1e-3)}
    return "LayerNormalization", {**arguments, **layer.affine()}


def _group_norm(layer: Layer) -> Step:
    _only_channels(layer.get("axis", -1))
    return "GroupNormalization", {
        "groups": layer.get("groups", 32),
        "channels": layer.features(),
        "epsilon": layer.get("epsilon", 1e-3),
        **layer.affine(),
    }


def _instance_norm(layer: Layer) -> Step:
    if "groups" in layer.config:  # tensorflow_addons: a GroupNormalization of its own name
        _, arguments = _group_norm(layer)
        return "GroupNormalization", {**arguments, "groups": -1}
    axis = layer.get("axis")
    if axis is not None:
        _only_channels(axis)
    elif layer.features() not in (None, 1):
        raise GraphError(f"axis=None has one scale, got {layer.features()}")
    return "InstanceNormalization", {
        "channels": layer.features(),
        "epsilon": layer.get("epsilon", 1e-3),
        "per": "item" if axis is None else "channel",
        **layer.affine(),
    }


def _one_axis(axis: Any) -> Any:
    return axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis


def _only_channels(axis: Any) -> None:
    if _one_axis(axis) not in (-1, 3):
        raise GraphError(f"expected the channels' axis, -1 or 3; got {axis!r}")


def _prelu(layer: Layer) -> Step:
    shape = layer.shape("alpha")
    if len(shape) == 3:
        shared = shape[0] == shape[1] == 1
        return "PReLU", {"shape": shape[2:] if shared else [shape[2], shape[0], shape[1]]}
    return "PReLU", {"shape": shape, "flat": len(shape) == 1}


def _normalization(layer: Layer) -> Step:
    axis = layer.get("axis") or -1  # none: one number for all
    common = {"invert": layer.get("invert", False), "axis": _one_axis(axis)}
    if "mean" in layer.shapes:
        return "Normalization", {"size": (layer.shape("mean") or [1])[-1], **common}
    arguments = {"mean": layer.get("mean"), "variance": layer.get("variance"), **common}
    if arguments["mean"] is None:
        raise GraphError("expected a mean and a variance, got neither")
    return "Normalization", arguments


WEIGHTED: dict[str, Callable[[Layer], Step]] = {
    "Conv2D": _conv,
    "Conv2DTranspose": _conv_transpose,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv2D": _separable,
    "Dense": _dense,
    "BatchNormalization": _batch_norm,
    "BatchNormalizationV1": _batch_norm,
    "SyncBatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "GroupNormalization": _group_norm,
    "InstanceNormalization": _instance_norm,
    "PReLU": _prelu,
    "Normalization": _normalization,
}
