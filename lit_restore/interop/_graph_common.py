"""What the layers of a graph share: checked arguments, and Keras's axes in PyTorch's order."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

LARGEST = 1 << 16


class GraphError(ValueError):
    """A graph that cannot be built, or a Keras model that cannot be a graph, and why."""


def count(name: str, value: Any, low: int = 1, high: int = LARGEST) -> int:
    """Check a whole number.

    Raises:
        GraphError: If ``value`` is no int, or lies outside ``low`` to ``high``.
    """
    if type(value) is not int or not low <= value <= high:
        raise GraphError(f"{name} must be a whole number from {low} to {high}, got {value!r}")
    return value


def pair(name: str, value: Any, low: int = 1) -> tuple[int, int]:
    """Check two whole numbers, vertical and horizontal.

    Raises:
        GraphError: If ``value`` is anything else.
    """
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise GraphError(f"{name} must be two whole numbers, got {value!r}")
    return count(name, value[0], low), count(name, value[1], low)


def number(name: str, value: Any) -> float:
    """Check a finite number.

    Raises:
        GraphError: If ``value`` is no number, or not finite.
    """
    if type(value) not in (int, float) or not math.isfinite(value):
        raise GraphError(f"{name} must be a finite number, got {value!r}")
    return float(value)


def numbers(name: str, value: Any) -> float | list[float]:
    """Check a finite number, or a list of them, one per channel.

    Raises:
        GraphError: If ``value`` is anything else, or too long a list.
    """
    if not isinstance(value, (list, tuple)):
        return number(name, value)
    if not 0 < len(value) <= LARGEST:
        raise GraphError(f"{name} must hold 1 to {LARGEST} numbers, got {len(value)}")
    return [number(name, item) for item in value]


def sizes_of(name: str, value: Any, longest: int = 3) -> tuple[int, ...]:
    """Check the shape of a parameter.

    Raises:
        GraphError: If ``value`` is no list of 1 to ``longest`` whole numbers above 0.
    """
    if not isinstance(value, (list, tuple)) or not 0 < len(value) <= longest:
        raise GraphError(f"{name} must be 1 to {longest} sizes, got {value!r}")
    return tuple(count(name, size) for size in value)


def flag(name: str, value: Any) -> bool:
    """Check a truth value.

    Raises:
        GraphError: If ``value`` is no bool.
    """
    if type(value) is not bool:
        raise GraphError(f"{name} must be true or false, got {value!r}")
    return value


def choice(name: str, value: Any, allowed: Sequence[str]) -> str:
    """Check one of a few words.

    Raises:
        GraphError: If ``value`` is none of ``allowed``.
    """
    if value not in allowed:
        raise GraphError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
    return str(value)


def torch_dim(axis: int, ndim: int) -> int:
    """Say which dimension here is Keras's ``axis``: maps are held (N, C, H, W) for (N, H, W, C).

    Raises:
        ValueError: If there is no such axis, or it is the batch.
    """
    positive = axis + ndim if axis < 0 else axis
    if not 0 < positive < ndim:
        raise ValueError(f"axis must name one of {ndim} but the batch's, got {axis}")
    return (0, 2, 3, 1)[positive] if ndim == 4 else positive


def check_channels(axis: int, value: Tensor) -> None:
    """Check that Keras's ``axis`` is the channels', of a value that can be normalised.

    Raises:
        ValueError: If it is not, or the value has more than four axes.
    """
    if value.ndim > 4 or torch_dim(axis, value.ndim) != torch_dim(-1, value.ndim):
        raise ValueError(f"expected the channels' axis, got {axis} of {value.ndim}")


def channels_last(value: Tensor) -> Tensor:
    """Give a map its Keras order, (N, H, W, C); anything else stays as it is."""
    return value.permute(0, 2, 3, 1) if value.ndim == 4 else value


def channels_first(value: Tensor) -> Tensor:
    """Take a map from its Keras order to (N, C, H, W); anything else stays as it is."""
    return value.permute(0, 3, 1, 2) if value.ndim == 4 else value


def constant_like(value: float | list[float], like: Tensor) -> Tensor:
    """Make a number, or one number per channel, ready to be combined with a value."""
    constant = torch.tensor(value, dtype=like.dtype, device=like.device)
    return constant[:, None, None] if constant.ndim and like.ndim == 4 else constant
