"""Files of two folders that belong together by their stems."""

from collections.abc import Sequence
from pathlib import Path

from lit_restore.data.images import list_images


def pair_by_stem(folder: Path, other: Path) -> tuple[list[Path], list[Path]]:
    """List the pictures of two folders, so that those of one stem stand at one place.

    Args:
        folder: Its files are told first, sorted; their suffixes do not matter.
        other: Has a picture of the same stem for each of them, and no further one.

    Returns:
        The files of each folder.

    Raises:
        ValueError: If a picture has no partner, or two of a folder have one stem.
        ImageFileError: If a folder is missing.
    """
    ours, theirs = _by_stem(folder), _by_stem(other)
    alone = [(ours[stem], other) for stem in ours if stem not in theirs]
    alone += [(theirs[stem], folder) for stem in theirs if stem not in ours]
    if alone:
        path, lacking = alone[0]
        raise ValueError(
            f"{path} has no partner: {lacking} lacks a picture {path.stem}.*{_further(alone)}"
        )
    return list(ours.values()), [theirs[stem] for stem in ours]


def _by_stem(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in list_images(folder):
        if path.stem in found:
            raise ValueError(
                f"pictures pair by their stems, but {folder} has both {found[path.stem].name} and "
                f"{path.name}"
            )
        found[path.stem] = path
    return found


def _further(alone: Sequence[tuple[Path, Path]]) -> str:
    return f" ({len(alone) - 1} more have none, too)" if len(alone) > 1 else ""
