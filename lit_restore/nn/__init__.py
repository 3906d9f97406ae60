"""Layers; torch only."""

from lit_restore.nn.batch_norm import KerasBatchNorm2d
from lit_restore.nn.block import ConvNormAct, Order
from lit_restore.nn.conv import (
    SameConv2d,
    SameConvTranspose2d,
    pad_same,
    same_padding,
)
from lit_restore.nn.fast_instance_norm import FastInstanceNorm2d
from lit_restore.nn.image_pool import ImagePool
from lit_restore.nn.init import glorot_uniform_, mean_through_, pass_through_
from lit_restore.nn.instance_norm import StdInstanceNorm2d
from lit_restore.nn.layer_norm import ChannelLayerNorm2d
from lit_restore.nn.masks import RATIO_BINS, composite, hole_ratio, ratio_bin
from lit_restore.nn.normalization import Norm, check_norm, make_norm, removes_mean
from lit_restore.nn.partial_conv import PartialConv2d
from lit_restore.nn.partial_up_conv import PartialUpConv2d
from lit_restore.nn.pool import SameAvgPool2d, SameMaxPool2d
from lit_restore.nn.prelu import ChannelPReLU, channel_prelu
from lit_restore.nn.region_conv import RegionConv2d
from lit_restore.nn.region_norm import RegionNorm2d
from lit_restore.nn.shuffle_conv import PixelShuffleConv2d
from lit_restore.nn.squeeze_excite import SqueezeExcite
from lit_restore.nn.switch_batch_norm import (
    NormMode,
    SwitchBatchNorm2d,
    recalibrate,
    set_norm_mode,
)
from lit_restore.nn.tta import TTA
from lit_restore.nn.upsample import (
    PixelShuffleUpsample,
    UpsampleConcatConv2d,
    depth_to_space,
    pixel_shuffle_permutation,
)
from lit_restore.nn.upsample_conv import UpsampleConv2d
from lit_restore.nn.value_range import to_signed, to_unit

__all__ = [
    "RATIO_BINS",
    "TTA",
    "ChannelLayerNorm2d",
    "ChannelPReLU",
    "ConvNormAct",
    "FastInstanceNorm2d",
    "ImagePool",
    "KerasBatchNorm2d",
    "Norm",
    "NormMode",
    "Order",
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
    "SwitchBatchNorm2d",
    "UpsampleConcatConv2d",
    "UpsampleConv2d",
    "channel_prelu",
    "check_norm",
    "composite",
    "depth_to_space",
    "glorot_uniform_",
    "hole_ratio",
    "make_norm",
    "mean_through_",
    "pad_same",
    "pass_through_",
    "pixel_shuffle_permutation",
    "ratio_bin",
    "recalibrate",
    "removes_mean",
    "same_padding",
    "set_norm_mode",
    "to_signed",
    "to_unit",
]
