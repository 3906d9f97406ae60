"""How far around a tile a network looks; torch only."""

import torch
from torch import Tensor, nn

_SHORTEST = 128
_LONGEST = 2048
_TOGETHER = 16  # pictures that are shown at a time


@torch.inference_mode()
def needed_halo(network: nn.Module) -> int | None:
    """Measure how much of its surroundings a tile needs so as to be judged as in the whole picture.

    Tiles begin and end at multiples of the network's ``multiple_of``, where its pooling does, too.
    A row, then a column, of an empty picture is made NaN, at every place of that grid: all that is
    computed from it becomes NaN, whatever the weights are. A kernel that computes several pixels
    together may spread it further, so that the measure can be too large, but not too small.

    Args:
        network: Keeps the size of pictures whose sides are multiples of its ``multiple_of`` (1 if
            missing), and reads ``in_channels`` (3 if missing); in eval mode. If it says how far it
            looks by an attribute ``receptive_radius``, in pixels, that is taken instead.

    Returns:
        Pixels at each side, a multiple of ``multiple_of``; None if the whole picture is needed, as
        for normalisations of instances, or more of it than this can find.
    """
    step = int(getattr(network, "multiple_of", 1))
    if hasattr(network, "receptive_radius"):
        return _rounded_up(int(network.receptive_radius), step)  # type: ignore[arg-type]
    length = _rounded_up(_SHORTEST, step)
    while length <= max(_LONGEST, 4 * step):
        needed = [_along(network, length, step, axis) for axis in (-2, -1)]
        if None not in needed:
            return max(_rounded_up(pixels, step) for pixels in needed if pixels is not None)
        length *= 2
    return None


def _along(network: nn.Module, length: int, step: int, axis: int) -> int | None:
    """Find what is needed along an axis, in pixels; None: to an end of the picture."""
    middle = length // 2 // step * step
    needed = 0
    for places in torch.split(torch.arange(middle, middle + step), _TOGETHER):
        spreads = _spread(network, (length, step), places, axis)
        for place, spread in zip(places.tolist(), spreads, strict=True):
            found = spread.nonzero()
            first, last = int(found.min()), int(found.max())
            if first == 0 or last == length - 1:
                return None
            begin = last // step * step  # of the last tile that the place counts for
            end = first // step * step + step  # of the first one
            needed = max(needed, begin - place, place + 1 - end)
    return needed


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
    with torch.backends.cudnn.flags(enabled=False):  # some of its kernels spread it everywhere
        result: Tensor = network(images)
    return result.isnan().any(dim=1).any(dim=-1 if axis == -2 else -2).cpu()


def _rounded_up(length: int, step: int) -> int:
    return length + -length % step
