"""The process that Chainer runs in, started by ``parity.live``.

It runs in an environment of its own (Python 3.11 at most, NumPy 1.23.5), so beside Chainer it may
import nothing but NumPy and those modules of ``parity`` that do with it.
"""

import importlib
from typing import Any

import chainer
import chainer.functions as F
import numpy as np

from parity.arrays import Array, Arrays, probe
from parity.serving import serve


def main() -> int:
    """Answer every message: first who is here, then one result per request."""
    return serve({"chainer": chainer.__version__, "numpy": np.__version__}, compute)


def compute(request: dict[str, Any], arrays: Arrays) -> Arrays:
    """Run a reference function.

    Args:
        request: ``reference``, its ``settings``, the ``variables``, and the ``dtype``.
        arrays: The inputs, in that type.

    Returns:
        What it returns, and as ``d NAME`` the gradient with respect to each variable.
    """
    chainer.global_config.dtype = np.dtype(request["dtype"])
    module, _, name = request["reference"].partition(".")
    function = getattr(importlib.import_module(f"parity.chainer.{module}"), name)
    variables = {key: chainer.Variable(array) for key, array in arrays.items()}
    outputs = function(variables, **request["settings"])
    result = {key: np.asarray(_plain(value)) for key, value in outputs.items()}
    if request["variables"]:
        output = outputs["output"]
        F.sum(output * probe(output.shape).astype(output.dtype)).backward()
    for key in request["variables"]:
        gradient = variables[key].grad
        result[f"d {key}"] = np.zeros_like(arrays[key]) if gradient is None else gradient
    return result


def _plain(value: Any) -> Array:
    return value.array if isinstance(value, chainer.Variable) else value


if __name__ == "__main__":
    raise SystemExit(main())
