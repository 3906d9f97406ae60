"""The notes' mosaic U-Net in Keras, in graph mode: the reference of the speed figures.

XLA (``jit_compile=True``) is left out: it is 1.5 times slower here, for training and inference.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.process import Step

BATCH, SIZE = 32, 64


def training_function(threads: int) -> Step:
    """Set up a training step written by hand under ``tf.function``, on tensors.

    Args:
        threads: To use.
    """
    tf, keras = load(threads)
    model = _build(keras)
    source, target = (tf.random.uniform((BATCH, SIZE, SIZE, 3)) for _ in range(2))

    def loss(target: Any, result: Any) -> Any:
        return tf.reduce_mean(tf.reduce_mean(tf.abs(target - result), axis=(1, 2, 3)))

    step = graph_step(tf, keras, model, loss)
    return lambda: step(source, target)


def train_on_batch(threads: int) -> Step:
    """Set up ``train_on_batch`` of a compiled model, on tensors; argument as above."""
    tf, keras = load(threads)
    model = _build(keras)
    model.compile("adam", lambda target, result: tf.reduce_mean(tf.abs(target - result), (1, 2, 3)))
    source, target = (tf.random.uniform((BATCH, SIZE, SIZE, 3)) for _ in range(2))
    return lambda: model.train_on_batch(source, target)


def inference_function(threads: int) -> Step:
    """Set up a call of the model under ``tf.function``, on a tensor; argument as above."""
    tf, keras = load(threads)
    model = _build(keras)
    compiled = tf.function(lambda source: model(source, training=False))
    source = tf.random.uniform((BATCH, SIZE, SIZE, 3))
    return lambda: compiled(source)


def predict_on_batch(threads: int) -> Step:
    """Set up ``predict_on_batch``, on a NumPy array; argument as above."""
    tf, keras = load(threads)
    model = _build(keras)
    source = tf.random.uniform((BATCH, SIZE, SIZE, 3)).numpy()
    return lambda: model.predict_on_batch(source)


def _build(keras: Any) -> Any:
    layers = keras.layers
    image = keras.Input((SIZE, SIZE, 3))
    options = {"padding": "same", "activation": "relu"}
    encoded = layers.Conv2D(64, 5, strides=4, **options)(image)
    x = layers.Conv2D(128, 3, **options)(encoded)
    x = layers.Conv2D(64, 5, **options)(layers.Concatenate()([x, encoded]))
    x = layers.Concatenate()([layers.UpSampling2D(4)(x), image])
    x = layers.Conv2D(3, 3, padding="same", activation="sigmoid")(x)
    return keras.Model(image, x)


def load(threads: int) -> tuple[Any, Any]:
    """Import TensorFlow and Keras, in silence, and return both.

    Args:
        threads: To use.
    """
    with _silence():
        import keras
        import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    return tf, keras


def graph_step(tf: Any, keras: Any, model: Any, loss: Any) -> Any:
    """Compile a training step by Adam, written by hand, under ``tf.function``.

    Args:
        tf: TensorFlow.
        keras: Keras.
        model: What is trained.
        loss: Called as ``loss(target, output)``.

    Returns:
        Called as ``step(inputs, target)``.
    """
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)

    def step(inputs: Any, target: Any) -> Any:
        with tf.GradientTape() as tape:
            value = loss(target, model(inputs, training=True))
        gradients = tape.gradient(value, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return value

    return tf.function(step)


@contextmanager
def _silence() -> Iterator[None]:
    """TensorFlow greets on the error stream, whatever its log level, while it is imported."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
