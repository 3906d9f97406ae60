"""Picture files that are shown by a look: which of them serve, and what of them is kept."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from lit_restore.data._look import Look
from lit_restore.data.cache import PictureCache, file_stamp
from lit_restore.data.images import image_size, read_image

Size = tuple[int, int]


class ShownPictures:
    """Pictures of one file each, shown one by one.

    Args:
        files: Image files.
        look: What becomes of a picture.
        cache: Folder for prepared pictures; None prepares anew at every access.

    Attributes:
        files: Those that are large enough.
        skipped: The others.

    Raises:
        ValueError: If there are files, but none is large enough.
    """

    def __init__(self, files: Sequence[Path], look: Look, cache: Path | None = None) -> None:
        sizes = [image_size(path) for path in files]
        fitting, others = large_enough(sizes, look)
        self.files = [files[index] for index in fitting]
        self.skipped = [files[index] for index in others]
        self.look = look
        stored = [sizes[index] for index in fitting]
        self._kept = Kept(cache, look, stored, [[path] for path in self.files], 1)

    def __len__(self) -> int:
        """The pictures that are large enough."""
        return len(self.files)

    def show(self, index: int, generator: torch.Generator) -> Tensor:
        """Show a picture: uint8, shape (3, H, W)."""
        image = self._kept.get(index, lambda: read_image(self.files[index], bit_depth=8)[:, None])
        return self.look.show(image[:, 0], generator)


class Kept:
    """Prepared pictures, ``count`` of one size together in a tensor of shape (3, count, H, W).

    Args:
        cache: Folder; None keeps nothing.
        look: What becomes of them; how it prepares them is part of what tells caches apart.
        sizes: Height and width of each, in pixels, before they are prepared.
        sources: The files that each is made of.
        count: How many are together.
        how: What else their pixels depend on.
    """

    def __init__(
        self,
        cache: Path | None,
        look: Look,
        sizes: Sequence[Size],
        sources: Sequence[Sequence[Path]],
        count: int,
        how: str = "",
    ) -> None:
        self.look = look
        self.count = count
        self._cache = None
        if cache is not None:
            square = look.square
            stored = [(square, square) if square else size for size in sizes]
            stamps = [file_stamp(path) for files in sources for path in files]
            key = "\n".join([f"shown {square} {count} {how}", *stamps])
            heights = [(count * height, width) for height, width in stored]
            self._cache = PictureCache(cache, key, heights)

    def get(self, index: int, read: Callable[[], Tensor]) -> Tensor:
        """Give what is kept, or else read it, shape (3, count, H, W), prepare it and keep it."""
        flat = self._cache.get(index) if self._cache else None
        if flat is None:
            flat = self.look.prepare(read()).flatten(1, 2)
            if self._cache:
                self._cache.put(index, flat)
        return flat.reshape(3, self.count, -1, flat.shape[-1])


def large_enough(sizes: Sequence[Size], look: Look) -> tuple[list[int], list[int]]:
    """Tell the indices of the pictures that are large enough for a look from the others.

    Raises:
        ValueError: If there are pictures, but none is large enough.
    """
    fits = [min(size) >= look.least for size in sizes]
    if sizes and not any(fits):
        raise ValueError(
            f"none of {len(sizes)} pictures is at least {look.least}x{look.least} pixels large"
        )
    fitting = [index for index, fit in enumerate(fits) if fit]
    return fitting, [index for index, fit in enumerate(fits) if not fit]
