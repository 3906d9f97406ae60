"""Races of pix2pix, CycleGAN and DCGAN."""

from collections.abc import Sequence
from functools import partial

from benchmarks import gan_keras, gan_torch
from benchmarks.process import Contender
from benchmarks.speed import NAIVE, NO_MALLOC, OURS, PREDICT, Race
from benchmarks.torch_side import NAIVE as UNFOLDED
from benchmarks.torch_side import NO_MALLOC as UNTOUCHED
from benchmarks.torch_side import OURS as BEST
from benchmarks.torch_side import Recipe

FUNCTION = "Keras, tf.function"
NCHW = Recipe(channels_last=False)
PORTED = {OURS: BEST, NO_MALLOC: UNTOUCHED, NAIVE: None}
LAID_OUT = PORTED | {"ours, maps channel by channel": NCHW}
TAKEN_APART = LAID_OUT | {"our networks without any of it": UNFOLDED}

TRANSLATORS: Sequence[tuple[str, gan_torch.Kind]] = (
    ("the notes' U-Net", "unet"),
    ("a ResNet of 6 blocks", "resnet"),
)
GAN = (
    Race(
        "training step of the notes' pix2pix U-Net (L1 alone), a picture of 256x256",
        gan_torch.generator_training,
        None,
        (
            Contender(FUNCTION, gan_keras.generator_function),
            Contender("Keras, train_on_batch", gan_keras.generator_on_batch),
        ),
        1.25,
        steps=2,
        recipes=TAKEN_APART,
    ),
    Race(
        "whole step of pix2pix with the notes' U-Net, a picture of 256x256",
        gan_torch.pix2pix_training,
        None,
        (Contender(FUNCTION, gan_keras.pix2pix_function),),
        1.0,
        steps=1,
        recipes=LAID_OUT,
    ),
    Race(
        "whole step of CycleGAN with the notes' U-Nets, pictures of 256x256",
        partial(gan_torch.cyclegan_training, kind="unet"),
        None,
        (Contender(FUNCTION, partial(gan_keras.cyclegan_function, kind="unet")),),
        1.0,
        steps=1,
        recipes=PORTED,
    ),
    Race(
        "whole step of CycleGAN with ResNets of 6 blocks, pictures of 128x128",
        partial(gan_torch.cyclegan_training, kind="resnet"),
        None,
        (Contender(FUNCTION, partial(gan_keras.cyclegan_function, kind="resnet")),),
        1.0,
        steps=1,
        recipes=PORTED,
    ),
    Race(
        "whole step of DCGAN, 32 pictures of 64x64",
        gan_torch.dcgan_training,
        None,
        (Contender(FUNCTION, gan_keras.dcgan_function),),
        1.0,
        steps=1,
        recipes=PORTED,
    ),
    *(
        Race(
            f"translation of a picture of 256x256 by {name}",
            partial(gan_torch.inference, kind=kind),
            None,
            (
                Contender(FUNCTION, partial(gan_keras.inference_function, kind=kind)),
                Contender(PREDICT, partial(gan_keras.predict_on_batch, kind=kind)),
            ),
            steps=4,
            recipes=PORTED,
        )
        for name, kind in TRANSLATORS
    ),
)
