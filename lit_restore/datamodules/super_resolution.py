"""Folders of large pictures, made small on the fly, or of both."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from torch.utils.data import Dataset

from lit_restore.data import InterleavedDataset, SuperResolutionDataset
from lit_restore.data.degradations import Degradation
from lit_restore.data.split import (
    Split,
    pair_files,
    split_files,
    split_folder,
    split_folders,
)
from lit_restore.datamodules._base import ImageDataModule
from lit_restore.datamodules._division import Division, tell_skipped

SPLIT = "{split}"


class SuperResolutionDataModule(ImageDataModule):
    """Large pictures and the small ones that a network enlarges, in folders.

    ``root`` is divided into splits as ``RestorationDataModule`` divides it: by its folders
    ``train``, ``val``, ``test`` and ``predict``, or by a seed. A pattern names folders of any
    name: ``data/DIV2K_{split}_HR`` with ``low_root`` ``data/DIV2K_{split}_LR_bicubic/X4`` reads
    DIV2K as it is published. Training takes square crops; validation, test and prediction take
    whole pictures, one by one. Names of files and their hash are kept with the run.

    Args:
        root: Folder of the large pictures or of their split folders, or a pattern with
            ``{split}``.
        low_root: The same of the small ones, of the same stems (``0001x4`` will do for ``0001``);
            None makes them.
        degradation: Makes a small picture of a large one, ``scale`` times smaller; None reduces by
            MATLAB's bicubic, as the papers do.
        scale: Factor between the two. Several are taken in turn, for networks that read an enlarged
            picture and serve all of them, as VDSR: ``enlarge`` must be set.
        size: Side of the square training crops of the large picture, in pixels, a multiple of
            ``scale``; smaller pictures are left out and counted, but for prediction.
        degrade: Whether the whole ``"picture"`` is degraded once, or each ``"crop"`` by itself, as
            random degradations need.
        enlarge: Whether to enlarge the small picture by MATLAB's bicubic, for networks that read an
            enlarged one.
        turn: Whether to mirror and turn training crops, in all eight ways.
        zooms: Factors, at most 1, by which training pictures are also reduced first, each giving
            further ones: ``[1.0, 0.9, 0.8, 0.7, 0.6]`` is the augmentation of FSRCNN's paper, and
            takes the traces of JPEG out of photographs.
        repeat: Training crops per picture (and zoom) and epoch.
        batch_size: Crops per batch and process.
        num_workers: Loader processes; 0 reads in the main process.
        test_fraction: Part of all pictures that is kept for the test, if ``root`` has no splits.
        val_fraction: Part of all pictures that is kept for validation; 0 validates on the test.
        split_seed: Of the division.
        seed: Of the order and of every random draw.
        cache: Folder for decoded pictures, so that only the first epoch decodes; None for none.
    """

    def __init__(
        self,
        root: str,
        low_root: str | None = None,
        degradation: Degradation | None = None,
        scale: int | Sequence[int] = 2,
        size: int = 96,
        degrade: Literal["picture", "crop"] = "picture",
        enlarge: bool = False,
        turn: bool = True,
        zooms: Sequence[float] = (1.0,),
        repeat: int = 1,
        batch_size: int = 16,
        num_workers: int = 0,
        test_fraction: float = 0.0,
        val_fraction: float = 0.05,
        split_seed: int = 18,
        seed: int = 0,
        cache: str | None = None,
    ) -> None:
        fractions = (test_fraction, val_fraction, split_seed)
        super().__init__(_division(root, *fractions), batch_size, num_workers, seed)
        self.root = root
        self.low_root = low_root
        self.degradation = degradation
        self.scales = [scale] if isinstance(scale, int) else list(scale)
        if not self.scales or (len(self.scales) != 1 and not enlarge):
            raise ValueError(f"one scale is needed unless enlarge is set, got {self.scales}")
        self.size = size
        self.degrade: Literal["picture", "crop"] = degrade
        self.enlarge = enlarge
        self.turn = turn
        self.zooms = list(zooms)
        self.repeat = repeat
        self.cache = Path(cache) if cache else None

    def dataset(self, split: str) -> Dataset[dict[str, Any]]:
        """Build the dataset of a split.

        Raises:
            ValueError: If the split has no pictures, or one has no partner in ``low_root``.
        """
        files = self.division.files(split)
        datasets = [self._of_scale(scale, split, files) for scale in self.scales]  # type: ignore[arg-type]
        tell_skipped(split, datasets[0].skipped, files, self._least(split))
        return datasets[0] if len(datasets) == 1 else InterleavedDataset(datasets)

    def _of_scale(self, scale: int, split: Split, files: list[Path]) -> SuperResolutionDataset:
        training = split == "train"
        return SuperResolutionDataset(
            files,
            self._low_files(files, split, scale),
            self.degradation,
            scale,
            size=self.size if training else None,
            degrade=self.degrade if training else "picture",
            enlarge=self.enlarge,
            turn=self.turn and training,
            repeat=self.repeat if training else 1,
            seed=self.seed,
            cache=self.cache,
            least=self._least(split),
            zooms=self.zooms if training else (1.0,),
        )

    def _least(self, split: str) -> int:
        return max(self.scales) if split == "predict" else self.size

    def _low_files(self, files: list[Path], split: Split, scale: int) -> list[Path] | None:
        if self.low_root is None:
            return None
        if SPLIT in self.low_root:
            return pair_files(files, split_folder(self.low_root, split), scale)
        folder = Path(self.low_root)
        inner = folder / files[0].parent.name
        divided = SPLIT not in self.root and (Path(self.root) / "train").is_dir()
        return pair_files(files, inner if divided else folder, scale)

    def _eval_batch_size(self, split: str) -> int:
        return 1 if split != "train" else self.batch_size


def _division(root: str, test: float, val: float, seed: int) -> Division:
    if SPLIT in root:
        return Division(Path(root.split(SPLIT)[0]).parent, partial(split_folders, root))
    return Division(Path(root), partial(split_files, Path(root), test, val, seed))
