"""Whether two computations agree, and why that much difference is allowed.

A sum of K rounded products errs by about sqrt(K) units in the last place, and the errors of sums
that follow one another add up. So the bound is ``SLACK * eps * sqrt(terms) * depth``, relative to
the largest value of the array; no case has a tolerance of its own.

In float32 lit_restore is measured against Keras's float64 result, and may not be farther from it
than ``OWN`` times as far as Keras's own float32 result is, of which a few units in the last place
are granted to everyone.

Two empirical distribution functions of n samples each, drawn from one law, are farther apart than
``sqrt(2 ln(4 / CHANCE) / n)`` with a chance below ``CHANCE`` (Dvoretzky-Kiefer-Wolfowitz).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from parity.arrays import Array, Arrays, sketch
from parity.case import Case, Ours, compute

SLACK = 4.0
OWN = 8.0
CHANCE = 1e-6
_UNITS = 4.0


@dataclass(frozen=True)
class Reference:
    """What Keras computes for a case.

    Attributes:
        arrays: Outputs, states and gradients, computed in float64; or sketches of them.
        own: How far Keras's own float32 result lies from each, as a share of its scale.
        shapes: The shapes of what the sketches are of; empty if the arrays are whole.
    """

    arrays: Arrays
    own: dict[str, float] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How far lit_restore, or a wrong variant, is from Keras.

    Attributes:
        case: The case's name.
        dtype: What was computed in.
        errors: The largest difference in each array, as a share of the array's scale, in the order
            of the computation.
        bound: The largest error that counts as agreement.
        own: The largest of Keras's own float32 errors.
        variant: What was done wrong; empty if nothing.
    """

    case: str
    dtype: str
    errors: dict[str, float]
    bound: float
    own: float = 0.0
    variant: str = ""

    @property
    def agrees(self) -> bool:
        """Whether every array is within the bound."""
        return all(error <= self.bound for error in self.errors.values())

    @property
    def passed(self) -> bool:
        """Whether what should agree does, and a wrong variant does not."""
        return self.agrees != bool(self.variant)

    @property
    def where(self) -> str:
        """The first array that differs, or the worst of those that agree."""
        outside = (name for name, error in self.errors.items() if not error <= self.bound)
        return next(outside, max(self.errors, key=self.errors.__getitem__))

    @property
    def worst(self) -> float:
        """The error of that array."""
        return self.errors[self.where]


def bound(case: Case, dtype: str, own: float = math.inf) -> float:
    """Say how far a right computation may be off, as a share of an array's scale.

    Args:
        case: Its ``terms``, ``depth`` and ``precision`` count.
        dtype: What lit_restore computes in.
        own: The largest error of Keras's float32 result.
    """
    if case.precision == "exact":
        return 0.0
    if case.precision == "law":
        return math.sqrt(2 * math.log(4 / CHANCE) / case.terms)
    eps = float(np.finfo("float32" if case.precision == "float32" else dtype).eps)
    derived = SLACK * eps * math.sqrt(case.terms) * case.depth
    if dtype == "float64" or case.precision == "float32":
        return derived
    return min(derived, OWN * max(own, _UNITS * eps))


def distances(case: Case, arrays: Arrays, reference: Reference) -> dict[str, float]:
    """Measure how far each array is from its reference, as a share of its scale.

    Another shape is infinitely far, and so is what is not finite.

    Raises:
        ValueError: If the two computations name different arrays.
    """
    expected = reference.arrays
    if arrays.keys() != expected.keys():
        raise ValueError(
            f"{case.name}: expected the arrays {', '.join(expected)}, got {', '.join(arrays)}"
        )
    gradients = [np.abs(array).max() for name, array in expected.items() if name[:2] == "d "]
    scales = {f"d {name}": float(max(gradients)) for name in case.null}
    shapes = reference.shapes or {name: array.shape for name, array in expected.items()}
    errors = {name: math.inf for name in arrays}
    for name, array in arrays.items():
        if array.shape == shapes[name]:
            kept = sketch(array) if reference.shapes else array
            errors[name] = _distance(kept, expected[name], scales.get(name))
    return errors


def _distance(array: Array, reference: Array, scale: float | None) -> float:
    difference = np.abs(array.astype(np.float64) - reference)
    if not np.isfinite(difference).all():
        return math.inf
    scale = float(np.abs(reference).max()) if scale is None else scale
    if not scale:
        return math.inf if difference.any() else 0.0
    return float(difference.max()) / scale


def judge(case: Case, reference: Reference) -> Iterator[Result]:
    """Compare a case, and each of its wrong variants, in every type."""
    for dtype in case.dtypes:
        # What counts in part in float32 is told from its wrong variants in float64 alone.
        wrong = {} if case.gates32 and dtype == "float32" else case.wrong
        for variant, function in {"": case.ours, **wrong}.items():
            yield measure(case, reference, function, dtype, variant)


def measure(case: Case, reference: Reference, function: Ours, dtype: str, variant: str) -> Result:
    """Run one variant, the right one if ``variant`` is empty, in one type."""
    errors = distances(case, compute(case, function, dtype), reference)
    own = reference.own
    if case.gates32 and dtype == "float32":
        errors = {name: errors[name] for name in case.gates32}
        own = {name: own.get(name, 0.0) for name in case.gates32}
    least = max(own.values(), default=0.0)
    return Result(case.name, dtype, errors, bound(case, dtype, least), least, variant)
