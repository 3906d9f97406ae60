"""Trainings of 20 steps: the notes' mosaic U-Net and ours, by Adam and by SGD."""

from functools import partial
from typing import Any

from parity.cases.mosaic_unet import full, small
from parity.network import Network
from parity.trajectory import trajectory_case

_OPTIONS: dict[str, Any] = {"skip": "concat", "squeeze_excite": True, "output": "sigmoid"}
_FULL = Network(partial(full, **_OPTIONS), (2, 16, 24))
_SETTINGS = {"widths": [32, 48], **_OPTIONS}
_SMALL = Network(small, (2, 12, 20))

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
)
