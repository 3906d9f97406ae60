"""Bugs that the fuzzer must find, planted into lit_restore for the length of a block."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest import mock

import torch.nn.functional as F

from lit_restore import nn as layers
from lit_restore.nn import conv, pool, upsample
from parity.fuzz import bugs
from parity.fuzz.bugs import Function


class UnknownPlantError(LookupError):
    """There is no such bug."""


@dataclass(frozen=True)
class Plant:
    """A bug.

    Attributes:
        where: What holds the function that goes wrong: classes or modules.
        name: The function's name there.
        wrong: The wrong function; it is given the right one first.
        kinds: The kinds of layers that it spoils, or some of them.
    """

    where: tuple[Any, ...]
    name: str
    wrong: Function
    kinds: tuple[str, ...]


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Have a bug in lit_restore during a ``with`` block.

    Raises:
        UnknownPlantError: If there is no such bug; the message lists all.
    """
    if name not in PLANTS:
        raise UnknownPlantError(f"expected one of {', '.join(PLANTS)}, got {name!r}")
    plant = PLANTS[name]
    with ExitStack() as stack:
        for owner in plant.where:
            wrong = _bound(plant.wrong, getattr(owner, plant.name))
            stack.enter_context(mock.patch.object(owner, plant.name, wrong))
        yield


def _bound(wrong: Function, right: Function) -> Function:
    # A partial object would not be bound to its instance as a method is.
    return lambda *args, **options: wrong(right, *args, **options)


_in_conv = partial(Plant, (layers.SameConv2d,), "forward", kinds=("conv",))

PLANTS: dict[str, Plant] = {
    "extra-pixel-before": Plant((conv,), "same_padding", bugs.extra_before, ("conv", "max_pool")),
    "padding-by-output-size": Plant((conv,), "same_padding", bugs.by_output, ("conv", "max_pool")),
    "padding-by-height": Plant((conv, pool), "pad_same", bugs.by_height, ("conv", "average_pool")),
    "symmetric-padding": Plant((conv,), "conv_same", bugs.symmetric, ("conv", "conv_norm_act")),
    "dilation-not-padded": Plant((conv,), "conv_same", bugs.undilated, ("conv",)),
    "kernel-turned": Plant((conv, upsample), "conv_same", bugs.turned, ("conv", "pixel_shuffle")),
    "bias-twice-at-border": _in_conv(bugs.bias_twice),
    "bias-without-gradient": _in_conv(bugs.bias_held),
    "computed-in-float32": _in_conv(bugs.in_float32),
    "transposed-crop-off": Plant(
        (layers.SameConvTranspose2d,), "forward", bugs.crop_off, ("conv_transpose",)
    ),
    "max-pool-zeros": Plant((pool,), "pad_same", bugs.with_zeros, ("max_pool",)),
    "average-counts-padding": Plant(
        (layers.SameAvgPool2d,), "forward", bugs.all_counted, ("average_pool",)
    ),
    "channel-order-swapped": Plant(
        (upsample,), "depth_to_space", bugs.other_order, ("pixel_shuffle",)
    ),
    "channel-order-tensorflow": Plant(
        (F,), "pixel_shuffle", bugs.tensorflow_order, ("depth_to_space", "upsample_concat")
    ),
    "fold-replicates-border": Plant(
        (layers.UpsampleConcatConv2d,), "forward", bugs.replicated, ("upsample_concat",)
    ),
    "skip-joined-first": Plant(
        (layers.UpsampleConcatConv2d,), "_plain", bugs.skip_first, ("upsample_concat",)
    ),
    "variance-unbiased": Plant((layers.KerasBatchNorm2d,), "forward", bugs.bessel, ("batch_norm",)),
    "epsilon-outside-root": Plant(
        (layers.KerasBatchNorm2d,), "forward", bugs.eps_outside, ("batch_norm",)
    ),
    "epsilon-in-root": Plant(
        (layers.StdInstanceNorm2d,), "forward", bugs.eps_in_root, ("instance_norm",)
    ),
    "normalised-over-width": Plant(
        (layers.ChannelLayerNorm2d,), "forward", bugs.over_width, ("layer_norm",)
    ),
    "relu-always-last": Plant((layers.ConvNormAct,), "forward", bugs.relu_last, ("conv_norm_act",)),
    "squeezed-to-maximum": Plant(
        (layers.SqueezeExcite,), "forward", bugs.by_row, ("squeeze_excite",)
    ),
}
