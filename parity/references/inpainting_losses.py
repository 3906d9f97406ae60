"""Gram matrices and what is made of them, total variation, and the inpainting paper's terms."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from parity.references import vgg
from parity.references._common import Tensors
from parity.references.models import Shape

HOLE = 0.1  # a pixel is in the hole if what was drawn for it is less


def gram(t: Tensors) -> Tensors:
    """The study notes' Gram matrix of each picture: channels first, flattened, times itself."""
    return {"output": tf.stack([_gram(one) for one in tf.unstack(t["features"])])}


def covariance(t: Tensors) -> Tensors:
    """The notes' special case: less the mean, then the expectation of the Gram matrix."""
    return {"output": tf.stack([_expected(_centred(one)) for one in tf.unstack(t["features"])])}


def correlation(t: Tensors) -> Tensors:
    """The notes' other special case: less the mean, over the standard deviation."""
    found = []
    for one in tf.unstack(t["features"]):
        std = tf.math.reduce_std(one, axis=(0, 1))
        found.append(_expected(_centred(one) / std))
    return {"output": tf.stack(found)}


def style_notes(t: Tensors, size: int) -> Tensors:
    """The notes' style loss of each picture: 3 channels, and the pixels of the picture."""
    channels = 3
    pairs = zip(tf.unstack(t["prediction"]), tf.unstack(t["target"]), strict=True)
    sums = [tf.reduce_sum(tf.square(_gram(a) - _gram(b))) for a, b in pairs]
    return {"output": tf.stack(sums) / (4.0 * (channels**2) * (size**2))}


def style_paper(t: Tensors) -> Tensors:
    """Liu et al.'s style loss of each picture, at one layer: equation 4."""
    pairs = zip(tf.unstack(t["prediction"]), tf.unstack(t["target"]), strict=True)
    return {"output": tf.stack([_style(a, b) for a, b in pairs])}


def variation(t: Tensors) -> Tensors:
    """TensorFlow's total variation, over the number of values."""
    image = t["image"]
    return {"output": tf.image.total_variation(image) / _count(image[0])}


def variation_notes(t: Tensors) -> Tensors:
    """The notes' sum of squares to the power of 1.25, of each picture."""
    x = t["image"]
    a = tf.square(x[:, :-1, :-1, :] - x[:, 1:, :-1, :])
    b = tf.square(x[:, :-1, :-1, :] - x[:, :-1, 1:, :])
    return {"output": tf.reduce_sum(tf.pow(a + b, 1.25), axis=(1, 2, 3))}


def variation_in_hole(t: Tensors) -> Tensors:
    """Liu et al.'s equation 6 of each picture, in the hole grown by a pixel."""
    hole = tf.cast(t["mask"] < HOLE, t["image"].dtype)
    return {"output": _variation_in_hole(t["image"], hole)}


def inpainting(
    t: Tensors, term: str, weight: float, scale: float, depth: int, widths: Sequence[int]
) -> Tensors:
    """One of Liu et al.'s six terms, section 3.3, weighted."""
    prediction, target = t["prediction"], t["target"]
    hole = tf.cast(t["mask"] < HOLE, target.dtype)
    composite = target * (1 - hole) + prediction * hole
    if term in ("valid", "hole"):
        where = hole if term == "hole" else 1 - hole
        value = tf.reduce_mean(where * tf.abs(prediction - target))
    elif term == "total_variation":
        value = tf.reduce_mean(_variation_in_hole(composite, hole))
    else:
        network = _pools(tuple(target.shape[1:]), depth, widths)
        weights = [t[variable.path] for variable in network.trainable_variables]
        out, comp, true = (
            [one * scale for one in network.stateless_call(weights, [], image)[0]]
            for image in (prediction, composite, target)
        )
        value = _of_maps(term, out, comp, true)
    return {"output": tf.reshape(weight * value, [1])}


def _of_maps(term: str, out: Sequence[Any], comp: Sequence[Any], true: Sequence[Any]) -> Any:
    if term == "perceptual":
        both = [*zip(out, true, strict=True), *zip(comp, true, strict=True)]
        return tf.add_n([tf.reduce_mean(tf.abs(a - b)) for a, b in both])
    total = []
    for maps, expected in zip(out if term == "style_prediction" else comp, true, strict=True):
        pairs = zip(tf.unstack(maps), tf.unstack(expected), strict=True)
        total.append(tf.reduce_mean(tf.stack([_style(a, b) for a, b in pairs])))
    return tf.add_n(total)


def _pools(shape: Shape, depth: int, widths: Sequence[int]) -> keras.Model:
    network = vgg.features(shape, depth=depth, widths=widths)
    pools = [one.output for one in network.layers if isinstance(one, keras.layers.MaxPooling2D)]
    return keras.Model(network.inputs, pools[:3])


def _gram(x: Any) -> Any:
    features = tf.reshape(tf.transpose(x, (2, 0, 1)), (x.shape[-1], -1))
    return tf.matmul(features, tf.transpose(features))


def _centred(x: Any) -> Any:
    return x - tf.reduce_mean(x, axis=(0, 1))


def _expected(x: Any) -> Any:
    return _gram(x) / (x.shape[0] * x.shape[1])


def _style(a: Any, b: Any) -> Any:
    height, width, channels = a.shape
    k = 1 / (channels * height * width)
    return tf.reduce_sum(tf.abs(k * (_gram(a) - _gram(b)))) / channels**2


def _variation_in_hole(image: Any, hole: Any) -> Any:
    region = tf.nn.max_pool2d(hole, 3, 1, padding="SAME")
    down = region[:, 1:] * region[:, :-1] * tf.abs(image[:, 1:] - image[:, :-1])
    right = region[:, :, 1:] * region[:, :, :-1] * tf.abs(image[:, :, 1:] - image[:, :, :-1])
    sums = tf.reduce_sum(down, axis=(1, 2, 3)) + tf.reduce_sum(right, axis=(1, 2, 3))
    return sums / _count(image[0])


def _count(one: Any) -> int:
    return int(tf.size(one))
