"""The kinds of layers that are fuzzed. A new one is an entry here and one in ``strategies``."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from lit_restore import nn as layers
from parity.arrays import Arrays
from parity.fuzz import blocks, windows
from parity.fuzz.outcome import Outcome
from parity.fuzz.trial import Layer, Trial


@dataclass(frozen=True)
class Kind:
    """A kind of layers.

    Attributes:
        layer: A class of modules, or a function.
        oracle: Computes a trial with given arrays, in NumPy.
        depth: How many sums follow one another.
    """

    layer: Layer
    oracle: Callable[[Trial, Arrays], Outcome]
    depth: int = 1


KINDS = {
    "conv": Kind(layers.SameConv2d, windows.conv),
    "conv_valid": Kind(nn.Conv2d, windows.conv_valid),
    "conv_transpose": Kind(layers.SameConvTranspose2d, windows.conv_transpose),
    "conv_transpose_valid": Kind(nn.ConvTranspose2d, windows.conv_transpose_valid),
    "max_pool": Kind(layers.SameMaxPool2d, windows.max_pool),
    "average_pool": Kind(layers.SameAvgPool2d, windows.average_pool),
    "depth_to_space": Kind(layers.depth_to_space, blocks.depth_to_space),
    "pixel_shuffle": Kind(layers.PixelShuffleUpsample, blocks.pixel_shuffle),
    "upsample_concat": Kind(layers.UpsampleConcatConv2d, blocks.upsample_concat, depth=2),
    "batch_norm": Kind(layers.KerasBatchNorm2d, blocks.batch_norm, depth=3),
    "layer_norm": Kind(layers.ChannelLayerNorm2d, blocks.layer_norm, depth=3),
    "instance_norm": Kind(layers.StdInstanceNorm2d, blocks.instance_norm, depth=3),
    "conv_norm_act": Kind(layers.ConvNormAct, blocks.conv_norm_act, depth=4),
    "squeeze_excite": Kind(layers.SqueezeExcite, blocks.squeeze_excite, depth=4),
}
