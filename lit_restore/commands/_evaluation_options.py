"""What ``lit-restore evaluate`` is asked for: its options, checked before any work."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._batch import UsageError
from lit_restore.commands._crops import Box, parse_box, place
from lit_restore.commands._evaluation_compare import check_comparable, read_rows
from lit_restore.commands._evaluation_data import Pair, find_pairs
from lit_restore.commands._evaluation_rows import Row
from lit_restore.commands._output import check_output

if TYPE_CHECKING:
    from lit_restore.metrics import Protocol


@dataclass(frozen=True)
class Plan:
    """What is to be measured.

    Attributes:
        protocol: How.
        pairs: The pictures of each scale, in the same order.
        earlier: Rows to compare with.
        shown: Position of the picture whose crops are drawn, and the crop; None for no drawing.
    """

    protocol: "Protocol"
    pairs: dict[int, list[Pair]]
    earlier: list[Row]
    shown: tuple[int, Box] | None

    @property
    def scales(self) -> list[int]:
        """Factors of super-resolution."""
        return list(self.pairs)


def make_plan(arguments: argparse.Namespace) -> Plan:
    """Check the options, and find the pictures.

    Raises:
        UsageError: If options do not fit each other or the files; tells which.
    """
    protocol = _protocol(arguments.protocol or ["y"])
    scales = _scales(arguments.scale)
    pairs = {scale: _pairs(arguments, protocol, scale) for scale in scales}
    _check_outputs(arguments, pairs)
    return Plan(
        protocol,
        pairs,
        _earlier(arguments.compare, protocol, scales),
        _shown(arguments, pairs[scales[0]], scales),
    )


def _protocol(names: Sequence[str]) -> "Protocol":
    from lit_restore.metrics import PROTOCOLS

    if len(set(names)) > 1:
        raise UsageError(
            f"--protocol: figures of different protocols cannot be compared, got {', '.join(names)}"
        )
    return PROTOCOLS[names[0]]


def _scales(scales: Sequence[int]) -> list[int]:
    if min(scales) < 2:
        raise UsageError(f"--scale must be at least 2, got {min(scales)}")
    return list(dict.fromkeys(scales))


def _pairs(arguments: argparse.Namespace, protocol: "Protocol", scale: int) -> list[Pair]:
    if arguments.lr is None:
        return find_pairs(arguments.data, None, scale)
    if protocol.source == "luma":
        raise UsageError(
            f"--lr: protocol {protocol.name} makes small pictures of the large ones' luma; "
            "protocol y reads files"
        )
    if len(set(arguments.scale)) > 1 and "{scale}" not in arguments.lr:
        raise UsageError("--lr: several scales need several folders; write {scale} for each")
    return find_pairs(arguments.data, Path(arguments.lr.replace("{scale}", str(scale))), scale)


def _earlier(path: Path | None, protocol: "Protocol", scales: Sequence[int]) -> list[Row]:
    if path is None:
        return []
    from lit_restore.metrics import Figure

    rows = read_rows(path)
    check_comparable(rows, [Figure(0.0, "psnr", protocol, scale) for scale in scales], path)
    return rows


def _shown(
    arguments: argparse.Namespace, pairs: Sequence[Pair], scales: Sequence[int]
) -> tuple[int, Box] | None:
    """Choose the picture to show, by its position, and what of it."""
    if arguments.crops is None:
        if arguments.crop_of or arguments.crop_box:
            raise UsageError("--crop-of and --crop-box belong to --crops")
        return None
    wanted = arguments.crop_of or pairs[0].large.stem
    names = [(pair.large.stem, pair.large.name) for pair in pairs]
    found = [index for index, both in enumerate(names) if wanted in both]
    if not found:
        raise UsageError(f"--crop-of: there is no picture {wanted!r} in {arguments.data}")
    try:
        box = parse_box(arguments.crop_box) if arguments.crop_box else None
    except ValueError as error:
        raise UsageError(f"--crop-box: {error}") from error
    return found[0], place(pairs[found[0]], box, scales)


def _check_outputs(arguments: argparse.Namespace, pairs: dict[int, list[Pair]]) -> None:
    """Find out before the work whether all files can be written, and none over another."""
    words = [Path(word.partition("=")[2] or word) for word in arguments.models]
    pictures = [path for some in pairs.values() for pair in some for path in pair if path]
    taken = {path.resolve() for path in (*words, *pictures) if path.is_file()}
    for option in ("json", "csv", "crops"):
        path = getattr(arguments, option)
        if path is None:
            continue
        check_output(path, option == "crops")
        if path.resolve() in taken:
            raise UsageError(f"--{option}: {path} is an input, or another output")
        taken.add(path.resolve())
