"""Whole networks, as the study notes write them."""

import keras

from parity.references._common import Tensors, run

_LAYERS = ("encoder", "bottom", "decoder", "head")


def small_mosaic_unet(t: Tensors) -> Tensors:
    """The U-Net with which the notes introduce mosaic removal; layers before activation, too."""
    layers = keras.layers
    image = keras.Input(t["image"].shape[1:])
    encoder = layers.Conv2D(64, 5, padding="same", strides=4)(image)
    encoded = layers.ReLU()(encoder)
    bottom = layers.Conv2D(128, 3, padding="same")(encoded)
    x = layers.Concatenate()([layers.ReLU()(bottom), encoded])
    decoder = layers.Conv2D(64, 5, padding="same")(x)
    x = layers.UpSampling2D(4)(layers.ReLU()(decoder))
    head = layers.Conv2D(3, 3, padding="same")(layers.Concatenate()([x, image]))
    output = layers.Activation("sigmoid")(head)
    model = keras.Model(image, [encoder, bottom, decoder, head, output])
    weights = [t[f"{layer}/{kind}"] for layer in _LAYERS for kind in ("kernel", "bias")]
    values, _ = run(model, t["image"], weights)
    return dict(zip((*_LAYERS, "output"), values, strict=True))
