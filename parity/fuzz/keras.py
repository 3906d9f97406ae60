"""Keras instead of the oracle: the same trials, carried to its layout and back.

In one place TensorFlow errs, as the fuzzer found: where a window of average pooling is longer than
the picture, begins before it and ends inside it, the gradient is spread over pixels that the window
does not read (TensorFlow 2.21 on a CPU). There the outputs are compared, and the gradients are not.
"""

from collections.abc import Callable

import numpy as np

from parity.arrays import Array, Arrays
from parity.fuzz.oracle import Axis
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
        wrong = {"d image"} if errs(trial) else set()
        return {name: _to_torch(name, answer[name]) for name in answer if name not in wrong}

    return compute


def errs(trial: Trial) -> bool:
    """Tell whether TensorFlow's gradient is wrong."""
    if trial.kind != "average_pool":
        return False
    kernel, stride = (int(trial.arguments[name]) for name in ("kernel_size", "stride"))
    sides = trial.inputs["image"][2:]
    return any(side < kernel < side + Axis(side, kernel, stride).before for side in sides)


def _to_keras(name: str, array: Array) -> Array:
    if array.ndim < 4:
        return array
    order = (2, 3, 1, 0) if name.endswith(_KERNEL) else (0, 2, 3, 1)
    return np.ascontiguousarray(array.transpose(order))


def _to_torch(name: str, array: Array) -> Array:
    if array.ndim < 4:
        return array
    return array.transpose((3, 2, 0, 1) if name.endswith(_KERNEL) else (0, 3, 1, 2))
