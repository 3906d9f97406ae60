"""Races of segmentation networks."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks import segmentation_keras, segmentation_torch
from benchmarks.process import Contender
from benchmarks.segmentation_torch import SETTINGS, Network
from benchmarks.speed import Race

TITLES: dict[Network, str] = {
    "convs": "the notes' six convolutions",
    "unet": "a U-Net of four stages with BatchNorm",
}


def _races(network: Network, target: float, steps: int) -> Iterator[Race]:
    batch, size, _ = SETTINGS[network]
    for num_classes in (1, 3):
        about: dict[str, Any] = {"network": network, "num_classes": num_classes}
        classes = "a sigmoid" if num_classes == 1 else f"{num_classes} classes"
        yield Race(
            f"training step of {TITLES[network]}, {classes}, {batch} pictures of {size}x{size}",
            partial(segmentation_torch.training, **about),
            None,
            (
                Contender(
                    "Keras, tf.function", partial(segmentation_keras.training_function, **about)
                ),
                Contender(
                    "Keras, train_on_batch", partial(segmentation_keras.train_on_batch, **about)
                ),
            ),
            target,
            steps=steps,
        )


SEGMENTATION = (*_races("convs", 1.2, 4), *_races("unet", 1.0, 1))
