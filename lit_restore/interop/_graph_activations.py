"""Activations of a graph: layers with settings, and functions by their names in Keras."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.interop._graph_common import GraphError, choice, count, number, torch_dim


def _softmax(value: Tensor) -> Tensor:
    return value.softmax(torch_dim(-1, value.ndim))


def _log_softmax(value: Tensor) -> Tensor:
    return value.log_softmax(torch_dim(-1, value.ndim))


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "relu6": F.relu6,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "elu": F.elu,
    "selu": F.selu,
    "celu": F.celu,
    "gelu": F.gelu,
    "silu": F.silu,
    "mish": F.mish,
    "sigmoid": torch.sigmoid,
    "hard_sigmoid": F.hardsigmoid,  # Keras 3: relu6(x + 3) / 6
    "hard_sigmoid_keras2": lambda x: (0.2 * x + 0.5).clamp(0, 1),
    "hard_silu": F.hardswish,
    "hard_tanh": F.hardtanh,
    "log_sigmoid": F.logsigmoid,
    "tanh": torch.tanh,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "exponential": torch.exp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "abs": torch.abs,
    "negative": torch.neg,
    "square": torch.square,
    "sqrt": torch.sqrt,
    "log": torch.log,
}


class Activation(nn.Module):
    """A function by the name that Keras gives it.

    One name is ours: ``hard_sigmoid_keras2``, the steeper ``clip(0.2 x + 0.5, 0, 1)`` of Keras 1
    and 2.
    """

    def __init__(self, function: str) -> None:
        super().__init__()
        self.function = choice("function", function, tuple(FUNCTIONS))

    def forward(self, value: Tensor) -> Tensor:
        """Apply the function; any shape."""
        return FUNCTIONS[self.function](value)


class LeakyReLU(nn.Module):
    """Keras's LeakyReLU; ``slope`` is its ``alpha`` (Keras 2) or ``negative_slope`` (Keras 3)."""

    def __init__(self, slope: float = 0.3) -> None:
        super().__init__()
        self.slope = number("slope", slope)

    def forward(self, value: Tensor) -> Tensor:
        """Keep what is positive, scale what is negative; any shape."""
        return F.leaky_relu(value, self.slope)


class ELU(nn.Module):
    """Keras's ELU: ``alpha * (exp(x) - 1)`` below zero."""

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = number("alpha", alpha)

    def forward(self, value: Tensor) -> Tensor:
        """Apply the function; any shape."""
        return F.elu(value, self.alpha)


class ReLU(nn.Module):
    """Keras's ReLU: linear above ``threshold``, ``slope * (x - threshold)`` below, capped."""

    def __init__(
        self, max_value: float | None = None, slope: float = 0.0, threshold: float = 0.0
    ) -> None:
        super().__init__()
        self.max_value = None if max_value is None else number("max_value", max_value)
        self.slope = number("slope", slope)
        self.threshold = number("threshold", threshold)

    def forward(self, value: Tensor) -> Tensor:
        """Apply the function; any shape."""
        if self.threshold == 0 and self.slope == 0:
            result = value.relu()
        else:
            below = self.slope * (value - self.threshold)
            result = torch.where(value > self.threshold, value, below)
        return result if self.max_value is None else result.clamp(max=self.max_value)


class Softmax(nn.Module):
    """Keras's Softmax over one of Keras's axes."""

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = count("axis", axis, low=-4, high=4)

    def forward(self, value: Tensor) -> Tensor:
        """Normalise the exponentials along the axis; any shape, (N, C, H, W) for a map."""
        return value.softmax(torch_dim(self.axis, value.ndim))


class Clip(nn.Module):
    """Values cut off below ``low`` and above ``high``."""

    def __init__(self, low: float | None = None, high: float | None = None) -> None:
        super().__init__()
        self.low = None if low is None else number("low", low)
        self.high = None if high is None else number("high", high)
        if self.low is not None and self.high is not None and self.low > self.high:
            raise GraphError(f"low must not be above high, got {low!r} and {high!r}")

    def forward(self, value: Tensor) -> Tensor:
        """Cut off; any shape."""
        return value.clamp(self.low, self.high)


class Dropout(nn.Dropout):
    """Keras's Dropout; the identity in eval mode."""

    def __init__(self, rate: float) -> None:
        super().__init__(number("rate", rate))
        self.rate = rate


class SpatialDropout2D(nn.Dropout2d):
    """Keras's SpatialDropout2D, which drops whole channels; the identity in eval mode."""

    def __init__(self, rate: float) -> None:
        super().__init__(number("rate", rate))
        self.rate = rate


class GaussianNoise(nn.Module):
    """Keras's GaussianNoise; the identity in eval mode."""

    def __init__(self, deviation: float) -> None:
        super().__init__()
        self.deviation = number("deviation", deviation)

    def forward(self, value: Tensor) -> Tensor:
        """Add noise in train mode; any shape."""
        return value + self.deviation * torch.randn_like(value) if self.training else value


class GaussianDropout(nn.Module):
    """Keras's GaussianDropout, a random factor of mean 1; the identity in eval mode."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = number("rate", rate)

    def forward(self, value: Tensor) -> Tensor:
        """Multiply by noise in train mode; any shape."""
        if not self.training:
            return value
        deviation = (self.rate / (1 - self.rate)) ** 0.5
        return value * (1 + deviation * torch.randn_like(value))


class Identity(nn.Module):
    """What changes no value: Keras's ActivityRegularization, InputLayer within a model."""

    def forward(self, value: Tensor) -> Tensor:
        """Return the value itself; any shape."""
        return value
