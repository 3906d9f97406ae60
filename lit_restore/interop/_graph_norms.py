"""Normalisations of a graph."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.interop._graph_common import (
    GraphError,
    check_channels,
    choice,
    count,
    flag,
    number,
    sizes_of,
    torch_dim,
)


def _parameter(shape: Sequence[int], value: float, wanted: bool) -> nn.Parameter | None:
    return nn.Parameter(torch.full(tuple(shape), value)) if wanted else None


class BatchNormalization(nn.Module):
    """Keras's BatchNormalization over the channels, with the biased running variance of Keras 3.

    ``momentum`` is Keras's: the share of the old statistics that stays.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self,
        features: int,
        epsilon: float = 1e-3,
        momentum: float = 0.99,
        scale: bool = True,
        center: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__()
        self.axis = count("axis", axis, low=-1, high=3)
        self.epsilon = number("epsilon", epsilon)
        self.momentum = number("momentum", momentum)
        count("features", features)
        self.weight = _parameter([features], 1.0, flag("scale", scale))
        self.bias = _parameter([features], 0.0, flag("center", center))
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))

    def forward(self, value: Tensor) -> Tensor:
        """Normalise; shape (N, C), (N, T, C) or (N, C, H, W).

        Raises:
            ValueError: If Keras's ``axis`` is not the channels' of such a value.
        """
        check_channels(self.axis, value)
        if value.ndim == 3:
            return self._normalised(value.transpose(1, 2)).transpose(1, 2)
        return self._normalised(value)

    def _normalised(self, value: Tensor) -> Tensor:
        if self.training:
            self._update(value.detach())
            return F.batch_norm(
                value, None, None, self.weight, self.bias, training=True, eps=self.epsilon
            )
        statistics = (self.running_mean, self.running_var)
        return F.batch_norm(value, *statistics, self.weight, self.bias, eps=self.epsilon)

    def _update(self, value: Tensor) -> None:
        dims = [dim for dim in range(value.ndim) if dim != 1]
        variance, mean = torch.var_mean(value, dims, correction=0)
        self.running_mean.lerp_(mean.to(self.running_mean), 1 - self.momentum)
        self.running_var.lerp_(variance.to(self.running_var), 1 - self.momentum)


class LayerNormalization(nn.Module):
    """Keras's LayerNormalization: each item normalised over some axes, the channels' by default.

    ``shape`` is that of the parameters as they are held: (C,), (H,), (W,), (H, W) or (C, H, W).
    """

    def __init__(
        self,
        shape: Sequence[int] | None = None,
        axes: Sequence[int] = (-1,),
        epsilon: float = 1e-3,
        scale: bool = True,
        center: bool = True,
    ) -> None:
        super().__init__()
        self.axes = [count("axes", axis, low=-3, high=3) for axis in axes]
        self.epsilon = number("epsilon", epsilon)
        sizes = () if shape is None else sizes_of("shape", shape)
        if not sizes and (scale or center):
            raise GraphError("shape must be given where there is a scale or an offset, got none")
        self.weight = _parameter(sizes, 1.0, flag("scale", scale))
        self.bias = _parameter(sizes, 0.0, flag("center", center))

    def forward(self, value: Tensor) -> Tensor:
        """Normalise; shape (N, C), (N, T, C) or (N, C, H, W)."""
        check_channels(-1, value)
        dims = sorted(torch_dim(axis, value.ndim) for axis in self.axes)
        variance, mean = torch.var_mean(value, dims, correction=0, keepdim=True)
        result = (value - mean) * (variance + self.epsilon).rsqrt()
        sizes = [value.shape[dim] if dim in dims else 1 for dim in range(value.ndim)]
        if self.weight is not None:
            result = result * self.weight.reshape(sizes)
        return result if self.bias is None else result + self.bias.reshape(sizes)


class GroupNormalization(nn.Module):
    """Keras's GroupNormalization over the channels; ``groups=-1`` is one channel per group."""

    def __init__(
        self,
        groups: int = 32,
        channels: int | None = None,
        epsilon: float = 1e-3,
        scale: bool = True,
        center: bool = True,
    ) -> None:
        super().__init__()
        self.groups = groups if groups == -1 else count("groups", groups)
        self.epsilon = number("epsilon", epsilon)
        if channels is None and (scale or center):
            raise GraphError("channels must be given where there is a scale or an offset, got none")
        sizes = [] if channels is None else [count("channels", channels)]
        self.weight = _parameter(sizes, 1.0, flag("scale", scale))
        self.bias = _parameter(sizes, 0.0, flag("center", center))

    def forward(self, value: Tensor) -> Tensor:
        """Normalise; shape (N, C), (N, T, C) or (N, C, H, W)."""
        check_channels(-1, value)
        if value.ndim == 3:
            return self._normalised(value.transpose(1, 2)).transpose(1, 2)
        return self._normalised(value)

    def _normalised(self, value: Tensor) -> Tensor:
        groups = value.shape[1] if self.groups == -1 else self.groups
        return F.group_norm(value, groups, self.weight, self.bias, self.epsilon)


class InstanceNormalization(nn.Module):
    """keras_contrib's InstanceNormalization: ``(x - mean) / (std + epsilon)`` per item.

    ``per="channel"`` takes mean and standard deviation of each channel, ``per="item"`` of all
    channels together, with one scale and one offset.
    """

    def __init__(
        self,
        channels: int | None = None,
        epsilon: float = 1e-3,
        per: str = "channel",
        scale: bool = True,
        center: bool = True,
    ) -> None:
        super().__init__()
        self.epsilon = number("epsilon", epsilon)
        self.per = choice("per", per, ("channel", "item"))
        if channels is None and (scale or center):
            raise GraphError("channels must be given where there is a scale or an offset, got none")
        sizes = [] if channels is None else [count("channels", channels)]
        self.weight = _parameter(sizes, 1.0, flag("scale", scale))
        self.bias = _parameter(sizes, 0.0, flag("center", center))

    def forward(self, value: Tensor) -> Tensor:
        """Normalise; shape (N, C, H, W)."""
        dims = [2, 3] if self.per == "channel" else [1, 2, 3]
        variance, mean = torch.var_mean(value, dims, correction=0, keepdim=True)
        # The root of 0 has no gradient; that of the least number has none that matters.
        deviation = variance.clamp_min(torch.finfo(value.dtype).tiny).sqrt()
        result = (value - mean) / (deviation + self.epsilon)
        if self.weight is not None:
            result = result * self.weight[:, None, None]
        return result if self.bias is None else result + self.bias[:, None, None]
