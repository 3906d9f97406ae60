"""The process that Keras runs a model in: ``python -m lit_restore.interop.keras_worker FOLDER``.

It imports no PyTorch, since TensorFlow and PyTorch in one process crash, and answers one request.
The folder holds ``request.json`` (``model``, a path; ``config``, JSON text or null; ``samples``,
how many inputs each has) and ``inputs.npz``; it leaves ``answer.json`` and ``outputs.npz`` there.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main(argv: Sequence[str]) -> int:
    """Answer the request in a folder.

    Args:
        argv: The folder.

    Returns:
        0, also where Keras refuses the model: the answer says so.
    """
    folder = Path(argv[0])
    request = json.loads((folder / "request.json").read_text("utf-8"))
    answer: dict[str, Any]
    try:
        answer = {"versions": _run(folder, request)}
    except Exception as error:  # whatever it is, the asking process has to know
        answer = {"refused": " ".join(f"{type(error).__name__}: {error}".split())[:500]}
    (folder / "answer.json").write_text(json.dumps(answer), "utf-8")
    return 0


def _run(folder: Path, request: dict[str, Any]) -> dict[str, str]:
    import keras
    import numpy as np
    import tensorflow as tf

    model = _model(keras, request)
    outputs: dict[str, Any] = {}
    with np.load(folder / "inputs.npz", allow_pickle=False) as arrays:
        for sample, count in enumerate(request["samples"]):
            inputs = [arrays[f"{sample}_{index}"] for index in range(count)]
            # Called, not predicted: a second size has Keras trace again with sizes unknown, which
            # some of its layers refuse.
            found = model(inputs if count > 1 else inputs[0], training=False)
            for index, array in enumerate(found if isinstance(found, (list, tuple)) else [found]):
                outputs[f"{sample}_{index}"] = np.asarray(array)
    np.savez(folder / "outputs.npz", **outputs)
    return {
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "backend": keras.backend.backend(),
    }


def _model(keras: Any, request: dict[str, Any]) -> Any:
    if request["config"] is None:
        return keras.models.load_model(request["model"], compile=False, safe_mode=True)
    model = keras.models.model_from_json(request["config"])
    model.load_weights(request["model"])
    return model


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
