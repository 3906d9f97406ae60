"""A contact sheet of filled holes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from benchmarks.inpainting import Method, Sample

GAP = 4


def write_sheet(path: Path, samples: "Sequence[Sample]", fills: "Mapping[str, Method]") -> None:
    """Write one row for each class of hole ratios: holes in white, the methods, the original.

    Args:
        path: Of the picture; its folder must exist.
        samples: The first of each class is taken whose picture no row has yet, if there is one.
        fills: The columns between, by name, in order.
    """
    import torch
    import torch.nn.functional as F

    from lit_restore.data import write_image

    rows = []
    for sample in _chosen(samples):
        picture, mask = sample.picture, sample.mask
        filled = [torch.where(mask, picture, fill(picture, mask)) for fill in fills.values()]
        masked = picture.where(mask, torch.tensor(255, dtype=torch.uint8))
        cells = [F.pad(one, (GAP, 0, GAP, 0), value=255) for one in (masked, *filled, picture)]
        rows.append(torch.cat(cells, 2))
    write_image(F.pad(torch.cat(rows, 1), (0, GAP, 0, GAP), value=255), path)


def _chosen(samples: "Sequence[Sample]") -> "list[Sample]":
    chosen: list[Sample] = []
    seen: list[Tensor] = []
    for number in sorted({sample.ratio_bin for sample in samples}):
        group = [sample for sample in samples if sample.ratio_bin == number]
        fresh = [one for one in group if not any(one.picture is old for old in seen)]
        chosen.append((fresh or group)[0])
        seen.append(chosen[-1].picture)
    return chosen
