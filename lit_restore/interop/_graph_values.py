"""What a graph does to values as a whole: joining, arithmetic, and changes of shape.

Maps are held as (N, C, H, W); where Keras's order of the axes shows (flattening, reshaping,
permuting, axes by number), they take it for as long as the change lasts.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn

from lit_restore.interop._graph_common import (
    LARGEST,
    GraphError,
    channels_first,
    channels_last,
    choice,
    constant_like,
    count,
    numbers,
    torch_dim,
)

_OPERATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": torch.add,
    "subtract": torch.sub,
    "multiply": torch.mul,
    "divide": torch.div,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
}


def _aligned(values: Sequence[Tensor]) -> list[Tensor]:
    """Give values as many axes each: Keras's merging adds them behind the batch's."""
    most = max(value.ndim for value in values)
    return [value if value.ndim == most else _lengthened(value, most) for value in values]


def _lengthened(value: Tensor, ndim: int) -> Tensor:
    ordered = channels_last(value)
    ones = [1] * (ndim - value.ndim)
    return channels_first(ordered.reshape(len(ordered), *ones, *ordered.shape[1:]))


class _Merge(nn.Module):
    operation = ""

    def forward(self, *values: Tensor) -> Tensor:
        """Join values of one shape, or of shapes that broadcast; (N, C, H, W) for maps."""
        return reduce(_OPERATIONS[self.operation], _aligned(values))


class Add(_Merge):
    """Keras's Add."""

    operation = "add"


class Subtract(_Merge):
    """Keras's Subtract, the first less the second."""

    operation = "subtract"


class Multiply(_Merge):
    """Keras's Multiply."""

    operation = "multiply"


class Maximum(_Merge):
    """Keras's Maximum."""

    operation = "maximum"


class Minimum(_Merge):
    """Keras's Minimum."""

    operation = "minimum"


class Average(_Merge):
    """Keras's Average."""

    operation = "add"

    def forward(self, *values: Tensor) -> Tensor:
        """Take the mean of values of one shape, or of shapes that broadcast."""
        return super().forward(*values) / len(values)


class Concatenate(nn.Module):
    """Keras's Concatenate along one of Keras's axes."""

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = count("axis", axis, low=-4, high=4)

    def forward(self, *values: Tensor) -> Tensor:
        """Join along the axis; (N, C, H, W) for maps."""
        return torch.cat(values, torch_dim(self.axis, values[0].ndim))


class Arithmetic(nn.Module):
    """One operation on a value and a constant, or on two values, with NumPy's broadcasting.

    ``left`` or ``right`` is the constant: a number, or one number per channel; ``rank`` says how
    many axes it had, of which the value must not have fewer.
    """

    def __init__(self, operation: str, left: Any = None, right: Any = None, rank: int = 0) -> None:
        super().__init__()
        self.rank = count("rank", rank, low=0)
        self.operation = choice("operation", operation, tuple(_OPERATIONS))
        self.left = None if left is None else numbers("left", left)
        self.right = None if right is None else numbers("right", right)

    def forward(self, *values: Tensor) -> Tensor:
        """Compute; one value beside a constant, else two; (N, C, H, W) for maps."""
        operands: list[Any] = list(values)
        if values[0].ndim < self.rank:
            raise ValueError(f"expected {self.rank} axes at least, got {values[0].ndim}")
        if self.left is not None:
            operands.insert(0, constant_like(self.left, values[0]))
        if self.right is not None:
            operands.append(constant_like(self.right, values[0]))
        if len(operands) != 2:
            raise ValueError(f"{self.operation} needs two operands, got {len(operands)}")
        if len({value.ndim for value in values}) > 1:  # whose axes would align in Keras's order
            shapes = ", ".join(str(tuple(value.shape)) for value in values)
            raise ValueError(f"{self.operation} needs values of as many axes each, got {shapes}")
        return _OPERATIONS[self.operation](*operands)


class Flatten(nn.Module):
    """Keras's Flatten: row by row, the channels of a pixel together."""

    def forward(self, value: Tensor) -> Tensor:
        """Flatten; shape (N, ...) to (N, features)."""
        return channels_last(value).flatten(1)


class Reshape(nn.Module):
    """Keras's Reshape; ``shape`` is without the batch, in Keras's order, -1 for what is left."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.shape = _shape(shape)

    def forward(self, value: Tensor) -> Tensor:
        """Reshape; a result of three axes is a map, (N, C, H, W)."""
        ordered = channels_last(value)
        return channels_first(ordered.reshape(len(ordered), *self.shape))


class Permute(nn.Module):
    """Keras's Permute; ``order`` counts Keras's axes from 1, without the batch."""

    def __init__(self, order: Sequence[int]) -> None:
        super().__init__()
        self.order = [count("order", axis, high=4) for axis in order]
        if sorted(self.order) != list(range(1, len(self.order) + 1)):
            raise GraphError(f"order must name each axis once, got {self.order}")

    def forward(self, value: Tensor) -> Tensor:
        """Permute; (N, C, H, W) for a map."""
        return channels_first(channels_last(value).permute(0, *self.order))


def _shape(shape: Any) -> list[int]:
    if not isinstance(shape, (list, tuple)) or not 0 < len(shape) <= 4:
        raise GraphError(f"shape must be 1 to 4 sizes, got {shape!r}")
    sizes = [count("shape", size, low=-1, high=LARGEST**2) for size in shape]
    if sizes.count(-1) > 1 or 0 in sizes:
        raise GraphError(f"shape must be sizes above 0, one of them -1 at most, got {sizes}")
    return sizes
