"""Values of a graph scaled: by constants, by stored statistics, and below zero by slopes."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lit_restore.interop._graph_common import (
    GraphError,
    check_channels,
    constant_like,
    count,
    flag,
    numbers,
    sizes_of,
)


class Rescaling(nn.Module):
    """Keras's Rescaling: ``x * scale + offset``, numbers or one number per channel each."""

    def __init__(self, scale: Any, offset: Any = 0.0) -> None:
        super().__init__()
        self.scale = numbers("scale", scale)
        self.offset = numbers("offset", offset)

    def forward(self, value: Tensor) -> Tensor:
        """Scale and shift; any shape, (N, C, H, W) for a map."""
        return value * constant_like(self.scale, value) + constant_like(self.offset, value)


class PReLU(nn.Module):
    """Keras's PReLU; the slope's gradient at exactly 0 is 0, as Keras has it.

    ``shape`` is (C,) for slopes shared over a map, else (C, H, W), with 1 for a shared axis;
    ``flat`` says that the values are vectors, (N, C), for which Keras keeps the slopes otherwise.
    """

    def __init__(self, shape: Sequence[int], flat: bool = False) -> None:
        super().__init__()
        self.flat = flag("flat", flat)
        self.weight = nn.Parameter(torch.zeros(sizes_of("shape", shape)))

    def forward(self, value: Tensor) -> Tensor:
        """Keep what is positive, scale what is negative; any shape, (N, C, H, W) for a map."""
        channels = self.weight.ndim == 1 and not self.flat
        slope = self.weight[:, None, None] if channels else self.weight
        return value.relu() - slope * (-value).relu()


class Normalization(nn.Module):
    """Keras's Normalization: ``(x - mean) / sqrt(variance)`` per channel, or its inverse."""

    mean: Tensor
    variance: Tensor

    def __init__(
        self,
        mean: Any = None,
        variance: Any = None,
        size: int = 1,
        invert: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__()
        self.axis = count("axis", axis, low=-1, high=3)
        self.invert = flag("invert", invert)
        if (mean is None) != (variance is None):
            raise GraphError("mean and variance must be given both or neither")
        self.given = mean is not None
        if self.given:
            means, variances = numbers("mean", mean), numbers("variance", variance)
            self.register_buffer("mean", torch.tensor(means).reshape(-1), persistent=False)
            self.register_buffer("variance", torch.tensor(variances).reshape(-1), persistent=False)
        else:
            self.register_buffer("mean", torch.zeros(count("size", size)))
            self.register_buffer("variance", torch.ones(size))
            self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def forward(self, value: Tensor) -> Tensor:
        """Normalise; shape (N, C), (N, T, C) or (N, C, H, W).

        Raises:
            ValueError: If Keras's ``axis`` is not the channels' of such a value.
        """
        check_channels(self.axis, value)
        tail = (1, 1) if value.ndim == 4 else ()
        mean = self.mean.to(value.dtype).reshape(-1, *tail)
        deviation = self.variance.to(value.dtype).sqrt().clamp(min=1e-7).reshape(-1, *tail)
        return mean + value * deviation if self.invert else (value - mean) / deviation
