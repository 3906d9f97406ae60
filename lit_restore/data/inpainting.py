"""Clean pictures with holes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from lit_restore.data.masks import MaskSource
from lit_restore.data.restoration import RestorationDataset, View
from lit_restore.data.sampling import Key, derived_seed, sample_generator

Masks = MaskSource | Callable[[int, int, torch.Generator], Tensor]
_OF_MASKS = 1  # apart from what the view draws, so that a view is the same under any mask


class InpaintingDataset(Dataset[dict[str, Any]]):
    """Pictures with holes, the pictures and their masks: ``input``, ``target``, ``mask``, ``path``.

    The clean picture is that of a ``RestorationDataset`` with the same arguments, whatever the
    masks are, and the mask does not depend on the picture, but for its size.

    Args:
        files: Image files.
        masks: Draws the mask of a sample: ``masks(height, width, generator)``, shape (1, height,
            width), bool, True where valid.
        size: Side of the square samples, in pixels; smaller pictures are left out.
        view: What becomes of a picture: ``"resize"``, ``"crop"``, ``"zoom"`` or ``"whole"``, as in
            ``RestorationDataset``.
        flip: Whether to mirror half of the samples (the picture, not its mask).
        repeat: Samples per picture and epoch, each with its own mask.
        seed: Of every random draw.
        cache: Folder for decoded pictures; None decodes anew at every access.

    Attributes:
        pictures: The clean pictures; its ``files`` are used and its ``skipped`` are left out.

    Raises:
        ValueError: If no picture is large enough; at an access, if ``masks`` gives another shape or
            type.
    """

    def __init__(
        self,
        files: Sequence[Path],
        masks: Masks,
        size: int = 128,
        view: View = "resize",
        flip: bool = False,
        repeat: int = 1,
        seed: int = 0,
        cache: Path | None = None,
    ) -> None:
        self.pictures = RestorationDataset(files, None, size, view, flip, repeat, seed, cache)
        self.masks = masks
        self.seed = seed

    def __len__(self) -> int:
        """The pictures that are large enough, times ``repeat``."""
        return len(self.pictures)

    def __getitem__(self, key: Key | int) -> dict[str, Any]:
        """Make a sample.

        Args:
            key: Epoch and index, or an index alone for epoch 0.

        Returns:
            ``target``, float32, shape (3, size, size) ((3, H, W) for ``"whole"``), in unit range;
            ``mask``, float32, shape (1, size, size), 1 where valid; ``input``, the target with 0 in
            the hole; and ``path``.
        """
        epoch, sample = (0, key) if isinstance(key, int) else key
        picture = self.pictures[epoch, sample]
        target = picture["target"]
        mask = self._mask(epoch, sample, target.shape[-2], target.shape[-1])
        return {
            "input": torch.where(mask, target, 0.0),
            "target": target,
            "mask": mask.float(),
            "path": picture["path"],
        }

    def _mask(self, epoch: int, sample: int, height: int, width: int) -> Tensor:
        generator = sample_generator(derived_seed(self.seed, _OF_MASKS), epoch, sample)
        if isinstance(self.masks, MaskSource):
            mask = self.masks.of_sample(sample, height, width, generator)
        else:
            mask = self.masks(height, width, generator)
        if mask.dtype != torch.bool or mask.shape != (1, height, width):
            raise ValueError(
                f"masks must give bool of shape (1, {height}, {width}), got {mask.dtype} of shape "
                f"{tuple(mask.shape)}"
            )
        return mask
