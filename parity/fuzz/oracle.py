"""Layers in plain NumPy, float64, (N, C, H, W): what the fuzzed layers are compared with.

Written from the definitions, tap by tap, without a thought for speed. A function returns its
result and ``back``, which maps the gradient of the result to those of its array arguments, in
their order; these are written down by hand, too, as the adjoint of what was computed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from parity.arrays import Array

Back = Callable[[Array], tuple[Array, ...]]
Places = tuple[tuple[Array, Array], tuple[Array, Array]]


@dataclass(frozen=True)
class Axis:
    """What a sliding window reads along one axis.

    Attributes:
        size: Length of what it reads, in pixels.
        kernel: Taps of the window.
        stride: Step of the window, in pixels.
        dilation: Distance of its taps, in pixels.
        same: Whether it is padded to ``ceil(size / stride)`` results; else it stays inside.

    Source:
        TensorFlow, ``tf.nn``, "Notes on padding": the form with the remainder of the size.
    """

    size: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    same: bool = True

    @property
    def reach(self) -> int:
        """Pixels from the first tap to the last."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def length(self) -> int:
        """Number of results."""
        read = self.size if self.same else self.size - self.reach + 1
        return -(-read // self.stride)

    @property
    def before(self) -> int:
        """Pixels of padding before the first pixel."""
        rest = self.size % self.stride or self.stride
        return max(self.reach - rest, 0) // 2 if self.same else 0

    def reads(self, tap: int) -> tuple[Array, Array]:
        """Tell which results read which pixels by a tap; reads of the padding are left out."""
        results = np.arange(self.length)
        pixels = results * self.stride + tap * self.dilation - self.before
        inside = (pixels >= 0) & (pixels < self.size)
        return results[inside], pixels[inside]

    def window(self, result: int) -> Array:
        """Tell which pixels, of those that exist, a result reads."""
        pixels = result * self.stride + np.arange(self.kernel) * self.dilation - self.before
        return pixels[(pixels >= 0) & (pixels < self.size)]


def _taps(rows: Axis, columns: Axis) -> Iterator[tuple[int, int, Places]]:
    """Yield each tap, and the places of the results and of the pixels that it joins."""
    for i, j in product(range(rows.kernel), range(columns.kernel)):
        (result_y, pixel_y), (result_x, pixel_x) = rows.reads(i), columns.reads(j)
        yield i, j, ((result_y[:, None], result_x), (pixel_y[:, None], pixel_x))


def conv(image: Array, weight: Array, bias: Array, rows: Axis, columns: Axis) -> tuple[Array, Back]:
    """Convolve; the weight is (out, in, k, k)."""
    shape = (len(image), len(weight), rows.length, columns.length)
    output = np.zeros(shape) + bias[:, None, None]
    for i, j, ((y, x), (v, u)) in _taps(rows, columns):
        output[:, :, y, x] += np.einsum("oc,nchw->nohw", weight[:, :, i, j], image[:, :, v, u])

    def back(g: Array) -> tuple[Array, ...]:
        d_image, d_weight = np.zeros(image.shape), np.zeros(weight.shape)
        for i, j, ((y, x), (v, u)) in _taps(rows, columns):
            part, read = g[:, :, y, x], image[:, :, v, u]
            d_image[:, :, v, u] += np.einsum("oc,nohw->nchw", weight[:, :, i, j], part)
            d_weight[:, :, i, j] = np.einsum("nohw,nchw->oc", part, read)
        return d_image, d_weight, g.sum(axis=(0, 2, 3))

    return output, back


def conv_transpose(
    image: Array, weight: Array, bias: Array, rows: Axis, columns: Axis
) -> tuple[Array, Back]:
    """Convolve transposed: the adjoint of the convolution that the axes describe.

    Args:
        image: Of as many pixels as that convolution has results.
        weight: Shape (in, out, k, k).
        bias: Shape (out,).
        rows: The axis of that convolution: its ``size`` is the height of the output.
        columns: The same for the width.
    """
    output = np.zeros((len(image), weight.shape[1], rows.size, columns.size))
    output += bias[:, None, None]
    for i, j, ((y, x), (v, u)) in _taps(rows, columns):
        output[:, :, v, u] += np.einsum("co,nchw->nohw", weight[:, :, i, j], image[:, :, y, x])

    def back(g: Array) -> tuple[Array, ...]:
        d_image, d_weight = np.zeros(image.shape), np.zeros(weight.shape)
        for i, j, ((y, x), (v, u)) in _taps(rows, columns):
            part, read = g[:, :, v, u], image[:, :, y, x]
            d_image[:, :, y, x] += np.einsum("co,nohw->nchw", weight[:, :, i, j], part)
            d_weight[:, :, i, j] = np.einsum("nchw,nohw->co", read, part)
        return d_image, d_weight, g.sum(axis=(0, 2, 3))

    return output, back


def _windows(rows: Axis, columns: Axis) -> Iterator[tuple[int, int, Array, Array]]:
    for y, x in product(range(rows.length), range(columns.length)):
        yield y, x, rows.window(y)[:, None], columns.window(x)


def max_pool(image: Array, rows: Axis, columns: Axis) -> tuple[Array, Back]:
    """Take the largest pixel of each window; of equal ones the first has the gradient."""
    output = np.zeros((*image.shape[:2], rows.length, columns.length))
    for y, x, v, u in _windows(rows, columns):
        output[:, :, y, x] = image[:, :, v, u].max(axis=(2, 3))

    def back(g: Array) -> tuple[Array, ...]:
        d_image = np.zeros(image.shape)
        for y, x, v, u in _windows(rows, columns):
            window = image[:, :, v, u].reshape(*image.shape[:2], -1)
            is_first = np.arange(window.shape[2]) == window.argmax(axis=2)[:, :, None]
            share = (is_first * g[:, :, y, x, None]).reshape(*image.shape[:2], len(v), len(u))
            d_image[:, :, v, u] += share
        return (d_image,)

    return output, back


def average_pool(image: Array, rows: Axis, columns: Axis) -> tuple[Array, Back]:
    """Take the mean of each window's pixels, without the padding."""
    output = np.zeros((*image.shape[:2], rows.length, columns.length))
    for y, x, v, u in _windows(rows, columns):
        output[:, :, y, x] = image[:, :, v, u].mean(axis=(2, 3))

    def back(g: Array) -> tuple[Array, ...]:
        d_image = np.zeros(image.shape)
        for y, x, v, u in _windows(rows, columns):
            d_image[:, :, v, u] += g[:, :, y, x, None, None] / (len(v) * len(u))
        return (d_image,)

    return output, back
