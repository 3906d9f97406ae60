"""All cases, in the order of the table. A new one is an entry in a module's ``CASES``."""

from parity.case import Case
from parity.cases import (
    conv_norm_act,
    convolutions,
    losses,
    metrics,
    mosaic_unet,
    pictures,
    pooling,
    trajectories,
    upsampling,
)

CASES: tuple[Case, ...] = (
    *convolutions.CASES,
    *pooling.CASES,
    *upsampling.CASES,
    *conv_norm_act.CASES,
    *mosaic_unet.CASES,
    *trajectories.CASES,
    *losses.CASES,
    *metrics.CASES,
    *pictures.CASES,
)
