"""Networks of pix2pix, CycleGAN and DCGAN in Keras, as the notes write theirs.

Instance normalisation is Keras 3's: ``GroupNormalization`` of one channel a group.
"""

from itertools import pairwise
from typing import Any

from benchmarks.gan_torch import BLOCKS, LATENT, NOISE_SIZE, NOTES, Kind


def generator(keras: Any, kind: Kind) -> Any:
    """Build a generator: the notes' U-Net, or CycleGAN's ResNet."""
    return unet(keras) if kind == "unet" else _resnet(keras)


def _instance(keras: Any, x: Any) -> Any:
    return keras.layers.GroupNormalization(groups=-1, center=False, scale=False)(x)


def unet(keras: Any) -> Any:
    """Build the notes' U-Net."""
    layers, widths = keras.layers, NOTES["widths"]

    def enlarge(x: Any, width: int, **options: Any) -> Any:
        x = layers.UpSampling2D(2)(x)
        return layers.Conv2D(width, 4, padding="same", **options)(x)

    image = x = keras.Input((None, None, 3))
    skips = []
    for width in widths:
        x = layers.Conv2D(width, 4, strides=2, padding="same")(x)
        x = layers.Activation("relu")(_instance(keras, x))
        skips.append(x)
    for skip, width in zip(skips[-2::-1], widths[-2::-1], strict=True):
        x = layers.Activation("relu")(_instance(keras, enlarge(x, width)))
        x = layers.Concatenate()([x, skip])
    return keras.Model(image, enlarge(x, 3, activation="tanh"))


def _resnet(keras: Any, width: int = 64) -> Any:
    layers = keras.layers

    def then(conv: Any, x: Any, active: bool = True) -> Any:
        x = _instance(keras, conv(x))
        return layers.Activation("relu")(x) if active else x

    def conv(channels: int, size: int, stride: int = 1, **options: Any) -> Any:
        return layers.Conv2D(channels, size, stride, padding="same", **options)

    image = keras.Input((None, None, 3))
    x = then(conv(width, 7), image)
    for channels in (2 * width, 4 * width):
        x = then(conv(channels, 3, 2), x)
    for _ in range(BLOCKS):
        inside = then(conv(4 * width, 3), then(conv(4 * width, 3), x), active=False)
        x = layers.Add()([x, inside])
    for channels in (2 * width, width):
        x = then(layers.Conv2DTranspose(channels, 3, 2, padding="same"), x)
    return keras.Model(image, conv(3, 7, activation="tanh")(x))


def patch_discriminator(keras: Any, channels: int, width: int = 64) -> Any:
    """Build the notes' discriminator, of pictures with so many channels."""
    layers = keras.layers
    image = keras.Input((None, None, channels))
    x = layers.Conv2D(width, 4, 2, padding="same")(image)
    x = layers.LeakyReLU(0.2)(x)
    for channels, stride in ((2 * width, 2), (4 * width, 2), (8 * width, 1)):
        x = layers.Conv2D(channels, 4, stride, padding="same")(x)
        x = layers.LeakyReLU(0.2)(_instance(keras, x))
    return keras.Model(image, layers.Conv2D(1, 4, padding="same")(x))


def dcgan_generator(keras: Any, width: int = 64) -> Any:
    """Build DCGAN's generator; its last map has so many channels."""
    layers = keras.layers
    widths = [width * 2**level for level in (3, 2, 1, 0)]
    latent = keras.Input((LATENT,))
    x = layers.Dense(4 * 4 * widths[0], use_bias=False)(latent)
    x = layers.Reshape((4, 4, widths[0]))(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for channels in widths[1:]:
        x = layers.Conv2DTranspose(channels, 4, 2, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    last = layers.Conv2DTranspose(3, 4, 2, padding="same", activation="tanh")
    return keras.Model(latent, last(x))


def dcgan_discriminator(keras: Any, width: int = 64) -> Any:
    """Build DCGAN's discriminator; its first map has so many channels."""
    layers = keras.layers
    image = keras.Input((NOISE_SIZE, NOISE_SIZE, 3))
    x = layers.LeakyReLU(0.2)(layers.Conv2D(width, 4, 2, padding="same")(image))
    for _, channels in pairwise(width * 2**level for level in range(4)):
        x = layers.Conv2D(channels, 4, 2, padding="same", use_bias=False)(x)
        x = layers.LeakyReLU(0.2)(layers.BatchNormalization()(x))
    return keras.Model(image, layers.Flatten()(layers.Conv2D(1, 4)(x)))
