"""Layers of segmentation networks."""

from typing import Any

import chainer
import chainer.functions as F
import chainer.links as L

Variables = dict[str, Any]


def conv(t: Variables, stride: int, padding: int, dilation: int) -> Variables:
    """Convolution2D, and DilatedConvolution2D."""
    a = t["image"], t["weight"], t["bias"]
    return {"output": F.convolution_2d(*a, stride, padding, dilate=dilation)}


def deconv(t: Variables, stride: int, padding: int) -> Variables:
    """Deconvolution2D."""
    a = t["image"], t["weight"], t["bias"]
    return {"output": F.deconvolution_2d(*a, stride, padding)}


def batch_norm(t: Variables, training: bool) -> Variables:
    """BatchNormalization, with the link's own constants."""
    mean, variance = t["running_mean"].array.copy(), t["running_var"].array.copy()
    output = normalise(t["image"], t["weight"], t["bias"], mean, variance, training)
    return {"output": output, "running_mean": mean, "running_var": variance}


def normalise(x: Any, gamma: Any, beta: Any, mean: Any, variance: Any, training: bool) -> Any:
    """Normalise with the link's constants; training changes ``mean`` and ``variance``."""
    link = L.BatchNormalization(x.shape[1])
    if not training:
        return F.fixed_batch_normalization(x, gamma, beta, mean, variance, eps=link.eps)
    return F.batch_normalization(
        x,
        gamma,
        beta,
        eps=link.eps,
        decay=link.decay,
        running_mean=mean,
        running_var=variance,
    )


def relu(t: Variables) -> Variables:
    """ReLU."""
    return {"output": F.relu(t["image"])}


def leaky_relu(t: Variables) -> Variables:
    """LeakyReLU with its own slope."""
    return {"output": F.leaky_relu(t["image"])}


def max_pool(t: Variables, size: int, stride: int) -> Variables:
    """Max pooling, whose last windows may stick out."""
    return {"output": F.max_pooling_2d(t["image"], size, stride)}


def average_pool(t: Variables, size: int, stride: int, padding: int) -> Variables:
    """Average pooling, whose windows may not."""
    return {"output": F.average_pooling_2d(t["image"], size, stride, padding)}


def unpool(t: Variables, scale: int) -> Variables:
    """Unpooling to an exact multiple: nearest upsampling."""
    return {"output": F.unpooling_2d(t["image"], scale, cover_all=False)}


def resize(t: Variables, height: int, width: int) -> Variables:
    """Bilinear resizing, by default from corner to corner; there is float32 only."""
    single = F.cast(t["image"], "float32")
    return {"output": F.cast(F.resize_images(single, (height, width)), t["image"].dtype)}


def upsample_concat_conv(t: Variables, scale: int) -> Variables:
    """Unpooling of the small map, concatenation with the large one, Convolution2D."""
    enlarged = F.unpooling_2d(t["low"], scale, cover_all=False)
    joined = F.concat([enlarged, t["skip"]], axis=1)
    padding = t["weight"].shape[-1] // 2
    return {"output": F.convolution_2d(joined, t["weight"], t["bias"], pad=padding)}


def dropout(t: Variables) -> Variables:
    """Dropout outside of training."""
    with chainer.using_config("train", False):
        return {"output": F.dropout(t["image"], 0.5)}
