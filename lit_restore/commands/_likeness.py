"""How near outputs come to the pictures of a folder: pair by pair, and as two sets."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from lit_restore.commands._batch import UsageError
from lit_restore.commands._report import Report
from lit_restore.commands._weights import MissingWeightsError

if TYPE_CHECKING:
    from torch import Tensor

Names = dict[PurePath, Path]


def target_files(folder: Path, recursive: bool) -> Names:
    """Find the pictures of a folder, by their names without suffix.

    Args:
        folder: Of the pictures.
        recursive: Whether to descend into the folders inside, which become part of the names.

    Raises:
        UsageError: If there is no such folder, it has no pictures, or two of one name.
    """
    from lit_restore.data.images import ImageFileError, list_images

    try:
        files = list_images(folder, recursive)
    except ImageFileError as error:
        raise UsageError(f"--target: {error}") from error
    if not files:
        raise UsageError(f"--target: {folder}: no images in this folder")
    found: Names = {}
    for file in files:
        other = found.setdefault(name_in(folder, file), file)
        if other != file:
            raise UsageError(f"--target: {other} and {file} have one name: which is meant?")
    return found


def name_in(folder: Path, file: Path) -> PurePath:
    """Name a file of a folder by its place there, without its suffix."""
    return file.relative_to(folder).with_suffix("")


def load_inception(path: Path | None) -> Any:
    """Make what measures FID and KID; None without a file.

    Raises:
        MissingWeightsError: If the file, or what reads it, is missing or broken.
    """
    if path is None:
        return None
    from lit_restore.metrics.inception import inception_metrics

    try:
        return inception_metrics(path)
    except (ImportError, OSError, ValueError) as error:
        raise MissingWeightsError(f"--inception: {error}") from error


def measure(outputs: Names, targets: Names, inception: Any, report: Report) -> None:
    """Tell how like the outputs are to the targets; files count as they are written.

    Args:
        outputs: By name.
        targets: By name.
        inception: From ``load_inception``.
        report: Gets the figures, and is told of pairs that cannot be compared.
    """
    pairs = _pairs(outputs, targets, report)
    values: dict[str, Any] = {"pairs": pairs, "without_partner": len(outputs.keys() - targets)}
    lines = [_alone(values["without_partner"])] if values["without_partner"] else []
    for metric in ("psnr", "ssim"):
        values[metric] = _mean([pair[metric] for pair in pairs])
    if pairs:
        count = f"{len(pairs)} pair{'s' if len(pairs) > 1 else ''}"
        psnr, ssim = values["psnr"], values["ssim"]
        lines.append(f"mean of {count}: PSNR {psnr:.2f} dB, SSIM {ssim:.4f}")
    else:
        report.trouble("no output has a partner among the pictures of --target")
    sets = _compared(outputs, targets, inception, report)
    values |= sets
    if sets["fid"] is not None:
        lines.append(f"FID {sets['fid']:.2f}, KID {sets['kid']:.5f}: {sets['protocol']}")
    report.conclude("target", _plain(values), lines)


def _alone(count: int) -> str:
    return f"{count} output{'s have' if count > 1 else ' has'} no partner of the same name"


def _pairs(outputs: Names, targets: Names, report: Report) -> list[dict[str, Any]]:
    """Measure each output that has a partner."""
    pairs = []
    for name, output in outputs.items():
        if name not in targets:
            continue
        try:
            figures = _figures(output, targets[name])
        except ValueError as error:
            report.trouble(f"not compared: {output} with {targets[name]}: {error}")
            continue
        pairs.append({"output": str(output), "target": str(targets[name]), **figures})
    return pairs


def _figures(output: Path, target: Path) -> dict[str, float]:
    """Measure a file by another, over all channels of the whole picture.

    Raises:
        ValueError: If one cannot be read, their sizes differ, or they are too small for SSIM.
    """
    from lit_restore.data.images import read_image
    from lit_restore.metrics import psnr, ssim
    from lit_restore.metrics.protocol import PLAIN

    both = [read_image(path)[None] for path in (output, target)]
    sizes = ["x".join(map(str, one.shape[-2:])) for one in both]
    if sizes[0] != sizes[1]:
        raise ValueError(f"expected pictures of one size, got {sizes[0]} and {sizes[1]}")
    return {
        "psnr": float(psnr(both[0], both[1], protocol=PLAIN)),
        "ssim": float(ssim(both[0], both[1], protocol=PLAIN)),
    }


def _mean(figures: Sequence[float]) -> float | None:
    return math.fsum(figures) / len(figures) if figures else None


def _compared(outputs: Names, targets: Names, inception: Any, report: Report) -> dict[str, Any]:
    """Compare two sets of pictures by what Inception sees in them."""
    nothing: dict[str, Any] = {"fid": None, "kid": None, "protocol": None}
    if inception is None:
        report.line(
            "note: FID and KID are left out: they need the weights of Inception (--inception FILE)"
        )
        return nothing
    try:
        for files, real in ((targets, True), (outputs, False)):
            for file in files.values():
                inception.update(_unit(file), real=real)
        figures: Mapping[str, Tensor] = inception.compute()
        values = {name: float(figures[name]) for name in ("fid", "kid")}
        return values | {"protocol": inception.protocol()}
    except ValueError as error:
        report.trouble(f"FID and KID are left out: {error}")
        return nothing


def _unit(file: Path) -> "Tensor":
    """Read a picture, shape (1, 3, H, W), in unit range."""
    from lit_restore.data.style_transfer import read_unit

    return read_unit(file)


def _plain(values: Any) -> Any:
    """Write infinity, for which JSON has no number, as a word."""
    if isinstance(values, Mapping):
        return {name: _plain(value) for name, value in values.items()}
    if isinstance(values, list):
        return [_plain(value) for value in values]
    return "inf" if isinstance(values, float) and math.isinf(values) else values
