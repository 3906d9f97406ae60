"""Layers; torch only."""

from lit_restore.nn.batch_norm import KerasBatchNorm2d
from lit_restore.nn.block import ConvNormAct
from lit_restore.nn.conv import (
    SameConv2d,
    SameConvTranspose2d,
    pad_same,
    same_padding,
)
from lit_restore.nn.init import glorot_uniform_, mean_through_, pass_through_
from lit_restore.nn.instance_norm import StdInstanceNorm2d
from lit_restore.nn.layer_norm import ChannelLayerNorm2d
from lit_restore.nn.masks import RATIO_BINS, composite, hole_ratio, ratio_bin
from lit_restore.nn.partial_conv import PartialConv2d
from lit_restore.nn.partial_up_conv import PartialUpConv2d
from lit_restore.nn.pool import SameAvgPool2d, SameMaxPool2d
from lit_restore.nn.prelu import ChannelPReLU, channel_prelu
from lit_restore.nn.region_conv import RegionConv2d
from lit_restore.nn.region_norm import RegionNorm2d
from lit_restore.nn.shuffle_conv import PixelShuffleConv2d
from lit_restore.nn.squeeze_excite import SqueezeExcite
from lit_restore.nn.upsample import (
    PixelShuffleUpsample,
    UpsampleConcatConv2d,
    depth_to_space,
    pixel_shuffle_permutation,
)
from lit_restore.nn.value_range import to_signed, to_unit

__all__ = [
    "RATIO_BINS",
    "ChannelLayerNorm2d",
    "ChannelPReLU",
    "ConvNormAct",
    "KerasBatchNorm2d",
    "PartialConv2d",
    "PartialUpConv2d",
    "PixelShuffleConv2d",
    "PixelShuffleUpsample",
    "RegionConv2d",
    "RegionNorm2d",
    "SameAvgPool2d",
    "SameConv2d",
    "SameConvTranspose2d",
    "SameMaxPool2d",
    "SqueezeExcite",
    "StdInstanceNorm2d",
    "UpsampleConcatConv2d",
    "channel_prelu",
    "composite",
    "depth_to_space",
    "glorot_uniform_",
    "hole_ratio",
    "mean_through_",
    "pad_same",
    "pass_through_",
    "pixel_shuffle_permutation",
    "ratio_bin",
    "same_padding",
    "to_signed",
    "to_unit",
]
