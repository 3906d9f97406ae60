"""The notes' network of partial convolutions in Keras, in graph mode: a reference of the speed.

XLA is left out, as it is for the mosaic U-Nets.
"""

from typing import Any

from benchmarks.keras_side import graph_step, load
from benchmarks.pconv_plain import NOTES_WIDTHS
from benchmarks.pconv_torch import HOLES, NOTES_BATCH, SIZE
from benchmarks.process import Work


def training_function(threads: int) -> Work:
    """Set up a training step written by hand under ``tf.function``, on tensors.

    Args:
        threads: To use.
    """
    tf, keras = load(threads)
    model = _network(tf, keras)
    image, mask = _pictures(tf)
    compiled = graph_step(tf, keras, model, keras.losses.MeanAbsoluteError())
    return Work(lambda: compiled([image, mask], image), _size(tf, model, image, mask))


def train_on_batch(threads: int) -> Work:
    """Set up ``train_on_batch`` of the compiled model, on tensors; argument as above."""
    tf, keras = load(threads)
    model = _network(tf, keras)
    model.compile("adam", "mae")
    image, mask = _pictures(tf)
    step = lambda: model.train_on_batch([image, mask], image)  # noqa: E731
    return Work(step, _size(tf, model, image, mask))


def _network(tf: Any, keras: Any) -> Any:
    layers = keras.layers
    masked = _layer(tf, keras)
    image, mask = keras.Input((SIZE, SIZE, 3)), keras.Input((SIZE, SIZE, 1))
    x, m = image, mask
    for width, stride in zip(NOTES_WIDTHS, (2, 2, 2, 1, -2, -2, -2), strict=True):
        if stride < 0:
            x, m = layers.UpSampling2D(-stride)(x), layers.UpSampling2D(-stride)(m)
        x, m = masked(width, max(stride, 1))([x, m])
        if width != NOTES_WIDTHS[-1]:
            x = layers.ReLU()(layers.BatchNormalization()(x))
    return keras.Model([image, mask], layers.Activation("sigmoid")(x))


def _layer(tf: Any, keras: Any) -> Any:
    """Make the class of the notes' layer, which can only be done where Keras is."""

    class Masked(keras.layers.Layer):  # type: ignore[misc]
        """Sums over valid pixels by their count, and the grown mask."""

        def __init__(self, width: int, stride: int) -> None:
            super().__init__()
            self.width, self.stride = width, stride

        def build(self, shapes: Any) -> None:
            """Make the kernel, and the ones that count."""
            shape = (3, 3, shapes[0][-1], self.width)
            self.kernel = self.add_weight(shape=shape, initializer="random_normal")
            self.ones = tf.ones((3, 3, shapes[1][-1], 1))

        def call(self, pair: Any) -> Any:
            """Convolve [maps, mask]."""
            image, mask = pair
            sums = tf.nn.conv2d(image * mask, self.kernel.value, self.stride, "SAME")
            counts = tf.nn.conv2d(mask, self.ones, self.stride, "SAME")
            return sums / (counts + 1e-8), tf.nn.max_pool2d(mask, 3, self.stride, "SAME")

    return Masked


def _pictures(tf: Any) -> Any:
    import numpy as np

    mask = np.ones((NOTES_BATCH, SIZE, SIZE, 1), np.float32)
    for top, bottom, left, right in HOLES:
        mask[:, top:bottom, left:right] = 0
    return tf.random.uniform((NOTES_BATCH, SIZE, SIZE, 3)), tf.constant(mask)


def _size(tf: Any, model: Any, image: Any, mask: Any) -> dict[str, int]:
    count = sum(int(one.numpy().size) for one in model.trainable_variables)
    return {"network": count, "output": int(tf.size(model([image, mask])))}
