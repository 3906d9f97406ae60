"""Losses and scores of segmentation, of logits (N, H, W, K) and classes (N, H, W)."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from parity.references._common import Tensors


def sigmoid_cross_entropy(t: Tensors) -> Tensors:
    """BinaryCrossentropy of logits."""
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    return _only(loss(_truth(t), t["logits"]))


def raw_sigmoid_cross_entropy(t: Tensors) -> Tensors:
    """TensorFlow's function, and a mean over all pixels."""
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=_truth(t), logits=t["logits"])
    return _only(tf.reduce_mean(losses))


def raw_softmax_cross_entropy(t: Tensors) -> Tensors:
    """As the notes write it: pixels as a table, then TensorFlow's function."""
    table = tf.reshape(t["logits"], (-1, t["logits"].shape[-1]))
    labels = tf.reshape(_classes(t), [-1])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=table)
    return _only(tf.reduce_mean(losses))


def softmax_cross_entropy(
    t: Tensors, ignored: int | None = None, class_weights: Sequence[float] | None = None
) -> Tensors:
    """SparseCategoricalCrossentropy of logits.

    Args:
        t: ``logits``, ``classes``.
        ignored: A class whose pixels do not count.
        class_weights: What the pixels of each class weigh; the mean is by weight.
    """
    classes = _classes(t)
    if class_weights is None:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=ignored)
        return _only(loss(classes, t["logits"]))
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=ignored, reduction="mean_with_sample_weight"
    )
    weights = tf.gather(tf.constant([*class_weights, 0.0], t["logits"].dtype), classes)
    return _only(loss(classes, t["logits"], sample_weight=weights))


def weighted_cross_entropy(t: Tensors) -> Tensors:
    """SparseCategoricalCrossentropy, its pixels weighted by a map."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return _only(loss(_classes(t), t["logits"], sample_weight=t["weights"]))


def soft_cross_entropy(t: Tensors) -> Tensors:
    """CategoricalCrossentropy of logits (N, K) with shares of the classes."""
    labels = t["shares"] / tf.reduce_sum(t["shares"], axis=1, keepdims=True)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    return _only(loss(labels, t["logits"]))


def focal(t: Tensors, gamma: float) -> Tensors:
    """BinaryFocalCrossentropy, or CategoricalFocalCrossentropy, without their balancing."""
    if t["logits"].shape[-1] == 1:
        loss = keras.losses.BinaryFocalCrossentropy(gamma=gamma, from_logits=True)
        return _only(loss(_truth(t), t["logits"]))
    loss = keras.losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=gamma, from_logits=True)
    return _only(loss(_one_hot(t), t["logits"]))


def dice(t: Tensors, epsilon: float, right: int = 0) -> Tensors:
    """Dice of each class over all pixels of the batch, and the mean of the classes.

    Args:
        t: ``logits``, ``classes``.
        epsilon: What Keras adds to the denominator.
        right: So many further pixels are of every class, and are certainly found to be.
    """
    if t["logits"].shape[-1] == 1:
        truth, likely = _truth(t), tf.sigmoid(t["logits"])
    else:
        truth, likely = _one_hot(t), tf.nn.softmax(t["logits"])
    further = tf.ones((right, truth.shape[-1]), truth.dtype)
    truth, likely = (
        tf.concat([tf.reshape(each, (-1, each.shape[-1])), further], axis=0)
        for each in (truth, likely)
    )
    before = keras.config.epsilon()
    keras.config.set_epsilon(epsilon)
    try:
        losses = keras.losses.dice(truth, likely, axis=0)
    finally:
        keras.config.set_epsilon(before)
    return _only(tf.reduce_mean(losses))


def scores(t: Tensors, count: int, ignored: int | None = None) -> Tensors:
    """IoU, MeanIoU, F1Score and accuracy of the likeliest classes.

    Args:
        t: ``logits``, ``classes``.
        count: How many classes there are, which may be more than logits.
        ignored: A class of the truth whose pixels do not count.
    """
    truth, likeliest = tf.reshape(_classes(t), [-1]), tf.argmax(t["logits"], axis=3)
    found = tf.reshape(tf.cast(likeliest, "int32"), [-1])
    given = {"num_classes": count, "ignore_class": ignored}
    mean = keras.metrics.MeanIoU(**given)
    each = [keras.metrics.IoU(target_class_ids=[index], **given) for index in range(count)]
    for metric in (mean, *each):
        metric.update_state(truth, found)
    valid = tf.ones_like(truth, "bool") if ignored is None else truth != ignored
    truth, found = truth[valid], found[valid]
    harmonic, accuracy = keras.metrics.F1Score(), keras.metrics.Accuracy()
    harmonic.update_state(tf.one_hot(truth, count), tf.one_hot(found, count))
    accuracy.update_state(truth, found)
    return {
        "output": tf.stack([metric.result() for metric in each]),
        "mean": tf.reshape(mean.result(), [1]),
        "dice": harmonic.result(),
        "accuracy": tf.reshape(accuracy.result(), [1]),
    }


def _only(loss: Any) -> Tensors:
    return {"output": tf.reshape(loss, [1])}


def _classes(t: Tensors) -> Any:
    return tf.cast(tf.floor(t["classes"]), "int32")


def _truth(t: Tensors) -> Any:
    return tf.cast(_classes(t)[..., None], t["logits"].dtype)


def _one_hot(t: Tensors) -> Any:
    return tf.one_hot(_classes(t), t["logits"].shape[-1], dtype=t["logits"].dtype)
