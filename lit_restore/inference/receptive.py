"""How far around a pixel a network looks; torch only."""

import torch
from torch import Tensor, nn

_SHORTEST = 128
_LONGEST = 2048
_TOGETHER = 16  # pictures that are shown at a time


@torch.inference_mode()
def receptive_radius(network: nn.Module) -> int | None:
    """Measure how far from an output pixel the input can lie that it depends on.

    A row, then a column, of an empty picture is made NaN, at every place of the network's grid: all
    that is computed from it becomes NaN, whatever the weights are. A kernel that computes several
    pixels together may spread it further, so that the measure can be too large, but not too small.

    Args:
        network: Keeps the size of pictures whose sides are multiples of its ``multiple_of`` (1 if
            missing), and reads ``in_channels`` (3 if missing); in eval mode. If it has an attribute
            ``receptive_radius``, that is taken instead.

    Returns:
        Pixels; None if it is the whole picture, as with normalisations of instances, or more than
        this can find.
    """
    if hasattr(network, "receptive_radius"):
        return int(network.receptive_radius)  # type: ignore[arg-type]
    step = int(getattr(network, "multiple_of", 1))
    length = _rounded_up(_SHORTEST, step)
    while length <= max(_LONGEST, 4 * step):
        reaches = [_reach(network, length, step, axis) for axis in (-2, -1)]
        if None not in reaches:
            return max(reach for reach in reaches if reach is not None)
        length *= 2
    return None


def _reach(network: nn.Module, length: int, step: int, axis: int) -> int | None:
    """Find how far a NaN gets along an axis, in pixels; None: to an end of the picture."""
    middle = length // 2 // step * step
    furthest = 0
    for places in torch.arange(middle, middle + step).split(_TOGETHER):
        for place, spread in zip(
            places, _spread(network, (length, step), places, axis), strict=True
        ):
            found = spread.nonzero()
            first, last = int(found.min()), int(found.max())
            if first == 0 or last == length - 1:
                return None
            furthest = max(furthest, int(place) - first, last - int(place))
    return furthest


def _spread(network: nn.Module, size: tuple[int, int], places: Tensor, axis: int) -> Tensor:
    """Say where along an axis the output is NaN if the input is so at one place of it.

    Args:
        network: In eval mode.
        size: Length of the picture along the axis, and across.
        places: Shape (N,).
        axis: -2 or -1.

    Returns:
        Shape (N, length), bool.
    """
    weight = next(network.parameters(), torch.empty(0))
    channels = int(getattr(network, "in_channels", 3))
    lines = torch.zeros(len(places), channels, *size, dtype=weight.dtype)
    lines[torch.arange(len(places)), :, places] = torch.nan
    images = lines if axis == -2 else lines.transpose(-2, -1)
    images = images.to(weight.device).contiguous(memory_format=torch.channels_last)
    result: Tensor = network(images)
    return result.isnan().any(dim=1).any(dim=-1 if axis == -2 else -2).cpu()


def _rounded_up(length: int, step: int) -> int:
    return length + -length % step
