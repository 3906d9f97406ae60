"""Inputs on which a converted network is compared with its original."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lit_restore.interop._room import check_numbers
from lit_restore.interop.graph import GraphNetwork

_HEIGHT, _WIDTH = 40, 56  # pixels, at least, where the model leaves them open
_LARGEST = 256
_OTHER = 7  # of an open axis that is no height or width

Sample = list[Tensor]


def random_samples(network: GraphNetwork, seed: int) -> dict[str, Sample]:
    """Draw inputs in unit range and in signed range, each of a network's shapes.

    Args:
        network: Says what shapes its inputs have.
        seed: All that the draw depends on.

    Returns:
        By name, one tensor per input of the network, shape (1, C, H, W).

    Raises:
        RoomError: If an input is too large.
    """
    generator = torch.Generator().manual_seed(seed)
    shapes = [_shape(network, entry["shape"]) for entry in network.graph["inputs"]]
    check_numbers([sum(math.prod(shape) for shape in shapes)])
    unit = [torch.rand(1, *shape, generator=generator) for shape in shapes]
    signed = [torch.rand(1, *shape, generator=generator) * 2 - 1 for shape in shapes]
    return {"random, 0 to 1": unit, "random, -1 to 1": signed}


def picture_samples(network: GraphNetwork, pictures: Mapping[str, Tensor]) -> dict[str, Sample]:
    """Fit pictures to a network: resized where it fixes a size, else cropped.

    Args:
        network: Says what shapes its inputs have; each gets the same picture.
        pictures: By name, shape (3, H, W), in unit range.

    Returns:
        By name, one tensor per input of the network; none for a network that takes no pictures.

    Raises:
        RoomError: If an input is too large.
    """
    shapes = [entry["shape"] for entry in network.graph["inputs"]]
    if any(shape is not None and len(shape) != 3 for shape in shapes):
        return {}
    samples = {}
    for name, picture in pictures.items():
        inputs = [_fitted(network, picture, shape or [None] * 3) for shape in shapes]
        if not any(image is None or 0 in image.shape for image in inputs):
            samples[name] = [image for image in inputs if image is not None]
    return samples


def _shape(network: GraphNetwork, shape: list[int | None] | None) -> list[int]:
    if shape is None or len(shape) == 3:
        channels, height, width = shape or [None, None, None]
        return [
            channels or getattr(network, "in_channels", 3),
            height or _rounded_up(_HEIGHT, network.multiple_of),
            width or _rounded_up(_WIDTH, network.multiple_of),
        ]
    return [size or _OTHER for size in shape]


def _rounded_up(size: int, multiple: int) -> int:
    return size + -size % multiple


def _fitted(network: GraphNetwork, picture: Tensor, shape: list[Any]) -> Tensor | None:
    channels, *fixed = shape
    channels = channels or getattr(network, "in_channels", 3)
    if channels not in (1, 3):
        return None
    image = picture[None].float()
    if channels == 1:
        image = image.mean(1, keepdim=True)
    multiple = network.multiple_of
    free = [min(side, _LARGEST) // multiple * multiple for side in image.shape[-2:]]
    height, width = (size or side for size, side in zip(fixed, free, strict=True))
    check_numbers([channels, height, width])
    if any(fixed):
        return F.interpolate(image, (height, width), mode="bilinear", antialias=True)
    return image[..., :height, :width].contiguous()
