"""Parameters of one layer, from Keras's names and layouts to PyTorch's and back, bit for bit.

| Keras | PyTorch |
| --- | --- |
| Conv2D ``kernel`` (h, w, in, out) | ``weight`` (out, in, h, w) |
| Conv2DTranspose ``kernel`` (h, w, out, in) | ``weight`` (in, out, h, w) |
| DepthwiseConv2D ``depthwise_kernel`` (h, w, in, multiplier) | ``weight`` (in * m, 1, h, w) |
| SeparableConv2D: both of the above | ``depthwise.weight``, ``pointwise.weight`` and ``.bias`` |
| Dense ``kernel`` (in, out) | ``weight`` (out, in) |
| ``gamma``, ``beta``, ``moving_mean``, ``moving_variance`` | ``weight``, ``bias``, ``running_*`` |
| PReLU ``alpha`` (1, 1, C) or (H, W, C) | ``weight`` (C) or (C, H, W) |
| Normalization ``mean``, ``variance``, ``count`` | the same names |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


class _Rule(NamedTuple):
    torch_name: str
    forward: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor, Sequence[int] | None], Tensor]


def to_torch(kind: str, arrays: Mapping[str, Array]) -> dict[str, Tensor]:
    """Turn the arrays of a Keras layer to the tensors of the matching PyTorch module.

    Args:
        kind: The layer's class name in Keras.
        arrays: By leaf name, laid out as Keras does; a layer may lack some (no bias, no gamma).

    Returns:
        Tensors by their names in ``torch.nn``, of the arrays' types and with memory of their own.

    Raises:
        ValueError: If the kind, or a name of its arrays, is unknown, or an array has not as many
            axes as its layout.
    """
    rules = _rules(kind)
    names = {_canonical(rules, name): name for name in arrays}
    _check(kind, set(names), set(rules), "Keras arrays")
    tensors = {}
    for canonical, name in names.items():
        rule, array = rules[canonical], arrays[name]
        try:
            tensors[rule.torch_name] = _own(rule.forward(_tensor(array)))
        except (RuntimeError, ValueError) as error:
            raise ValueError(
                f"{kind} {name}: cannot lay out an array of shape {array.shape}"
            ) from error
    return tensors


def to_keras(
    kind: str,
    tensors: Mapping[str, Tensor],
    shapes: Mapping[str, Sequence[int]] = MappingProxyType({}),
) -> dict[str, Array]:
    """Turn the tensors of a PyTorch module to the arrays of a Keras layer.

    Args:
        kind: The layer's class name in Keras.
        tensors: By their names in ``torch.nn``.
        shapes: The shapes that Keras wants, by Keras name. Needed only where tensors don't tell
            them: a depth multiplier above 1, and the slopes of a PReLU that aren't (1, 1, C).

    Returns:
        Arrays by leaf name, of the tensors' types, contiguous, with memory of their own.

    Raises:
        ValueError: If the kind or a name is unknown, or a tensor cannot have its wanted shape.
    """
    rules = _rules(kind)
    keras_names = {rule.torch_name: name for name, rule in rules.items()}
    _check(kind, set(tensors), set(keras_names), "tensors")
    arrays = {}
    for torch_name, tensor in tensors.items():
        name = keras_names[torch_name]
        shape = next((shapes[key] for key in _spellings(name) if key in shapes), None)
        value = _own(rules[name].backward(tensor.detach().cpu(), shape))
        if shape is not None and tuple(value.shape) != tuple(shape):
            raise ValueError(
                f"{kind} {name}: expected a tensor for shape {tuple(shape)}, "
                f"got {tuple(tensor.shape)}"
            )
        arrays[name] = value.numpy()
    return arrays


def layer_kinds() -> tuple[str, ...]:
    """Name the Keras layers whose parameters can be carried across."""
    return tuple(_RULES)


def _same(name: str) -> _Rule:
    return _Rule(name, lambda value: value, lambda value, _: value)


def _convolution(prefix: str = "") -> _Rule:
    return _Rule(
        f"{prefix}weight",
        lambda value: value.permute(3, 2, 0, 1),
        lambda value, _: value.permute(2, 3, 1, 0),
    )


def _depthwise(prefix: str = "") -> _Rule:
    return _Rule(f"{prefix}weight", _depthwise_to_torch, _depthwise_to_keras)


def _depthwise_to_torch(value: Tensor) -> Tensor:
    height, width, channels, multiplier = value.shape
    return value.permute(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)


def _depthwise_to_keras(value: Tensor, shape: Sequence[int] | None) -> Tensor:
    multiplier = 1 if shape is None else shape[-1]
    if value.ndim != 4 or multiplier < 1 or value.shape[0] % multiplier:
        return value
    lanes = value.reshape(value.shape[0] // multiplier, multiplier, *value.shape[-2:])
    return lanes.permute(2, 3, 0, 1)


def _channels_first(value: Tensor) -> Tensor:
    return value.permute(2, 0, 1) if value.ndim == 3 else value


def _channels_last(value: Tensor, _: Sequence[int] | None = None) -> Tensor:
    return value.permute(1, 2, 0) if value.ndim == 3 else value


def _slopes_to_torch(value: Tensor) -> Tensor:
    shared = value.ndim == 3 and value.shape[0] == value.shape[1] == 1
    return value.reshape(-1) if shared else _channels_first(value)


def _slopes_to_keras(value: Tensor, shape: Sequence[int] | None) -> Tensor:
    if value.ndim != 1:
        return _channels_last(value)
    return value.reshape(1, 1, -1) if shape is None or len(shape) == 3 else value


_TRANSPOSED = _Rule("weight", lambda value: value.T, lambda value, _: value.T)
_SCALE = _Rule("weight", _channels_first, _channels_last)
_OFFSET = _Rule("bias", _channels_first, _channels_last)
_BIAS = _same("bias")
_AFFINE = {"gamma": _SCALE, "beta": _OFFSET}
_RULES: dict[str, dict[str, _Rule]] = {
    "Conv2D": {"kernel": _convolution(), "bias": _BIAS},
    "Conv2DTranspose": {"kernel": _convolution(), "bias": _BIAS},
    "DepthwiseConv2D": {"depthwise_kernel": _depthwise(), "bias": _BIAS},
    "SeparableConv2D": {
        "depthwise_kernel": _depthwise("depthwise."),
        "pointwise_kernel": _convolution("pointwise."),
        "bias": _same("pointwise.bias"),
    },
    "Dense": {"kernel": _TRANSPOSED, "bias": _BIAS},
    "BatchNormalization": {
        "gamma": _same("weight"),
        "beta": _BIAS,
        "moving_mean": _same("running_mean"),
        "moving_variance": _same("running_var"),
    },
    "LayerNormalization": _AFFINE,
    "GroupNormalization": _AFFINE,
    "InstanceNormalization": _AFFINE,
    "PReLU": {"alpha": _Rule("weight", _slopes_to_torch, _slopes_to_keras)},
    "Normalization": {name: _same(name) for name in ("mean", "variance", "count")},
}


def _rules(kind: str) -> dict[str, _Rule]:
    if kind not in _RULES:
        raise ValueError(f"kind must be one of {', '.join(_RULES)}; got {kind!r}")
    return _RULES[kind]


def _spellings(name: str) -> tuple[str, ...]:
    # Keras 3 calls the kernel of DepthwiseConv2D plainly "kernel".
    return (name, "kernel") if name == "depthwise_kernel" else (name,)


def _canonical(rules: Mapping[str, _Rule], name: str) -> str:
    return "depthwise_kernel" if name == "kernel" and "kernel" not in rules else name


def _check(kind: str, given: set[str], known: set[str], what: str) -> None:
    if unknown := given - known:
        raise ValueError(
            f"{kind} has the {what} {', '.join(sorted(known))}; got {', '.join(sorted(unknown))}"
        )


def _tensor(array: Array) -> Tensor:
    import numpy as np

    return torch.from_numpy(np.array(array, array.dtype.newbyteorder("="), order="C"))


def _own(value: Tensor) -> Tensor:
    return value.clone(memory_format=torch.contiguous_format)
