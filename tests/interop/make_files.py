"""Makes small Keras models with random weights, and their outputs; runs in a process of its own.

``python make_files.py FOLDER SUFFIX [NAME ...]`` writes ``NAME.SUFFIX`` (``h5``, ``keras``, or
``weights.h5`` with the configuration in ``NAME.json``) and ``NAME.npz`` with inputs and outputs, by
Keras 3; for the SUFFIX ``all`` in all three ways, with gradients. With tf_keras on the path and
TF_USE_LEGACY_KERAS=1 set it is Keras 2. What lies in ``tests/interop/files``, compressed by
``gzip -9n``, was made so::

    python make_files.py files/keras3 keras activations norms nested sequential shapes shuffled
    python make_files.py files/keras3_h5 h5 nested shuffled
    TF_USE_LEGACY_KERAS=1 python make_files.py files/keras2 h5
    TF_USE_LEGACY_KERAS=1 python make_files.py files dncnn DATA  # the folder of weights/keras
"""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

_COUNT = 1  # more would only make the files larger
_ALL, _SUFFIXES = "all", ("h5", "keras", "weights.h5")
_LEGACY = os.environ.get("TF_USE_LEGACY_KERAS") == "1"


def _keras() -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if _LEGACY:
        import tf_keras as keras
    else:
        import keras
    return keras


def _zoo() -> Any:
    path = Path(__file__).with_name("keras_zoo.py")
    spec = importlib.util.spec_from_file_location("keras_zoo", path)
    assert spec is not None
    assert spec.loader is not None
    zoo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(zoo)
    return zoo


def randomise(model: Any, rng: np.random.Generator) -> None:
    """Draw every parameter and statistic again; zeros and ones would hide errors."""
    for variable in model.weights:
        value = rng.normal(0, 0.4, variable.shape)
        if "variance" in variable.name:
            value = rng.uniform(0.5, 2.0, variable.shape)
        if "count" not in variable.name:
            variable.assign(value.astype("float32"))
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):  # Normalization keeps copies
            layer.finalize_state()


def save(model: Any, path: Path) -> None:
    """Write a model, or its weights and its configuration beside them."""
    if path.name.endswith(".weights.h5"):
        model.save_weights(path)
        path.with_suffix("").with_suffix(".json").write_text(model.to_json())
    else:
        model.save(path)


def gradients(model: Any, inputs: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Differentiate the sum of all outputs' squares by the inputs and the parameters."""
    import tensorflow as tf

    layers = [layer for layer in model.layers if not hasattr(layer, "layers")]
    found = {f"{x.name}/{v.name}": v for x in layers for v in x.trainable_variables}
    images = [tf.constant(value) for value in inputs]
    with tf.GradientTape() as tape:
        tape.watch(images)
        outputs = tf.nest.flatten(model(images if len(images) > 1 else images[0], training=False))
        loss = sum(tf.reduce_sum(value**2) for value in outputs)
    variables = [variable if _LEGACY else variable.value for variable in found.values()]
    values = tape.gradient(loss, [*images, *variables])
    names = [*(f"input{i}" for i in range(len(images))), *found]
    return {
        f"gradient {name}": np.asarray(value) for name, value in zip(names, values, strict=True)
    }


def write(keras: Any, build: Any, folder: Path, suffix: str) -> None:
    """Write one model with its inputs and outputs."""
    keras.backend.clear_session()
    model = build(keras)
    rng = np.random.default_rng(list(build.__name__.encode()))
    randomise(model, rng)
    shapes = [[size or 8 - i for i, size in enumerate(x.shape[1:])] for x in model.inputs]
    inputs = [rng.normal(0, 1, (_COUNT, *shape)).astype("float32") for shape in shapes]
    outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    arrays = {f"input{i}": value for i, value in enumerate(inputs)}
    arrays |= {f"output{i}": np.asarray(value) for i, value in enumerate(outputs)}
    if suffix == _ALL:
        arrays |= gradients(model, inputs)
    for one in _SUFFIXES if suffix == _ALL else (suffix,):
        save(model, folder / f"{build.__name__}.{one}")
    np.savez_compressed(folder / f"{build.__name__}.npz", **arrays)


def write_dncnn(keras: Any, data: Path, folder: Path) -> None:
    """Write what the published denoiser makes of a noisy patch; not made here."""
    source = data / "weights" / "keras" / "dncnn_cszn"
    model = keras.models.model_from_json((source / "model.json").read_text())
    model.load_weights(source / "model.h5")
    rng = np.random.default_rng(0)
    image = np.add.outer(np.linspace(0, 1, 24), np.linspace(-0.5, 0.5, 28))[None, :, :, None]
    image = (image.clip(0, 1) + rng.normal(0, 25 / 255, image.shape)).astype("float32")
    output = np.asarray(model(image, training=False))
    np.savez_compressed(folder / "dncnn.npz", input0=image, output0=output)


def main(folder: str, suffix: str, *names: str) -> None:
    """Write the models of these names, or all."""
    keras, zoo = _keras(), _zoo()
    Path(folder).mkdir(parents=True, exist_ok=True)
    if suffix == "dncnn":
        return write_dncnn(keras, Path(names[0]), Path(folder))
    for build in zoo.BOTH + (zoo.KERAS2_ONLY if _LEGACY else ()):
        if not names or build.__name__ in names:
            write(keras, build, Path(folder), suffix)


if __name__ == "__main__":
    main(*sys.argv[1:])
