"""Layers; torch only."""

from lit_restore.nn.batch_norm import KerasBatchNorm2d
from lit_restore.nn.block import ConvNormAct
from lit_restore.nn.conv import (
    SameConv2d,
    SameConvTranspose2d,
    pad_same,
    same_padding,
)
from lit_restore.nn.init import glorot_uniform_, pass_through_
from lit_restore.nn.instance_norm import StdInstanceNorm2d
from lit_restore.nn.layer_norm import ChannelLayerNorm2d
from lit_restore.nn.pool import SameAvgPool2d, SameMaxPool2d
from lit_restore.nn.prelu import ChannelPReLU, channel_prelu
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
    "ChannelLayerNorm2d",
    "ChannelPReLU",
    "ConvNormAct",
    "KerasBatchNorm2d",
    "PixelShuffleConv2d",
    "PixelShuffleUpsample",
    "SameAvgPool2d",
    "SameConv2d",
    "SameConvTranspose2d",
    "SameMaxPool2d",
    "SqueezeExcite",
    "StdInstanceNorm2d",
    "UpsampleConcatConv2d",
    "channel_prelu",
    "depth_to_space",
    "glorot_uniform_",
    "pad_same",
    "pass_through_",
    "pixel_shuffle_permutation",
    "same_padding",
    "to_signed",
    "to_unit",
]
