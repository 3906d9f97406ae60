"""Networks of the study notes' segmentation chapter, and the U-Net; their layers have our names.

Each gives logits, or probabilities where the notes end it in a sigmoid or a softmax.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
from keras import layers

from parity.references.models import Shape


def conv_segmenter(
    shape: Shape,
    width: int,
    depth: int,
    order: str,
    epsilon: float,
    num_classes: int,
    probabilities: bool = False,
) -> keras.Model:
    """Convolutions of 3x3 in a row, each with ReLU and BatchNormalization, then one of 1x1.

    Args:
        shape: Of a picture.
        width: Channels of every convolution.
        depth: How many there are.
        order: ``"can"`` for ReLU before BatchNormalization, ``"cna"`` for after.
        epsilon: Of BatchNormalization.
        num_classes: Channels of the last convolution.
        probabilities: Whether a sigmoid, or a softmax, follows.
    """
    x = image = keras.Input(shape)
    for index in range(depth):
        x = _block(x, f"blocks.{index}", width, order=order, epsilon=epsilon)
    return keras.Model(image, _scored(x, num_classes, probabilities))


def pooling_segmenter(
    shape: Shape,
    width: int,
    upsample: str,
    skip: bool,
    order: str,
    epsilon: float,
    num_classes: int,
    probabilities: bool = False,
) -> keras.Model:
    """Down by max pooling and up again, with or without the fine maps beside the enlarged ones.

    Args:
        shape: Of a picture.
        width: Channels of every convolution.
        upsample: ``"nearest"``, ``"bilinear"`` or ``"transposed"``.
        skip: Whether the maps from before the pooling are joined to those that were enlarged.
        order: As above.
        epsilon: As above.
        num_classes: As above.
        probabilities: As above.
    """
    block = partial(_block, width=width, order=order, epsilon=epsilon)
    x = image = keras.Input(shape)
    x = fine = block(block(x, "fine.0"), "fine.1")
    x = layers.MaxPooling2D(2)(x)
    x = block(block(x, "coarse.0"), "coarse.1")
    if upsample == "transposed":
        make = partial(layers.Conv2DTranspose, width, 2, 2)
        x = _block(x, "up", width, order=order, epsilon=epsilon, make=make)
    else:
        x = layers.UpSampling2D(2, interpolation=upsample)(x)
    if skip:
        x = block(layers.Concatenate()([x, fine]), "fuse", kernel_size=1)
    x = block(block(x, "last.0"), "last.1")
    return keras.Model(image, _scored(x, num_classes, probabilities))


def unet(
    shape: Shape,
    widths: Sequence[int],
    depth: int,
    padding: str,
    upsample: str,
    norm: str,
    order: str,
    epsilon: float,
    num_classes: int,
) -> keras.Model:
    """The U-Net: the paper's, or one that pads so that maps keep their size.

    Args:
        shape: Of a picture.
        widths: Channels of each stage, the finest first.
        depth: Convolutions of each stage.
        padding: ``"valid"`` as in the paper, whose skips are cropped, or ``"same"``.
        upsample: ``"transposed"``; or ``"nearest"`` or ``"bilinear"``, then a convolution of 3x3.
        norm: ``"batch"`` or ``"none"``.
        order: As above.
        epsilon: As above.
        num_classes: As above.
    """
    about: dict[str, Any] = {"order": order, "epsilon": epsilon, "norm": norm}

    def stage(x: Any, name: str, width: int) -> Any:
        for index in range(depth):
            x = _block(x, f"{name}.{index}", width, padding=padding, **about)
        return x

    x = image = keras.Input(shape)
    skips = []
    for index, width in enumerate(widths[:-1]):
        x = stage(x, f"encoder.{index}", width)
        skips.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = stage(x, "bottom", widths[-1])
    for index, width in enumerate(reversed(widths[:-1])):
        x = _enlarged(x, f"up.{index}", width, upsample, padding)
        x = layers.Concatenate()([x, _centre(skips.pop(), x)])
        x = stage(x, f"decoder.{index}", width)
    return keras.Model(image, _scored(x, num_classes))


def _enlarged(x: Any, name: str, width: int, upsample: str, padding: str) -> Any:
    if upsample == "transposed":
        return layers.Conv2DTranspose(width, 2, 2, name=name)(x)
    x = layers.UpSampling2D(2, interpolation=upsample)(x)
    if padding == "valid" and upsample == "bilinear":  # pixels that a border entered
        x = layers.Cropping2D(1)(x)
    return layers.Conv2D(width, 3, padding=padding, name=f"{name}.1")(x)


def _centre(maps: Any, like: Any) -> Any:
    """Cut the centre out of maps, as large as others are."""
    lost = [maps.shape[axis] - like.shape[axis] for axis in (1, 2)]
    sides = tuple((each // 2, each - each // 2) for each in lost)
    return layers.Cropping2D(sides)(maps) if any(lost) else maps


def _block(
    x: Any,
    name: str,
    width: int,
    order: str,
    epsilon: float,
    kernel_size: int = 3,
    padding: str = "same",
    norm: str = "batch",
    make: Any = None,
) -> Any:
    """Convolve, and in the one order or the other: BatchNormalization, ReLU."""
    make = make or partial(layers.Conv2D, width, kernel_size, padding=padding)
    x = make(use_bias=order == "can" or norm == "none", name=f"{name}.conv")(x)
    normed = layers.BatchNormalization(epsilon=epsilon, name=f"{name}.norm")
    if norm == "none":
        return layers.ReLU()(x)
    return normed(layers.ReLU()(x)) if order == "can" else layers.ReLU()(normed(x))


def _scored(x: Any, num_classes: int, probabilities: bool = False) -> Any:
    x = layers.Conv2D(num_classes, 1, name="head")(x)
    if not probabilities:
        return x
    return layers.Activation("sigmoid")(x) if num_classes == 1 else layers.Softmax()(x)
