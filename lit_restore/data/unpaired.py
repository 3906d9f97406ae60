"""Pictures of two kinds, none of which belongs to any of the other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from lit_restore.data._look import Look
from lit_restore.data._shown import ShownPictures
from lit_restore.data.restoration import View, unit_range
from lit_restore.data.sampling import Key, derived_seed, epoch_order, sample_generator

_OF_A, _OF_B, _OF_ORDER = 1, 2, 3  # what a side draws depends on nothing of the other


class UnpairedDataset(Dataset[dict[str, Any]]):
    """A picture of each of two kinds: ``a``, ``b``, ``path_a``, ``path_b``, and ``path`` (of a).

    An epoch is as long as the longer side; the other side's pictures come again.

    Args:
        files_a: Image files.
        files_b: Image files of the other kind; if there are none, samples are without ``b``.
        size: Side of the square samples, in pixels.
        view: What becomes of a picture: ``"resize"``, ``"crop"``, ``"zoom"`` or ``"whole"``, as in
            ``PairedDataset``, but drawn for each side by itself.
        jitter: With ``"resize"``: side of the square that is made first, in pixels, and of which a
            random square of ``size`` is cut.
        multiple_of: With ``"whole"``: what both sides become a multiple of; None for ``size``.
        flip: Whether to mirror half of the pictures.
        turn: Whether to mirror and turn them by quarters, in all eight ways.
        shuffle_b: Whether the pictures of b meet those of a in an order of their own, another in
            every epoch, each as often as the others; else they come in file order.
        repeat: Samples per picture of the longer side and epoch.
        seed: Of every random draw.
        cache: Folder for decoded (and resized) pictures; None decodes anew at every access.

    Attributes:
        pictures_a: The pictures of a; its ``files`` are used and its ``skipped`` are too small.
        pictures_b: The same of b.

    Raises:
        ValueError: If no picture of a side is large enough, or options do not fit.

    Source:
        Zhu et al., Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks,
        ICCV 2017, https://arxiv.org/abs/1703.10593.
    """

    def __init__(
        self,
        files_a: Sequence[Path],
        files_b: Sequence[Path],
        size: int = 256,
        view: View = "resize",
        jitter: int | None = None,
        multiple_of: int | None = None,
        flip: bool = False,
        turn: bool = False,
        shuffle_b: bool = False,
        repeat: int = 1,
        seed: int = 0,
        cache: Path | None = None,
    ) -> None:
        self.look = Look(size, view, jitter, multiple_of, flip, turn)
        self.pictures_a = ShownPictures(files_a, self.look, cache)
        self.pictures_b = ShownPictures(files_b, self.look, cache)
        self.shuffle_b = shuffle_b
        self.repeat = repeat
        self.seed = seed
        self._order: tuple[tuple[int, int], list[int]] = (-1, -1), []

    def __len__(self) -> int:
        """The pictures of the longer side, times ``repeat``."""
        return max(len(self.pictures_a), len(self.pictures_b)) * self.repeat

    def __getitem__(self, key: Key | int) -> dict[str, Any]:
        """Make a sample.

        Args:
            key: Epoch and index, or an index alone for epoch 0.

        Returns:
            ``a`` and ``b``, float32, shape (3, size, size) (each (3, H, W) for ``"whole"``), in
            unit range, ``path_a``, ``path_b`` and ``path``.
        """
        epoch, sample = (0, key) if isinstance(key, int) else key
        index_a = sample % len(self.pictures_a)
        path = str(self.pictures_a.files[index_a])
        item = {
            "a": self._shown(self.pictures_a, index_a, _OF_A, (epoch, sample)),
            "path_a": path,
            "path": path,
        }
        if len(self.pictures_b):
            index_b = self._index_b(epoch, sample)
            item["b"] = self._shown(self.pictures_b, index_b, _OF_B, (epoch, sample))
            item["path_b"] = str(self.pictures_b.files[index_b])
        return item

    def _shown(self, pictures: ShownPictures, index: int, side: int, key: Key) -> Tensor:
        generator = sample_generator(derived_seed(self.seed, side), *key)
        return unit_range(pictures.show(index, generator))

    def _index_b(self, epoch: int, sample: int) -> int:
        """Which picture of b a sample has; each pass through b has an order of its own."""
        passes, place = divmod(sample, len(self.pictures_b))
        if not self.shuffle_b:
            return place
        if self._order[0] != (epoch, passes):
            seed = derived_seed(self.seed, _OF_ORDER, passes)
            self._order = (epoch, passes), epoch_order(len(self.pictures_b), seed, epoch)
        return self._order[1][place]
