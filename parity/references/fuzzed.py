"""The layers that ``parity.fuzz`` compares with Keras: one function per kind.

Arrays have PyTorch's names and Keras's layout; settings are the arguments of our layer and
``training``. Of an array that isn't given, as a bias may not be, the layer has none.
"""

from typing import Any

import keras
import tensorflow as tf

from parity.references._common import Tensors, run

_LAYERS = keras.layers


def conv(t: Tensors, padding: str = "same", **a: Any) -> Tensors:
    """Conv2D."""
    layer = _LAYERS.Conv2D(
        a["out_channels"],
        a["kernel_size"],
        strides=a.get("stride", 1),
        dilation_rate=a.get("dilation", 1),
        padding=padding,
        use_bias="bias" in t,
    )
    return {"output": run(layer, t["image"], _weights(t, "weight", "bias"))[0]}


def _weights(t: Tensors, *names: str) -> list[Any]:
    return [t[name] for name in names if name in t]


def conv_valid(t: Tensors, **a: Any) -> Tensors:
    """Conv2D without padding."""
    return conv(t, "valid", **a)


def conv_transpose(t: Tensors, padding: str = "same", **a: Any) -> Tensors:
    """Conv2DTranspose."""
    layer = _LAYERS.Conv2DTranspose(
        a["out_channels"],
        a["kernel_size"],
        strides=a["stride"],
        padding=padding,
        use_bias="bias" in t,
    )
    return {"output": run(layer, t["image"], _weights(t, "weight", "bias"))[0]}


def conv_transpose_valid(t: Tensors, **a: Any) -> Tensors:
    """Conv2DTranspose that keeps the border."""
    return conv_transpose(t, "valid", **a)


def max_pool(t: Tensors, kernel_size: int, stride: int, **_: Any) -> Tensors:
    """MaxPooling2D."""
    return {"output": _LAYERS.MaxPooling2D(kernel_size, stride, padding="same")(t["image"])}


def average_pool(t: Tensors, kernel_size: int, stride: int, **_: Any) -> Tensors:
    """AveragePooling2D."""
    return {"output": _LAYERS.AveragePooling2D(kernel_size, stride, padding="same")(t["image"])}


def depth_to_space(t: Tensors, scale: int, order: str, **_: Any) -> Tensors:
    """TensorFlow's own; for PyTorch's order of channels, after putting them in TensorFlow's."""
    return {"output": _shuffled(t["image"], scale, order)}


def _shuffled(image: Any, scale: int, order: str) -> Any:
    if order == "torch":
        *sides, channels = image.shape
        groups = tf.reshape(image, [*sides, channels // scale**2, scale**2])
        image = tf.reshape(tf.transpose(groups, [0, 1, 2, 4, 3]), image.shape)
    return tf.nn.depth_to_space(image, scale) if scale > 1 else image


def pixel_shuffle(t: Tensors, scale: int, order: str, kernel_size: int, **_: Any) -> Tensors:
    """Conv2D with ReLU, then depth to space."""
    filters = t["conv.weight"].shape[-1]
    layer = _LAYERS.Conv2D(filters, kernel_size, padding="same", activation="relu")
    features = run(layer, t["image"], _weights(t, "conv.weight", "conv.bias"))
    return {"output": _shuffled(features[0], scale, order)}


def upsample_concat(t: Tensors, scale: int, kernel_size: int, **a: Any) -> Tensors:
    """UpSampling2D, Concatenate, Conv2D."""
    joined = _LAYERS.Concatenate()([_LAYERS.UpSampling2D(scale)(t["low"]), t["skip"]])
    layer = _LAYERS.Conv2D(a["out_channels"], kernel_size, padding="same")
    return {"output": run(layer, joined, _weights(t, "weight", "bias"))[0]}


def batch_norm(t: Tensors, bessel: bool, training: bool, **a: Any) -> Tensors:
    """BatchNormalization; its running variance is not the one with Bessel's correction."""
    layer = _LAYERS.BatchNormalization(momentum=1 - a["momentum"], epsilon=a["eps"])
    states = _weights(t, "running_mean", "running_var")
    output, after = run(layer, t["image"], _weights(t, "weight", "bias"), states, training=training)
    kept = {"after running_mean": after[0]} | ({} if bessel else {"after running_var": after[1]})
    return {"output": output, **(kept if training else {})}


def layer_norm(t: Tensors, eps: float, affine: bool, **_: Any) -> Tensors:
    """LayerNormalization over the channels."""
    layer = _LAYERS.LayerNormalization(axis=-1, epsilon=eps, center=affine, scale=affine)
    return {"output": run(layer, t["image"], _weights(t, "weight", "bias"))[0]}


def instance_norm(t: Tensors, eps: float, **_: Any) -> Tensors:
    """keras_contrib's formula, which no layer of Keras 3 has."""
    mean, variance = tf.nn.moments(t["image"], [1, 2], keepdims=True)
    normal = (t["image"] - mean) / (tf.sqrt(variance) + eps)
    return {"output": normal * t.get("weight", 1.0) + t.get("bias", 0.0)}


def conv_norm_act(t: Tensors, order: str, training: bool, **a: Any) -> Tensors:
    """Conv2D, then BatchNormalization with PyTorch's constants, ReLU in either order."""
    kernel = t["conv.weight"]
    conv = _LAYERS.Conv2D(
        kernel.shape[-1],
        kernel.shape[0],
        strides=a["stride"],
        dilation_rate=a["dilation"],
        padding="same",
        use_bias="conv.bias" in t,
    )
    norm = _LAYERS.BatchNormalization(momentum=0.9, epsilon=1e-5)
    act = _LAYERS.ReLU()
    block = keras.Sequential([conv, norm, act] if order == "cna" else [conv, act, norm])
    weights = _weights(t, "conv.weight", "conv.bias", "norm.weight", "norm.bias")
    states = _weights(t, "norm.running_mean", "norm.running_var")
    output, after = run(block, t["image"], weights, states, training=training)
    return {"output": output, **({"after norm.running_mean": after[0]} if training else {})}


def squeeze_excite(t: Tensors, **_: Any) -> Tensors:
    """The means of the channels, two 1x1 Conv2D with ReLU and sigmoid, the product."""
    image = t["image"]
    x = _LAYERS.GlobalAveragePooling2D(keepdims=True)(image)
    for name, activation in (("fc1", "relu"), ("fc2", "sigmoid")):
        weights = _weights(t, f"{name}.weight", f"{name}.bias")
        layer = _LAYERS.Conv2D(weights[0].shape[-1], 1, activation=activation)
        x = run(layer, x, weights)[0]
    return {"output": _LAYERS.Multiply()([image, x])}
