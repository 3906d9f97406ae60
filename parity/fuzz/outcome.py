"""What the oracle says of a trial, and what the oracle's functions share."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from parity.arrays import Array, Arrays
from parity.fuzz.oracle import Axis, Back
from parity.fuzz.trial import Trial


@dataclass(frozen=True)
class Outcome:
    """What the oracle computes of a trial.

    Attributes:
        output: The output.
        back: Maps the output's gradient to those of all inputs and parameters, by name.
        after: The statistics that training leaves, by name.
        margin: How far the values before a ReLU stay from 0, where it has no derivative.
        gain: The largest factor that errors are multiplied by on the way.
    """

    output: Array
    back: Callable[[Array], Arrays]
    after: Arrays = field(default_factory=dict)
    margin: float = math.inf
    gain: float = 1.0


def axes(trial: Trial, image: Array, same: bool = True) -> tuple[Axis, Axis]:
    """Tell what the window of a trial reads of an image (N, C, H, W)."""
    defaults = {"stride": 1, "dilation": 1, **trial.arguments}
    kernel, stride, dilation = (
        int(defaults[name]) for name in ("kernel_size", "stride", "dilation")
    )
    rows, columns = (Axis(side, kernel, stride, dilation, same) for side in image.shape[2:])
    return rows, columns


def bias(a: Arrays, name: str, channels: int) -> Array:
    """Give the bias, or zeros where there is none."""
    return a.get(name, np.zeros(channels))


def named(a: Arrays, names: Sequence[str], back: Back) -> Callable[[Array], Arrays]:
    """Name the gradients that ``back`` returns; what is not in ``a`` has none."""
    return lambda g: {name: d for name, d in zip(names, back(g), strict=True) if name in a}


def margin(before_relu: Array) -> float:
    """Measure how close the values before a ReLU come to 0."""
    return float(np.abs(before_relu).min())
