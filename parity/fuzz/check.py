"""Whether lit_restore agrees with the oracle, or with Keras, on one trial.

The allowance is that of ``parity.judge``: ``SLACK * eps * sqrt(terms) * depth`` of an array's
scale. Its scale is the largest value, but at least what a sum of so many terms is on average, since
the terms of a single value may cancel by chance and their rounding errors do not.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from parity.arrays import Array, Arrays
from parity.fuzz.kinds import KINDS
from parity.fuzz.outcome import Outcome
from parity.fuzz.trial import Layer, Trial, compute, make, weighting
from parity.judge import SLACK

Reference = Callable[[Trial, Arrays], Arrays]
_MEAN_PRODUCT = 1 / 3  # the root mean square of x * y, both even from -1 to 1


@dataclass(frozen=True)
class Finding:
    """How one array of a trial compares.

    Attributes:
        trial: What was computed.
        name: The array: ``output``, ``d NAME`` or ``after NAME``; empty if lit_restore raised.
        error: The largest difference.
        bound: The largest that is allowed.
        expected: The right array; empty if lit_restore raised.
        shape: Of the right output.
        said: What lit_restore raised.
    """

    trial: Trial
    name: str
    error: float
    bound: float
    expected: Array = field(compare=False)
    shape: tuple[int, ...]
    said: str = ""

    @property
    def share(self) -> float:
        """The error as a share of the bound."""
        return self.error / self.bound

    @property
    def agrees(self) -> bool:
        """Whether nothing differs."""
        return self.error <= self.bound


def examine(trial: Trial, reference: Reference | None = None) -> Finding | None:
    """Compute a trial on both sides.

    Args:
        trial: What to compute.
        reference: Computes the right arrays; the oracle if None.

    Returns:
        The first array that differs, or else the one closest to its bound; None if rounding decides
        on which side of a ReLU's kink a value lies.
    """
    kind = KINDS[trial.kind]
    layer = make(kind.layer, trial)
    arrays = trial.arrays(layer)
    outcome = kind.oracle(trial, arrays)
    unit = _unit(trial, arrays, outcome)
    typical = math.sqrt(terms(arrays, outcome)) * _MEAN_PRODUCT * max(outcome.gain, 1.0) ** 2
    if outcome.margin <= unit * typical:
        return None
    expected = reference(trial, arrays) if reference else everything(outcome)
    shape = outcome.output.shape
    results = _attempt(layer, trial, arrays)
    if isinstance(results, str):
        return Finding(trial, "", math.inf, unit, np.empty(0), shape, results)
    compared = [
        Finding(trial, name, _difference(results.get(name), right), unit * scale, right, shape)
        for name, right in expected.items()
        for scale in [max(float(np.abs(right).max()), typical)]
    ]
    differing = (one for one in compared if not one.agrees)
    return next(differing, max(compared, key=lambda one: one.share))


def _attempt(layer: Layer, trial: Trial, arrays: Arrays) -> Arrays | str:
    try:
        return compute(layer, trial, arrays)
    except Exception as error:  # whatever a layer raises on a legal trial is a finding
        return f"{type(error).__name__}: {error}"


def _unit(trial: Trial, arrays: Arrays, outcome: Outcome) -> float:
    eps = float(np.finfo(trial.dtype).eps)
    return SLACK * eps * math.sqrt(terms(arrays, outcome)) * KINDS[trial.kind].depth


def terms(arrays: Arrays, outcome: Outcome) -> int:
    """Count the products of the longest sum: a kernel's, or one over all pixels or channels."""
    kernels = [a.shape for name, a in arrays.items() if a.ndim == 4 and name.endswith("weight")]
    longest = max((k[2] * k[3] * max(k[:2]) for k in kernels), default=1)
    images = [outcome.output, *(a for name, a in arrays.items() if a.ndim == 4)]
    return max(longest, *(max(a.size // a.shape[1], a.shape[1]) for a in images))


def everything(outcome: Outcome) -> Arrays:
    """Name the oracle's output, gradients and statistics as ``compute`` does."""
    gradients = outcome.back(weighting(outcome.output.shape))
    result = {"output": outcome.output} | {f"d {name}": g for name, g in gradients.items()}
    return result | {f"after {name}": value for name, value in outcome.after.items()}


def _difference(array: Array | None, right: Array) -> float:
    if array is None or array.shape != right.shape:
        return math.inf
    difference = np.abs(array.astype(np.float64) - right)
    return float(difference.max()) if np.isfinite(difference).all() else math.inf
