"""CutMix as the study notes write it, which stop before the labels, and its rule for them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from parity.references._common import Tensors


def boxes(t: Tensors, sizes: Sequence[int], whole: bool) -> Tensors:
    """The notes' boxes, in pictures of every size: left, top, right, bottom.

    Args:
        t: ``x`` and ``y``, codes, which are centres modulo the size; and ``first``, ``second``,
            ``third``, codes, the digits of probabilities to the base of 256.
        sizes: Sides of the square pictures, in pixels.
        whole: Whether the probabilities are those where a box is a whole number of pixels wide;
            else they are the drawn ones.
    """
    found = []
    for size in sizes:
        shares = near_whole(size) if whole else drawn(t)
        count = len(shares)
        x, y = (tf.cast(tf.cast(t[name][:count], "int32") % size, "int32") for name in "xy")
        found.append(_boxes(size, tf.constant(shares), x, y))
    return {"output": tf.concat(found, axis=0)}


def _boxes(size: int, probability: Any, x: Any, y: Any) -> Any:
    width = tf.cast(size * tf.math.sqrt(1 - probability), tf.int32)
    left, top = tf.math.maximum(0, x - width // 2), tf.math.maximum(0, y - width // 2)
    right, bottom = (tf.math.minimum(size, each + width // 2) for each in (x, y))
    return tf.stack([left, top, right, bottom], axis=1)


def near_whole(size: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Give a probability for each width from 1 pixel to the whole side."""
    return (1 - (np.arange(1, size + 1) / size) ** 2).astype(np.float32)


def drawn(t: Tensors) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Put the probabilities together that were drawn as three digits each."""
    digits = (np.asarray(t[name], np.float32) for name in ("first", "second", "third"))
    total = sum(digit * np.float32(256.0**-place) for place, digit in enumerate(digits, 1))
    return np.asarray(total, np.float32)


def mixed(t: Tensors, box: Sequence[int]) -> Tensors:
    """Paste a box of the second picture into the first, as strips that are joined.

    Args:
        t: ``image``, two pictures (2, H, W, 3).
        box: Left, top, right, bottom.
    """
    left, top, right, bottom = box
    first, second = t["image"][0], t["image"][1]
    middle = tf.concat(
        [first[top:bottom, :left], second[top:bottom, left:right], first[top:bottom, right:]],
        axis=1,
    )
    return {"output": tf.concat([first[:top], middle, first[bottom:]], axis=0)}


def labels(t: Tensors, box: Sequence[int], size: int) -> Tensors:
    """Share the labels by the area that was pasted.

    Args:
        t: ``labels``, of the two pictures (2, K).
        box: As above.
        size: Side of the pictures, in pixels.
    """
    left, top, right, bottom = box
    share = tf.constant((right - left) * (bottom - top) / size**2, t["labels"].dtype)
    return {"output": (1 - share) * t["labels"][0] + share * t["labels"][1]}


def blended(t: Tensors) -> Tensors:
    """Mixup of two samples, each of which keeps a share.

    Args:
        t: ``image``, of two, ``labels``, of both, and ``kept``.
    """
    kept = t["kept"][0]
    pictures, shares = (
        kept * t[name] + (1 - kept) * tf.reverse(t[name], [0]) for name in ("image", "labels")
    )
    return {"output": pictures, "labels": shares}
