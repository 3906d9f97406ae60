"""Generators and discriminators of pix2pix, CycleGAN and DCGAN; their layers have our names."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
from keras import layers

from parity.references.models import Shape
from parity.references.normalization import normalised

_WITH_OFFSET = ("layer", "group", "none")  # what follows does not take a bias away


def unet_generator(
    shape: Shape,
    widths: Sequence[int],
    norm: str,
    upsample: str,
    slope: float,
    edge_norms: bool,
    biased: bool,
    out_channels: int = 3,
    **options: Any,
) -> keras.Model:
    """The generator of pix2pix: the paper's with transposed convolutions, or the notes'.

    Args:
        shape: Of a picture.
        widths: Channels of each level.
        norm: A kind of ``normalised``.
        upsample: ``"nearest"``, then a convolution, or ``"transposed"``.
        slope: Of the encoder's activation.
        edge_norms: Whether the first and the innermost level are normalised, too.
        biased: Whether convolutions have a bias that a normalisation takes away.
        out_channels: Of the picture that it makes.
        **options: Of ``normalised``.
    """
    bias = biased or norm in _WITH_OFFSET
    same = partial(layers.Conv2D, kernel_size=4, padding="same")

    def enlarged(x: Any, width: int, **about: Any) -> Any:
        x = layers.ReLU()(x)
        if upsample == "transposed":
            return layers.Conv2DTranspose(width, 4, 2, padding="same", **about)(x)
        return same(width, **about)(layers.UpSampling2D(2)(x))

    x = image = keras.Input(shape)
    skips = []
    for index, width in enumerate(widths):
        name, normed = f"encoder.{index}", edge_norms or 0 < index < len(widths) - 1
        x = same(width, strides=2, use_bias=bias or not normed, name=f"{name}.conv")(x)
        x = normalised(x, norm, f"{name}.norm", **options) if normed else x
        x = layers.LeakyReLU(negative_slope=slope)(x) if slope else layers.ReLU()(x)
        skips.append(x)
    skips.pop()
    for index, width in enumerate(reversed(widths[:-1])):
        name = f"decoder.{index}"
        x = normalised(
            enlarged(x, width, use_bias=bias, name=f"{name}.conv"), norm, f"{name}.norm", **options
        )
        x = layers.Concatenate()([x, skips.pop()])
    x = enlarged(x, out_channels, name="head")
    return keras.Model(image, layers.Activation("tanh")(x))


def resnet_generator(
    shape: Shape,
    width: int,
    blocks: int,
    norm: str,
    padding: str,
    upsample: str,
    biased: bool,
    out_channels: int = 3,
    **options: Any,
) -> keras.Model:
    """The generator of CycleGAN; a block adds what it changed, and nothing follows the sum.

    Args:
        shape: Of a picture.
        width: Channels at full size.
        blocks: How many residual blocks.
        norm: A kind of ``normalised``.
        padding: ``"same"`` throughout; or ``"reflect"``: reflected around the kernels that keep
            the size, and one pixel of zeros around those that change it.
        upsample: ``"nearest"``, then a convolution, or ``"transposed"``.
        biased: Whether convolutions have a bias that a normalisation takes away.
        out_channels: Of the picture that it makes.
        **options: Of ``normalised``.
    """
    bias = biased or norm in _WITH_OFFSET

    def normed(make: Callable[..., Any], x: Any, name: str, *shape: int) -> Any:
        x = make(x, padding, *shape, use_bias=bias, name=f"{name}.conv")
        return normalised(x, norm, f"{name}.norm", **options)

    relu = layers.ReLU()
    image = keras.Input(shape)
    x = relu(normed(_kept, image, "stem", width, 7))
    for index in range(2):
        x = relu(normed(_halved, x, f"down.{index}", width * 2 ** (index + 1)))
    for index in range(blocks):
        changed = relu(normed(_kept, x, f"body.{index}.first", 4 * width, 3))
        x = layers.Add()([x, normed(_kept, changed, f"body.{index}.second", 4 * width, 3)])
    double = _doubled if upsample == "transposed" else _repeated
    for index in range(2):
        x = relu(normed(double, x, f"up.{index}", width * 2 ** (1 - index)))
    last = _kept(x, padding, out_channels, 7, name="head")
    return keras.Model(image, layers.Activation("tanh")(last))


def _kept(x: Any, padding: str, filters: int, size: int, **about: Any) -> Any:
    """Convolve; the map keeps its size."""
    if padding == "same":
        return layers.Conv2D(filters, size, padding="same", **about)(x)
    by = size // 2
    around = ((0, 0), (by, by), (by, by), (0, 0))
    x = layers.Lambda(lambda maps: keras.ops.pad(maps, around, mode="reflect"))(x)
    return layers.Conv2D(filters, size, **about)(x)


def _halved(x: Any, padding: str, filters: int, **about: Any) -> Any:
    if padding == "same":
        return layers.Conv2D(filters, 3, 2, padding="same", **about)(x)
    return layers.Conv2D(filters, 3, 2, **about)(layers.ZeroPadding2D(1)(x))


def _doubled(x: Any, padding: str, filters: int, **about: Any) -> Any:
    if padding == "same":
        return layers.Conv2DTranspose(filters, 3, 2, padding="same", **about)(x)
    return layers.Cropping2D(((1, 0), (1, 0)))(layers.Conv2DTranspose(filters, 3, 2, **about)(x))


def _repeated(x: Any, padding: str, filters: int, **about: Any) -> Any:
    return layers.Conv2D(filters, 3, padding="same", **about)(layers.UpSampling2D(2)(x))


def patch_discriminator(
    shape: Shape,
    width: int,
    depth: int,
    norm: str,
    padding: str,
    slope: float,
    biased: bool,
    condition_channels: int = 0,
    **options: Any,
) -> keras.Model:
    """The discriminator of pix2pix and CycleGAN: a score for each patch, before any sigmoid.

    Args:
        shape: Of a picture.
        width: Channels of the first convolution.
        depth: How many of stride 2; of none, all kernels are of one pixel.
        norm: A kind of ``normalised``.
        padding: ``"same"``, or ``"one"`` pixel of zeros at each side.
        slope: Of the activations.
        biased: Whether convolutions have a bias that a normalisation takes away.
        condition_channels: Of the picture that it is given beside, which is joined before.
        **options: Of ``normalised``.
    """
    zeros = padding == "one" and depth > 0
    make = partial(
        layers.Conv2D, kernel_size=4 if depth else 1, padding="valid" if zeros else "same"
    )

    def conv(x: Any, filters: int, **about: Any) -> Any:
        return make(filters, **about)(layers.ZeroPadding2D(1)(x) if zeros else x)

    image = keras.Input(shape)
    condition = keras.Input((*shape[:2], condition_channels)) if condition_channels else None
    x = image if condition is None else layers.Concatenate()([condition, image])
    for index, stride in enumerate([*(2,) * depth, 1] if depth else [1, 1]):
        bias = biased or not index or norm in _WITH_OFFSET
        filters = width * min(2**index, 8)
        x = conv(x, filters, strides=stride, use_bias=bias, name=f"convs.{index}")
        x = normalised(x, norm, f"norms.{index - 1}", **options) if index else x
        x = layers.LeakyReLU(negative_slope=slope)(x)
    inputs = image if condition is None else [image, condition]
    return keras.Model(inputs, conv(x, 1, name="head"))


def dcgan_generator(
    shape: tuple[int],
    size: int,
    width: int,
    kernel_size: int,
    norm: str,
    out_channels: int = 3,
    **options: Any,
) -> keras.Model:
    """The generator of DCGAN: a vector, projected to 4x4 pixels, and doubled from there.

    Args:
        shape: Of a vector.
        size: Height and width of a picture, in pixels.
        width: Channels of the last map before the picture.
        kernel_size: Of the doublings, in pixels.
        norm: A kind of ``normalised``.
        out_channels: Of the picture.
        **options: Of ``normalised``.
    """
    bias = norm in _WITH_OFFSET
    latent = keras.Input(shape)
    x = layers.Reshape((1, 1, *shape))(latent)
    filters = width * size // 8
    x = layers.Conv2DTranspose(filters, 4, use_bias=bias, name="convs.0")(x)
    double = partial(layers.Conv2DTranspose, kernel_size=kernel_size, strides=2, padding="same")
    index = 0
    while filters > width:
        x = layers.ReLU()(normalised(x, norm, f"norms.{index}", **options))
        filters, index = filters // 2, index + 1
        x = double(filters, use_bias=bias, name=f"convs.{index}")(x)
    x = layers.ReLU()(normalised(x, norm, f"norms.{index}", **options))
    return keras.Model(latent, layers.Activation("tanh")(double(out_channels, name="head")(x)))


def dcgan_discriminator(
    shape: Shape, width: int, kernel_size: int, norm: str, slope: float, **options: Any
) -> keras.Model:
    """The discriminator of DCGAN: halved down to 4x4 pixels, of which a last kernel makes a score.

    Args:
        shape: Of a picture.
        width: Channels of the first convolution.
        kernel_size: Of those that halve, in pixels.
        norm: A kind of ``normalised``.
        slope: Of the activations.
        **options: Of ``normalised``.
    """
    x = image = keras.Input(shape)
    halve = partial(layers.Conv2D, kernel_size=kernel_size, strides=2, padding="same")
    index = 0
    while x.shape[1] > 4:
        bias = not index or norm in _WITH_OFFSET
        x = halve(width * 2**index, use_bias=bias, name=f"convs.{index}")(x)
        x = normalised(x, norm, f"norms.{index - 1}", **options) if index else x
        x = layers.LeakyReLU(negative_slope=slope)(x)
        index += 1
    return keras.Model(image, layers.Flatten()(layers.Conv2D(1, 4, name="head")(x)))
