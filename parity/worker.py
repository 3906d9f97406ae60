"""The process that Keras runs in: ``python -m parity.worker``, started by ``parity.live``.

It answers messages on its standard input until that ends, and never imports PyTorch: TensorFlow
and PyTorch in one process crash as soon as a PyTorch optimizer is made.
"""

import importlib
from importlib.metadata import version
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from parity.arrays import Arrays, probe
from parity.serving import serve

_OF_PICTURES = ("pillow", "scikit-image")  # some cases' references are theirs


def main() -> int:
    """Answer every message: first who is here, then one result per request."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return serve(_greeting(), compute)


def _greeting() -> dict[str, Any]:
    return {
        "backend": keras.backend.backend(),
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        **{name: version(name) for name in _OF_PICTURES},
    }


def compute(request: dict[str, Any], arrays: Arrays) -> Arrays:
    """Run a reference function.

    Args:
        request: ``reference``, its ``settings``, the ``variables``, and the ``dtype``.
        arrays: The inputs, in that type.

    Returns:
        What it returns, and as ``d NAME`` the gradient with respect to each variable.
    """
    _set_dtype(request["dtype"])
    module, _, name = request["reference"].partition(".")
    function = getattr(importlib.import_module(f"parity.references.{module}"), name)
    tensors = {key: tf.constant(array) for key, array in arrays.items()}
    variables = [tensors[key] for key in request["variables"]]
    with tf.GradientTape() as tape:
        tape.watch(variables)
        outputs = function(tensors, **request["settings"])
        output = outputs["output"]
        total = tf.reduce_sum(output * probe(tuple(output.shape))) if variables else None
    result = {key: np.asarray(value) for key, value in outputs.items()}
    if variables:
        zero = tf.UnconnectedGradients.ZERO
        gradients = tape.gradient(total, variables, unconnected_gradients=zero)
        pairs = zip(request["variables"], gradients, strict=True)
        result |= {f"d {key}": np.asarray(tf.convert_to_tensor(value)) for key, value in pairs}
    return result


def _set_dtype(dtype: str) -> None:
    """Make Keras compute in ``dtype``; setting the float type alone leaves an older policy."""
    keras.backend.clear_session()
    if dtype.startswith("float"):
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)


if __name__ == "__main__":
    raise SystemExit(main())
