"""Trainings of 20 steps, by Adam and by SGD: mosaic U-Nets, and the notes' segmentation.

Keras's segmentation networks end in a sigmoid or a softmax, as the notes write them; ours give
logits.
"""

from functools import partial
from typing import Any

from lit_restore.models import ConvSegmenter, PoolingSegmenter
from parity.case import Case
from parity.cases.mosaic_unet import full, small
from parity.cases.segmentation_networks import in_keras
from parity.network import Network
from parity.trajectory import trajectory_case

_OPTIONS: dict[str, Any] = {"skip": "concat", "squeeze_excite": True, "output": "sigmoid"}
_FULL = Network(partial(full, **_OPTIONS), (2, 16, 24))
_SETTINGS = {"widths": [32, 48], **_OPTIONS}
_SMALL = Network(small, (2, 12, 20))
_BINARY = partial(ConvSegmenter, width=4, depth=6, style="keras")
_CLASSES = partial(PoolingSegmenter, width=4, upsample="transposed", skip=True, style="keras")


def _segmentation(name: str, build: Any, loss: str, **about: Any) -> Case:
    network = Network(build, (2, 6, 10))
    settings = in_keras(network.module)
    reference = settings.pop("model")
    settings["probabilities"] = True
    return trajectory_case(name, network, reference, loss, settings=settings, **about)


CASES = (
    trajectory_case("small_mosaic_unet/adam", _SMALL, "models.small_mosaic_unet"),
    trajectory_case(
        "small_mosaic_unet/absolute", _SMALL, "models.small_mosaic_unet", "MeanAbsoluteError"
    ),
    trajectory_case("small_mosaic_unet/sgd", _SMALL, "models.small_mosaic_unet", optimizer="SGD"),
    trajectory_case("mosaic_unet/adam", _FULL, "models.mosaic_unet", settings=_SETTINGS),
    trajectory_case(
        "mosaic_unet/sgd", _FULL, "models.mosaic_unet", optimizer="SGD", settings=_SETTINGS
    ),
    _segmentation("conv_segmenter/adam", _BINARY, "BinaryCrossentropy"),
    _segmentation(
        "conv_segmenter/momentum", _BINARY, "BinaryCrossentropy", optimizer="SGD", momentum=0.9
    ),
    _segmentation("pooling_segmenter/adam", _CLASSES, "SparseCategoricalCrossentropy"),
    _segmentation(
        "pooling_segmenter/momentum",
        _CLASSES,
        "SparseCategoricalCrossentropy",
        optimizer="SGD",
        momentum=0.9,
    ),
)
