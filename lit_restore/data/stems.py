"""Files of two folders that belong together by their stems."""

from collections.abc import Sequence
from pathlib import Path

from lit_restore.data.images import list_images


def pair_by_stem(
    folder: Path, other: Path, recursive: bool = False
) -> tuple[list[Path], list[Path]]:
    """List the pictures of two folders, so that those of one stem stand at one place.

    Args:
        folder: Its files are told first, sorted; their suffixes do not matter.
        other: Has a picture of the same stem for each of them, and no further one.
        recursive: Whether to descend into the folders inside; a picture's partner then lies in a
            folder of the same name.

    Returns:
        The files of each folder.

    Raises:
        ValueError: If a picture has no partner, or two of a folder have one stem.
        ImageFileError: If a folder is missing.
    """
    ours, theirs = _by_stem(folder, recursive), _by_stem(other, recursive)
    alone = [(stem, ours[stem], other) for stem in ours if stem not in theirs]
    alone += [(stem, theirs[stem], folder) for stem in theirs if stem not in ours]
    if alone:
        stem, path, lacking = alone[0]
        raise ValueError(
            f"{path} has no partner: {lacking} lacks a picture {stem}.*{_further(alone)}"
        )
    return list(ours.values()), [theirs[stem] for stem in ours]


def _by_stem(folder: Path, recursive: bool) -> dict[str, Path]:
    """List pictures by their stems, with the folders inside of ``folder`` before them."""
    found: dict[str, Path] = {}
    for path in list_images(folder, recursive):
        stem = (path.relative_to(folder).parent / path.stem).as_posix()
        if stem in found:
            raise ValueError(
                f"pictures pair by their stems, but {path.parent} has both {found[stem].name} and "
                f"{path.name}"
            )
        found[stem] = path
    return found


def _further(alone: Sequence[object]) -> str:
    return f" ({len(alone) - 1} more have none, too)" if len(alone) > 1 else ""
