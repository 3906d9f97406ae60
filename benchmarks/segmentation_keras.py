"""The same segmentation networks in Keras, in graph mode: the reference of the speed figures."""

from typing import Any

from benchmarks.keras_side import graph_step, load
from benchmarks.process import Work
from benchmarks.segmentation_torch import SETTINGS, Network

EPSILON = 1e-3  # Keras's own, in BatchNormalization


def training_function(threads: int, network: Network, num_classes: int) -> Work:
    """Set up a training step written by hand under ``tf.function``, on tensors.

    Args:
        threads: To use.
        network: As ``segmentation_torch.training`` has it.
        num_classes: 1 for a sigmoid, more for a softmax.
    """
    tf, keras = load(threads)
    model, image, classes = _set_up(tf, network, num_classes)
    step = graph_step(tf, keras, model, _loss(keras, num_classes))
    return Work(lambda: step(image, classes), _sizes(model, image))


def train_on_batch(threads: int, network: Network, num_classes: int) -> Work:
    """Set up ``train_on_batch`` of a compiled model, on tensors; arguments as above."""
    tf, keras = load(threads)
    model, image, classes = _set_up(tf, network, num_classes)
    model.compile("adam", _loss(keras, num_classes))
    size = _sizes(model, image)
    return Work(lambda: model.train_on_batch(image, classes), size)


def _set_up(tf: Any, network: Network, num_classes: int) -> tuple[Any, Any, Any]:
    from parity.references import segmentation_networks as networks

    batch, size, options = SETTINGS[network]
    build = networks.conv_segmenter if network == "convs" else networks.unet
    model = build((size, size, 3), **options, epsilon=EPSILON, num_classes=num_classes)
    image = tf.random.uniform((batch, size, size, 3))
    classes = tf.random.uniform((batch, size, size, 1), 0, max(num_classes, 2), tf.int32)
    return model, image, tf.cast(classes, tf.float32) if num_classes == 1 else classes


def _loss(keras: Any, num_classes: int) -> Any:
    if num_classes == 1:
        return keras.losses.BinaryCrossentropy(from_logits=True)
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def _sizes(model: Any, image: Any) -> dict[str, int]:
    trained = sum(int(one.numpy().size) for one in model.trainable_variables)
    return {"trained": trained, "output": int(model(image).numpy().size)}
