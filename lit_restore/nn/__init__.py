"""Layers; torch only."""

from lit_restore.nn.block import ConvNormAct
from lit_restore.nn.conv import (
    SameConv2d,
    SameConvTranspose2d,
    SameMaxPool2d,
    pad_same,
    same_padding,
)
from lit_restore.nn.squeeze_excite import SqueezeExcite
from lit_restore.nn.upsample import (
    PixelShuffleUpsample,
    UpsampleConcatConv2d,
    depth_to_space,
    pixel_shuffle_permutation,
)

__all__ = [
    "ConvNormAct",
    "PixelShuffleUpsample",
    "SameConv2d",
    "SameConvTranspose2d",
    "SameMaxPool2d",
    "SqueezeExcite",
    "UpsampleConcatConv2d",
    "depth_to_space",
    "pad_same",
    "pixel_shuffle_permutation",
    "same_padding",
]
