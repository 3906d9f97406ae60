"""Edges of photographs against those that people drew: F-measure within two pixels, and PSNR."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.edges_methods import Way, methods, picture_of
from benchmarks.inpainting import MissingDataError, MissingNetworkError
from benchmarks.report import Report

if TYPE_CHECKING:
    from torch import Tensor

    from lit_restore.metrics import BoundaryScore

FOLDER = Path("edges2photo_bsds", "train")
TUNED = 50
TOLERANCE = 2
HEADS = tuple(f"{what}, {on}" for on in ("tuning", "test") for what in ("precision", "recall", "F"))


@dataclass(frozen=True)
class Pair:
    """A photograph and the lines that several people drew over it.

    Attributes:
        photo: Shape (3, H, W), uint8.
        drawn: Shape (1, H, W), bool.
    """

    photo: "Tensor"
    drawn: "Tensor"


@dataclass(frozen=True)
class Found:
    """What a method reaches.

    Attributes:
        way: The best of its settings on the pairs that tune it.
        tuned: Its score there.
        tested: Its score, with the same threshold, on the others.
        psnr: In dB, of its pictures of edges, on the others; the mean over pictures.
    """

    way: Way
    tuned: "BoundaryScore"
    tested: "BoundaryScore"
    psnr: float


def folder() -> Path:
    """Find the folder of the pairs.

    Raises:
        MissingDataError: If ``LIT_RESTORE_DATA`` names no folder that has it.
    """
    found = Path(os.environ.get("LIT_RESTORE_DATA") or "nowhere") / FOLDER
    if not all((found / side).is_dir() for side in ("A_edges", "B_photo")):
        raise MissingDataError(
            f"LIT_RESTORE_DATA names no folder with {FOLDER}/A_edges and {FOLDER}/B_photo"
        )
    return found


def run(threads: int, weights: Path | None = None, sheet: Path | None = None) -> Report:
    """Measure Canny, Sobel's magnitude, and a network if one is given.

    Args:
        threads: Of PyTorch and OpenCV.
        weights: A network of ours that turns a photograph to a picture of its edges.
        sheet: File for a contact sheet of pairs that tune nothing.

    Raises:
        MissingDataError: If the pairs are missing.
        MissingNetworkError: If the network is, or does not take photographs.
        ImportError: If OpenCV is not installed.
    """
    import cv2
    import torch

    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    pairs = read_pairs(folder())
    try:
        found = measure(pairs, methods(_mean_level(pairs[:TUNED]), weights), TUNED)
    except (OSError, ValueError) as error:
        raise MissingNetworkError(str(error)) from error
    if sheet:
        from benchmarks.edges_sheet import write_sheet

        write_sheet(sheet, pairs[TUNED:], found.values())
    return report(found, len(pairs))


def read_pairs(root: Path) -> list[Pair]:
    """Read all pairs, by name.

    Of some, the drawing is upright where the photograph lies on its side; it is laid down, too, by
    a quarter turn clockwise.

    Args:
        root: Has the folders ``A_edges``, lines in white on black, and ``B_photo``.

    Raises:
        MissingDataError: If the names differ, no pair is left to test, or sizes do not fit.
    """
    import torch

    from lit_restore.data import list_images, read_image

    drawings, photos = list_images(root / "A_edges"), list_images(root / "B_photo")
    if [path.stem for path in drawings] != [path.stem for path in photos]:
        raise MissingDataError(f"{root}: A_edges and B_photo must hold the same names")
    if len(photos) <= TUNED:
        raise MissingDataError(f"{root}: expected more than {TUNED} pairs, got {len(photos)}")
    pairs = []
    for drawing, path in zip(drawings, photos, strict=True):
        photo, drawn = read_image(path, bit_depth=8), read_image(drawing, bit_depth=8)[:1] > 127
        size = photo.shape[1:]
        if drawn.shape[1:] != size:
            drawn = torch.rot90(drawn, -1, (1, 2)).contiguous()
        if drawn.shape[1:] != size:
            raise MissingDataError(f"{drawing} and {path} must be of one size")
        pairs.append(Pair(photo, drawn))
    return pairs


def measure(
    pairs: Sequence[Pair], ways: Mapping[str, Sequence[Way]], tuned: int
) -> dict[str, Found]:
    """Tune each method on the first pairs, and test it on the others.

    Args:
        pairs: More than ``tuned``.
        ways: Each method's settings.
        tuned: How many pairs choose setting and threshold.
    """
    from lit_restore.metrics import psnr

    found = {}
    for name, some in ways.items():
        tries = [(_score(pairs[:tuned], way, way.thresholds), way) for way in some]
        best, way = max(tries, key=lambda one: one[0].f)
        threshold = best.threshold
        tested = _score(pairs[tuned:], way, [threshold])
        levels = [
            float(psnr(picture_of(way, pair.photo, threshold)[None], _as_picture(pair.drawn)[None]))
            for pair in pairs[tuned:]
        ]
        found[name] = Found(way, best, tested, sum(levels) / len(levels))
    return found


def report(found: Mapping[str, Found], count: int) -> Report:
    """Put figures in a table.

    Args:
        found: By the method's name.
        count: How many pairs there are.
    """
    title = (
        f"edges: {count} pairs of {FOLDER} at their own size; the first {TUNED} by name choose "
        f"setting and threshold, the other {count - TUNED} test; precision and recall within "
        f"{TOLERANCE} pixels, pooled over all pixels; PSNR in dB against the drawn lines, white on "
        "black, the mean over pictures"
    )
    lines = [
        _row("method", ["setting", "threshold", *HEADS, "PSNR, test"]),
        _row("---", ["---"] * 9),
    ]
    for name, one in found.items():
        figures = [
            f"{value:.3f}"
            for score in (one.tuned, one.tested)
            for value in (score.precision, score.recall, score.f)
        ]
        cells = [one.way.setting, f"{one.tuned.threshold:.2f}", *figures, f"{one.psnr:.2f}"]
        lines.append(_row(name, cells))
    return Report(title, lines, [], {name: _plain(one) for name, one in found.items()})


def _plain(found: Found) -> dict[str, str | float]:
    scores = {"tuning": found.tuned, "test": found.tested}
    values = {
        f"{side}_{name}": float(getattr(score, name))
        for side, score in scores.items()
        for name in ("precision", "recall", "f")
    }
    threshold = float(found.tuned.threshold)
    return {"setting": found.way.setting, "threshold": threshold, "test_psnr": found.psnr, **values}


def _score(pairs: Sequence[Pair], way: Way, thresholds: Sequence[float]) -> "BoundaryScore":
    from lit_restore.metrics import BoundaryFMeasure

    found = BoundaryFMeasure(thresholds, TOLERANCE)
    for pair in pairs:
        found.update(way.strength(pair.photo)[None], pair.drawn[None])
    return found.best()


def _mean_level(pairs: Sequence[Pair]) -> float:
    """The mean over pictures of how much of each is drawn."""
    return sum(float(pair.drawn.double().mean()) for pair in pairs) / len(pairs)


def _as_picture(drawn: "Tensor") -> "Tensor":
    return drawn.float().expand(3, -1, -1)


def _row(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"
