"""Kernels as Keras 2 and 3 keep them, (height, width, in, out), from the orders of Keras 1.

Keras 1 kept Theano's kernels as (out, in, height, width), and Theano convolves truly: its kernels
are those of TensorFlow's correlation rotated by 180 degrees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lit_restore.interop._limits import KerasFileError

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Order = Literal["hwio", "oihw"]
ORDERS = ("hwio", "oihw")
_KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")
_TRANSPOSED = ("Deconvolution2D", "Conv2DTranspose")


@dataclass(frozen=True)
class KernelOrder:
    """How a file keeps the kernels of its convolutions.

    Attributes:
        order: ``"hwio"``, as Keras 2 and 3 do, or ``"oihw"``.
        rotated: Whether they are a true convolution's, as Theano's are.
        keras1: Whether Keras 1 wrote them.
    """

    order: Order
    rotated: bool
    keras1: bool

    def apply(self, leaf: str, array: Array, class_name: str | None) -> Array:
        """Turn one array of a layer to the order of Keras 2 and 3; others than kernels stay."""
        if leaf not in _KERNELS or array.ndim != 4:
            return array
        if self.order == "oihw":
            array = array.transpose(2, 3, 1, 0)
        if self.keras1 and class_name in _TRANSPOSED:
            array = array.transpose(0, 1, 3, 2)
        if self.rotated and leaf == "kernel":
            array = array[::-1, ::-1]
        return array.copy(order="C")


def find_order(
    layers: Iterable[Mapping[str, Array]], *, keras1: bool, backend: str | None, told: str | None
) -> KernelOrder:
    """Find out how a file keeps its kernels.

    Args:
        layers: The arrays of each layer by leaf name.
        keras1: Whether Keras 1 wrote the file. Keras 2 and 3 keep one order always.
        backend: What Keras ran on, if the file says so.
        told: The order that the caller or the model's configuration names, if any.

    Raises:
        KerasFileError: If neither ``told`` nor the shapes settle it, or they disagree.
    """
    layers = list(layers)
    convolutions = [layer for layer in layers if _is_convolution(layer)]
    found = {order for layer in convolutions for order in _evidence(layer)} if keras1 else set()
    if len(found) > 1 or (told and found and told not in found):
        raise KerasFileError(
            f"the kernels' order must be one, got shapes of {' and '.join(sorted(found))}"
            + (f" where {told} was expected" if told else "")
        )
    settled = told or next(iter(found), None)
    if settled is None and keras1 and convolutions:
        raise KerasFileError(
            "the kernels' shapes do not tell their order; "
            'say order="hwio" (TensorFlow) or order="oihw" (Theano)'
        )
    order: Order = "oihw" if settled == "oihw" else "hwio"
    rotated = backend == "theano" or (backend is None and order == "oihw")
    return KernelOrder(order, rotated, keras1)


def _is_convolution(layer: Mapping[str, Array]) -> bool:
    return any(name in layer and layer[name].ndim == 4 for name in _KERNELS)


def _evidence(layer: Mapping[str, Array]) -> set[Order]:
    """Tell the order by the axis that is as long as the bias, if just one of them is."""
    kernel = layer.get("pointwise_kernel", layer.get("kernel"))
    if kernel is None or kernel.ndim != 4 or "bias" not in layer:
        return set()
    out = layer["bias"].size
    first, last = kernel.shape[0] == out, kernel.shape[-1] == out
    if first == last:
        return set()
    return {"oihw"} if first else {"hwio"}
