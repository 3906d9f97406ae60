"""Losses of scores, with Keras's losses, and the gradient penalty, with nested tapes."""

from typing import Any

import keras
import tensorflow as tf

from parity.references._common import Tensors


def score(t: Tensors, kind: str, of: str) -> Tensors:
    """What a map of scores costs, against labels of its shape.

    Args:
        t: ``logits``.
        kind: As AdversarialLoss has it.
        of: ``"real"`` or ``"fake"`` pictures to the discriminator, or fakes to the ``"generator"``.
    """
    logits = t["logits"]
    ones = tf.ones_like(logits)
    if kind == "wgan-gp" or (kind == "hinge" and of == "generator"):
        loss = tf.reduce_mean(logits * (ones if of == "fake" else -ones))
    elif kind == "hinge":
        loss = keras.losses.Hinge()(ones if of == "real" else -ones, logits)
    else:
        labels = tf.zeros_like(logits) if of == "fake" else ones
        losses = {
            "bce": keras.losses.BinaryCrossentropy(from_logits=True),
            "lsgan": keras.losses.MeanSquaredError(),
        }
        loss = losses[kind](labels, logits)
    return {"output": tf.reshape(loss, [1])}


def gradient_penalty(t: Tensors) -> Tensors:
    """Two convolutions with a tanh between as the critic, and the penalty of its mean score."""
    mixed = t["mixing"] * t["real"] + (1 - t["mixing"]) * t["fake"]
    with tf.GradientTape() as tape:
        tape.watch(mixed)
        scores = tf.reduce_mean(_critic(t, mixed), axis=(1, 2, 3))
    slopes = tape.gradient(scores, mixed)
    norms = tf.sqrt(tf.reduce_sum(tf.square(slopes), axis=(1, 2, 3)))
    return {"output": tf.reshape(tf.reduce_mean(tf.square(norms - 1)), [1])}


def _critic(t: Tensors, image: Any) -> Any:
    hidden = keras.ops.tanh(keras.ops.conv(image, t["first"], padding="same") + t["bias"])
    return keras.ops.conv(hidden, t["second"], padding="valid")
