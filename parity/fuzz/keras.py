"""Keras instead of the oracle: the same trials, carried to its layout and back."""

from collections.abc import Callable

import numpy as np

from parity.arrays import Array, Arrays
from parity.fuzz.trial import Trial
from parity.live import KerasWorker

_KERNEL = "weight"


def reference(worker: KerasWorker) -> Callable[[Trial, Arrays], Arrays]:
    """Make what computes the right arrays of a trial: Keras in float64."""

    def compute(trial: Trial, arrays: Arrays) -> Arrays:
        statistics = ("running_mean", "running_var")
        request = {
            "reference": f"fuzzed.{trial.kind}",
            "settings": {**trial.arguments, "training": trial.training},
            "variables": [name for name in arrays if not name.endswith(statistics)],
            "dtype": "float64",
        }
        given = {name: _to_keras(name, array) for name, array in arrays.items()}
        answer = worker.ask(request, given)
        return {name: _to_torch(name, array) for name, array in answer.items()}

    return compute


def _to_keras(name: str, array: Array) -> Array:
    if array.ndim < 4:
        return array
    order = (2, 3, 1, 0) if name.endswith(_KERNEL) else (0, 2, 3, 1)
    return np.ascontiguousarray(array.transpose(order))


def _to_torch(name: str, array: Array) -> Array:
    if array.ndim < 4:
        return array
    return array.transpose((3, 2, 0, 1) if name.endswith(_KERNEL) else (0, 3, 1, 2))
