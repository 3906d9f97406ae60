"""Pictures and the class of each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from lit_restore.data._draws import uniform
from lit_restore.data._look import Look
from lit_restore.data._shown import ShownPictures
from lit_restore.data.mixing import MIXING_SEED
from lit_restore.data.restoration import View, unit_range
from lit_restore.data.sampling import Key, derived_seed, sample_generator


class ClassificationDataset(Dataset[dict[str, Any]]):
    """Pictures: ``input``, ``label``, ``path``.

    Args:
        files: Image files.
        labels: The class of each, from 0; None for samples without ``label``.
        size: Side of the square samples, in pixels. Files that are too small for the view are left
            out; ``skipped`` lists them.
        view: What becomes of a picture: ``"resize"`` squeezes it to the square, ``"crop"`` cuts a
            random square of its own pixels, ``"zoom"`` one of random side that is reduced to
            ``size``, ``"whole"`` leaves its own size; see ``PairedDataset``.
        jitter: With ``"resize"``: side of the square that is made first, in pixels, and of which a
            random square of ``size`` is cut.
        flip: Whether to mirror half of the samples.
        brightness: Most that is added to all values of a sample, or taken away: a number drawn
            evenly, as ``tf.image.random_brightness`` does, whose results may leave unit range.
        clip_brightness: Whether they are clipped to it.
        repeat: Samples per picture and epoch.
        mixing_seeds: Whether samples have a ``mixing_seed``, for ``MixingCollate``.
        seed: Of every random draw.
        cache: Folder for decoded (and resized) pictures; None decodes anew at every access.

    Raises:
        ValueError: If there are not as many labels as files, none is large enough, ``brightness``
            is negative, or other options do not fit.
    """

    def __init__(
        self,
        files: Sequence[Path],
        labels: Sequence[int] | None = None,
        size: int = 64,
        view: View = "resize",
        jitter: int | None = None,
        flip: bool = False,
        brightness: float = 0.0,
        clip_brightness: bool = False,
        repeat: int = 1,
        mixing_seeds: bool = False,
        seed: int = 0,
        cache: Path | None = None,
    ) -> None:
        if brightness < 0:
            raise ValueError(f"brightness must be at least 0, got {brightness}")
        if labels is not None and len(labels) != len(files):
            raise ValueError(f"each file needs a label: got {len(files)} and {len(labels)}")
        self.pictures = ShownPictures(files, Look(size, view, jitter, flip=flip), cache)
        self.files, self.skipped = self.pictures.files, self.pictures.skipped
        known = dict(zip(files, labels, strict=True)) if labels is not None else {}
        self.labels = [known[path] for path in self.files] if labels is not None else None
        self.brightness = brightness
        self.clip_brightness = clip_brightness
        self.repeat = repeat
        self.mixing_seeds = mixing_seeds
        self.seed = seed

    def __len__(self) -> int:
        """The pictures that are large enough, times ``repeat``."""
        return len(self.files) * self.repeat

    def __getitem__(self, key: Key | int) -> dict[str, Any]:
        """Make a sample.

        Args:
            key: Epoch and index, or an index alone for epoch 0.

        Returns:
            ``input``, float32, shape (3, size, size) ((3, H, W) for ``"whole"``), in unit range
            unless its brightness was changed, ``label`` and ``path``.
        """
        epoch, sample = (0, key) if isinstance(key, int) else key
        generator = sample_generator(self.seed, epoch, sample)
        index = sample % len(self.files)
        image = unit_range(self.pictures.show(index, generator))
        made = {"input": self._lit(image, generator), "path": str(self.files[index])}
        if self.labels is not None:
            made["label"] = self.labels[index]
        if self.mixing_seeds:
            made[MIXING_SEED] = derived_seed(self.seed, epoch, sample, 1)
        return made

    def _lit(self, image: Tensor, generator: torch.Generator) -> Tensor:
        """Change the brightness."""
        if not self.brightness:
            return image
        image = image + uniform(generator, (-self.brightness, self.brightness))
        return image.clamp(0, 1) if self.clip_brightness else image
