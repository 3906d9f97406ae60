"""Logits for every pixel of pictures whose sides a network would not take; torch only."""

import torch
from torch import Tensor, nn

from lit_restore.inference.tiles import cut, grid_of, spans


def covering_logits(network: nn.Module, image: Tensor) -> Tensor:
    """Run a network on pictures that are continued as far as it needs.

    At the right and the bottom they go on with their edge, up to the network's ``multiple_of``; for
    a network with a ``margin`` they go on at all sides with their mirror image.

    Args:
        network: Makes logits, shape (N, K, H', W'), of pictures; see ``grid_of``.
        image: Shape (N, C, H, W).

    Returns:
        Shape (N, K, H, W).
    """
    grid = grid_of(network, tiled=False)
    height, width = image.shape[-2:]
    rows, columns = (spans(length, length, grid)[0] for length in (height, width))
    given = cut(image, rows, columns, grid)
    if given is not image:
        given = given.contiguous(memory_format=_format_of(image))
    logits: Tensor = network(given)
    return logits[..., :height, :width]


def _format_of(image: Tensor) -> torch.memory_format:
    last = image.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format
