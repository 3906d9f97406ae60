"""What a mosaic remover is measured by: mosaics, their smoothing, what it makes of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lit_restore.data.restoration import View

SIZE = 64


class Comparison(NamedTuple):
    """Pictures of shape (N, 3, H, W) in unit range: what was given, made, and wanted."""

    mosaic: "Tensor"
    bicubic: "Tensor"
    restored: "Tensor"
    original: "Tensor"


def compare(network: "nn.Module", files: Sequence[Path], view: "View", repeat: int) -> Comparison:
    """Cover pictures with mosaics, smooth them, restore them.

    Args:
        network: A mosaic remover.
        files: Pictures.
        view: ``"resize"`` for whole pictures, ``"zoom"`` for random crops, seed 0.
        repeat: Samples per picture; the samples of one picture are neighbours in the result.
    """
    import torch

    from lit_restore.data import Mosaic, RestorationDataset
    from lit_restore.inference import Restorer

    restorer = Restorer(network)
    rows = []
    for file in files:
        samples = RestorationDataset([file], Mosaic(), SIZE, view=view, repeat=repeat)
        for index in range(repeat):
            mosaic, original = samples[index]["input"], samples[index]["target"]
            rows.append((mosaic, smoothed(mosaic, 4), restorer(mosaic), original))
    return Comparison(*(torch.stack(column) for column in zip(*rows, strict=True)))


def smoothed(mosaic: "Tensor", block: int) -> "Tensor":
    """Enlarge a mosaic's blocks by Pillow's bicubic filter instead: what anyone could do.

    Args:
        mosaic: Shape (3, H, W), in unit range.
        block: Side of a block, in pixels.
    """
    import numpy as np
    import torch
    from PIL import Image

    small = (mosaic[:, ::block, ::block] * 255).round().byte().permute(1, 2, 0)
    size = (mosaic.shape[-1], mosaic.shape[-2])
    large = Image.fromarray(small.contiguous().numpy()).resize(size, Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(large)).permute(2, 0, 1) / 255
