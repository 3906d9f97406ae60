"""Partial convolutions and their networks; each channel has a mask of its own."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from parity.references._common import Tensors
from parity.references.models import Shape
from parity.references.regions import RegionNorm


class PartialConv(layers.Layer):  # type: ignore[misc]
    """The study notes' layer, and the paper's, for any number of (maps, mask) pairs.

    Args:
        filters: Channels of the output.
        size: Height and width of the kernel.
        stride: As of Conv2D.
        dilation: As of Conv2D.
        formula: ``"count"`` is the notes', ``"coverage"`` the paper's.
        bias: Whether there is one.
        epsilon: What the notes add to the count.
        **options: Of every layer.
    """

    def __init__(
        self,
        filters: int,
        size: int = 3,
        stride: int = 1,
        dilation: int = 1,
        formula: str = "count",
        bias: bool = False,
        epsilon: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.filters, self.size, self.formula, self.epsilon = filters, size, formula, epsilon
        self.window = {"strides": stride, "dilations": dilation, "padding": "SAME"}
        self.has_bias = bias

    def build(self, shapes: Any) -> None:
        """Make the variables."""
        channels = sum(shape[-1] for shape in shapes[::2])
        shape = (self.size, self.size, channels, self.filters)
        self.kernel = self.add_weight(name="kernel", shape=shape)
        self.bias = self.add_weight(name="bias", shape=(self.filters,)) if self.has_bias else None

    def call(self, pairs: Any) -> Any:
        """Convolve [maps, mask, maps, mask ...]; gives features and their mask."""
        masks = [tf.ones_like(x) * m for x, m in zip(pairs[::2], pairs[1::2], strict=True)]
        mask = tf.concat(masks, axis=-1)
        sums = self._convolve(
            tf.concat(pairs[::2], axis=-1) * mask, tf.convert_to_tensor(self.kernel)
        )
        channels = mask.shape[-1]
        ones = tf.ones((self.size, self.size, channels, 1), mask.dtype)
        count = self._convolve(mask, ones) / channels
        factor = self.size**2 if self.formula == "coverage" else 1
        if self.epsilon:
            output = sums * factor / (count + self.epsilon)
        else:
            output = tf.math.divide_no_nan(sums * factor, count)
        if self.bias is not None:
            output += self.bias
        return output, self._grown(tf.reduce_max(mask, axis=-1, keepdims=True))

    def _convolve(self, x: Any, kernel: Any) -> Any:
        return tf.nn.convolution(x, kernel, **self.window)

    def _grown(self, mask: Any) -> Any:
        stride, dilation = self.window["strides"], self.window["dilations"]
        if dilation == 1:
            return tf.nn.max_pool2d(mask, self.size, stride, "SAME")
        flat = tf.zeros((self.size, self.size, 1), mask.dtype)
        rates = [1, dilation, dilation, 1]
        return tf.nn.dilation2d(mask, flat, [1, 1, 1, 1], "SAME", "NHWC", rates)


def partial_conv(t: Tensors, **options: Any) -> Tensors:
    """PartialConv on one pair, or on ``image``, ``mask``, ``second`` and ``second_mask``."""
    names = [name for name in ("image", "mask", "second", "second_mask") if name in t]
    return _run(t, [t[name] for name in names], options)


def partial_up_conv(t: Tensors, scale: int, **options: Any) -> Tensors:
    """UpSampling2D of ``low`` and its mask; PartialConv of them and of ``skip`` and its."""
    enlarge = layers.UpSampling2D(scale)
    pairs = [enlarge(t["low"]), enlarge(t["low_mask"])]
    return _run(t, [*pairs, t["skip"], t["mask"]], options)


def _run(t: Tensors, pairs: Sequence[Any], options: dict[str, Any]) -> Tensors:
    size, _, _, filters = t["kernel"].shape
    layer = PartialConv(filters, size, bias="bias" in t, **options)
    layer.build([one.shape for one in pairs])
    weights = [t["kernel"], t["bias"]] if "bias" in t else [t["kernel"]]
    (output, mask), _ = layer.stateless_call(weights, [], list(pairs))
    return {"output": output, "after mask": mask}


def partial_conv_net(shape: Shape, widths: Sequence[int], norm: str) -> keras.Model:
    """The notes' seven layers."""
    image, mask = keras.Input(shape), keras.Input((*shape[:2], 1))
    x, m = image, mask
    for index, (width, stride) in enumerate(zip(widths, (2, 2, 2, 1, -2, -2, -2), strict=True)):
        if stride < 0:
            x, m = layers.UpSampling2D(-stride)(x), layers.UpSampling2D(-stride)(m)
        x, m = PartialConv(width, stride=max(stride, 1), name=f"convs.{index}")([x, m])
        if index < len(widths) - 1:
            x = layers.ReLU()(_norm(x, m, norm, f"norms.{index}"))
    return keras.Model([image, mask], layers.Activation("sigmoid")(x))


def partial_conv_unet(
    shape: Shape, widths: Sequence[int], kernel_sizes: Sequence[int], norm: str, formula: str
) -> keras.Model:
    """The paper's U-Net, with as many stages as widths."""

    def conv(pairs: Any, name: str, width: int, bare: bool, **options: Any) -> Any:
        bias = norm == "none" or bare
        layer = PartialConv(width, formula=formula, bias=bias, name=f"{name}.conv", **options)
        x, m = layer(pairs)
        return x if bare else _norm(x, m, norm, f"{name}.norm"), m

    image, mask = keras.Input(shape), keras.Input((*shape[:2], 1))
    pair, skips = (image, mask), []
    for level, width in enumerate(widths):
        skips.append(pair)
        size = kernel_sizes[min(level, len(kernel_sizes) - 1)]
        x, m = conv(list(pair), f"encoder.{level}", width, level == 0, size=size, stride=2)
        pair = layers.ReLU()(x), m
    for level, width in enumerate([*widths[-2::-1], shape[-1]]):
        enlarged = [layers.UpSampling2D(2)(one) for one in pair]
        last = level == len(widths) - 1
        x, m = conv([*enlarged, *skips.pop()], f"decoder.{level}", width, last)
        pair = x if last else layers.LeakyReLU(negative_slope=0.2)(x), m
    return keras.Model([image, mask], pair[0])


def _norm(x: Any, mask: Any, norm: str, name: str) -> Any:
    if norm == "batch":
        return layers.BatchNormalization(name=name)(x)
    return RegionNorm(name=name)([x, mask]) if norm == "region" else x
