"""The oracle's word on single layers with a sliding window."""

from parity.arrays import Arrays
from parity.fuzz import oracle
from parity.fuzz.oracle import Axis
from parity.fuzz.outcome import Outcome, axes, bias, named
from parity.fuzz.trial import Trial

_NAMES = ("image", "weight", "bias")


def conv(trial: Trial, a: Arrays, same: bool = True) -> Outcome:
    """Convolution."""
    offset = bias(a, "bias", len(a["weight"]))
    output, back = oracle.conv(a["image"], a["weight"], offset, *axes(trial, a["image"], same))
    return Outcome(output, named(a, _NAMES, back))


def conv_valid(trial: Trial, a: Arrays) -> Outcome:
    """Convolution without padding."""
    return conv(trial, a, same=False)


def conv_transpose(trial: Trial, a: Arrays, same: bool = True) -> Outcome:
    """Transposed convolution: the adjoint of the convolution of an image of the output's size."""
    kernel, stride = int(trial.arguments["kernel_size"]), int(trial.arguments["stride"])
    more = 0 if same else max(kernel - stride, 0)
    sides = [side * stride + more for side in a["image"].shape[2:]]
    rows, columns = (Axis(side, kernel, stride, same=same) for side in sides)
    offset = bias(a, "bias", a["weight"].shape[1])
    output, back = oracle.conv_transpose(a["image"], a["weight"], offset, rows, columns)
    return Outcome(output, named(a, _NAMES, back))


def conv_transpose_valid(trial: Trial, a: Arrays) -> Outcome:
    """Transposed convolution that keeps the border."""
    return conv_transpose(trial, a, same=False)


def max_pool(trial: Trial, a: Arrays) -> Outcome:
    """Max pooling."""
    output, back = oracle.max_pool(a["image"], *axes(trial, a["image"]))
    return Outcome(output, named(a, ["image"], back))


def average_pool(trial: Trial, a: Arrays) -> Outcome:
    """Average pooling."""
    output, back = oracle.average_pool(a["image"], *axes(trial, a["image"]))
    return Outcome(output, named(a, ["image"], back))
