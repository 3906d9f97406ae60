"""Inpainting of photographs under irregular masks: PSNR in the holes, by how much is missing."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.inpainting_methods import TELEA, methods
from benchmarks.report import Report

if TYPE_CHECKING:
    from torch import Tensor

SHIPPED = "inpaint_pconv"
SIZE = 128
BINS = (".01-.1", ".1-.2", ".2-.3", ".3-.4", ".4-.5", ".5-.6")
ORIGINAL = "original"

Method = Callable[["Tensor", "Tensor"], "Tensor"]


class MissingDataError(Exception):
    """The pictures are not where they should be."""


class MissingNetworkError(Exception):
    """The weights are missing or broken, or of a network for something else."""


@dataclass(frozen=True)
class Sample:
    """A picture and the mask that was dealt to it.

    Attributes:
        picture: Shape (3, H, W), uint8.
        mask: Shape (1, H, W), bool; True where valid.
        ratio_bin: Place of the file's own hole ratio in ``BINS``; -1: in none.
    """

    picture: "Tensor"
    mask: "Tensor"
    ratio_bin: int


def folders() -> tuple[Path, Path]:
    """Find the folders of pictures and of masks.

    Raises:
        MissingDataError: If ``LIT_RESTORE_DATA`` names no folder that has them.
    """
    root = Path(os.environ.get("LIT_RESTORE_DATA") or "nowhere")
    found = root / "natural" / "kodak", root / "irregular_masks"
    if not all(folder.is_dir() for folder in found):
        raise MissingDataError(
            "LIT_RESTORE_DATA names no folder with natural/kodak and irregular_masks"
        )
    return found


def run(
    threads: int, weights: Path | None = None, size: int = SIZE, sheet: Path | None = None
) -> Report:
    """Measure the shipped network beside mean fill and OpenCV's two methods.

    Args:
        threads: Of PyTorch.
        weights: Of another network.
        size: Side of the pictures, in pixels.
        sheet: File for a contact sheet.

    Raises:
        MissingDataError: If the pictures or masks are missing.
        MissingNetworkError: If the network is.
        ImportError: If OpenCV is not installed.
    """
    import torch

    torch.set_num_threads(threads)
    pictures, masks = folders()
    ours = weights.stem if weights else SHIPPED
    try:
        fills = methods(ours, weights)
    except (KeyError, OSError, ValueError) as error:
        raise MissingNetworkError(str(error.args[0] if error.args else error)) from error
    samples = deal(pictures, masks, size)
    if sheet:
        from benchmarks.inpainting_sheet import write_sheet

        write_sheet(sheet, samples, {name: fills[name] for name in (TELEA, ours)})
    title = (
        f"inpainting: {len(samples)} masks dealt in order over the pictures of natural/kodak at "
        f"{size}x{size} (Lanczos; masks nearest); PSNR in dB of RGB, 8 bits, over the holes alone, "
        "the mean of the pictures of each class of hole ratios"
    )
    return report(title, samples, fills, ours)


def deal(pictures: Path, masks: Path, size: int) -> list[Sample]:
    """Give each mask, by name, the next picture, and again from the first after the last.

    Args:
        pictures: Folder.
        masks: Folder; white is hole.
        size: Side to which both are squeezed, in pixels.
    """
    from PIL import Image

    from lit_restore.data import list_images, read_image
    from lit_restore.nn.masks import ratio_bin

    def squeezed(path: Path, filter: Image.Resampling) -> "Tensor":
        import numpy as np
        import torch

        whole = Image.fromarray(read_image(path, bit_depth=8).permute(1, 2, 0).numpy())
        small = np.array(whole.resize((size, size), filter))
        return torch.from_numpy(small).permute(2, 0, 1).contiguous()

    scenes = [squeezed(path, Image.Resampling.LANCZOS) for path in list_images(pictures)]
    samples = []
    for index, path in enumerate(list_images(masks)):
        mask = squeezed(path, Image.Resampling.NEAREST)[:1] < 128
        own = int(ratio_bin(read_image(path, bit_depth=8)[:1] < 128))
        samples.append(Sample(scenes[index % len(scenes)], mask, own))
    return samples


def report(title: str, samples: Sequence[Sample], fills: Mapping[str, Method], ours: str) -> Report:
    """Measure methods and put their figures in a table.

    Args:
        title: Of the report; tells the protocol.
        samples: What they have to fill.
        fills: By name; one is ``TELEA``.
        ours: Name of the one that is held against Telea's.
    """
    scores = {name: [_scores(fill, sample) for sample in samples] for name, fill in fills.items()}
    gains = [ours[0] - telea[0] for ours, telea in zip(scores[ours], scores[TELEA], strict=True)]
    groups = [[i for i, one in enumerate(samples) if one.ratio_bin == n] for n in range(len(BINS))]
    groups.append(list(range(len(samples))))
    rows = {name: [_mean([each[i][0] for i in group]) for group in groups]
            for name, each in scores.items()}  # fmt: skip
    whole = {name: _mean([each[1] for each in found]) for name, found in scores.items()}
    held = [[gains[i] for i in group] for group in groups]
    lines = [
        _row("PSNR in the holes", [*BINS, "all", "whole picture"]),
        _row("---", ["---"] * (len(BINS) + 2)),
        _row("pictures", [*(str(len(group)) for group in groups), ""]),
        *(_row(name, [f"{x:.2f}" for x in (*row, whole[name])]) for name, row in rows.items()),
        _row(f"{ours} - Telea", [*(f"{_mean(g):+.2f} ± {_error(g):.2f}" for g in held), ""]),
    ]
    data = {
        "classes": [*BINS, "all"],
        "pictures": [len(group) for group in groups],
        "hole_psnr": rows,
        "whole_psnr": whole,
        "gain_over_telea": [_mean(group) for group in held],
        "standard_error": [_error(group) for group in held],
    }
    return Report(title, lines, [], data)


def _scores(fill: Method, sample: Sample) -> tuple[float, float]:
    """PSNR over the holes, and over the whole picture."""
    import torch

    from lit_restore.metrics import hole_psnr, psnr

    result = torch.where(sample.mask, sample.picture, fill(sample.picture, sample.mask))
    pair = result[None].double(), sample.picture[None].double()
    return float(hole_psnr(*pair, sample.mask[None], peak=255)), float(psnr(*pair, peak=255))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def _error(values: Sequence[float]) -> float:
    """Standard error of the mean."""
    if len(values) < 2:
        return float("nan")
    mean = _mean(values)
    spread = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return float((spread / len(values)) ** 0.5)


def _row(name: str, cells: Sequence[Any]) -> str:
    return f"| {name} | {' | '.join(cells)} |"
