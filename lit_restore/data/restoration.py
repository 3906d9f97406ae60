"""Clean pictures, degraded on the fly."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from lit_restore.data._pair_crops import random_square
from lit_restore.data.cache import PictureCache, file_stamp
from lit_restore.data.degradations import Degradation
from lit_restore.data.images import image_size, read_image
from lit_restore.data.sampling import Key, sample_generator

View = Literal["resize", "crop", "zoom", "whole"]
_INVERSE = torch.tensor(1 / 255, dtype=torch.float32)


class RestorationDataset(Dataset[dict[str, Any]]):
    """Pairs of a degraded and a clean picture: ``input``, ``target``, ``path``.

    Pictures smaller than ``size`` in either direction are left out; ``skipped`` lists them.

    Args:
        files: Image files.
        degradation: Makes the input of the clean picture; None leaves it as it is.
        size: Side of the square samples, in pixels.
        view: What becomes of a picture. ``"resize"``: the whole picture, squeezed to the square by
            LANCZOS, as in the notes. ``"crop"``: a random square of its own pixels. ``"zoom"``: a
            random square of random side, at least ``size``, reduced to it by LANCZOS. ``"whole"``:
            the picture at its own size, cut at the right and bottom to a multiple of ``size``.
        flip: Whether to mirror half of the samples.
        repeat: Samples per picture and epoch; more than 1 pays for random views of few pictures.
        seed: Of every random draw.
        cache: Folder for decoded pictures; None decodes anew at every access.

    Raises:
        ValueError: If no picture is large enough.
    """

    def __init__(
        self,
        files: Sequence[Path],
        degradation: Degradation | None,
        size: int = 64,
        view: View = "resize",
        flip: bool = False,
        repeat: int = 1,
        seed: int = 0,
        cache: Path | None = None,
    ) -> None:
        sizes = {path: image_size(path) for path in files}
        self.files = [path for path in files if min(sizes[path]) >= size]
        self.skipped = [path for path in files if min(sizes[path]) < size]
        if files and not self.files:
            raise ValueError(
                f"none of {len(files)} pictures is at least {size}x{size} pixels large"
            )
        self.degradation = degradation
        self.size = size
        self.view: View = view
        self.flip = flip
        self.repeat = repeat
        self.seed = seed
        self.cache = None
        if cache is not None:
            stored = [(size, size) if view == "resize" else sizes[path] for path in self.files]
            self.cache = PictureCache(cache, self._key(), stored)

    def __len__(self) -> int:
        """The pictures that are large enough, times ``repeat``."""
        return len(self.files) * self.repeat

    def __getitem__(self, key: Key | int) -> dict[str, Any]:
        """Make a sample.

        Args:
            key: Epoch and index, or an index alone for epoch 0.

        Returns:
            ``input`` and ``target``, float32, shape (3, size, size) ((3, H, W) for ``"whole"``),
            in unit range, and ``path``.
        """
        epoch, sample = (0, key) if isinstance(key, int) else key
        generator = sample_generator(self.seed, epoch, sample)
        index = sample % len(self.files)
        target = self._look(self._picture(index), generator)
        if self.flip and torch.rand((), generator=generator) < 0.5:
            target = target.flip(-1)
        degraded = self.degradation(target, generator) if self.degradation else target
        return {
            "input": unit_range(degraded),
            "target": unit_range(target),
            "path": str(self.files[index]),
        }

    def _picture(self, index: int) -> Tensor:
        """Read a picture as far as every access gives the same: from the cache if it is there."""
        image = self.cache.get(index) if self.cache else None
        if image is None:
            image = read_image(self.files[index], bit_depth=8)
            if self.view == "resize":
                image = resize(image, self.size)
            if self.cache:
                self.cache.put(index, image)
        return image

    def _look(self, image: Tensor, generator: torch.Generator) -> Tensor:
        if self.view == "resize":
            return image
        if self.view == "whole":
            height, width = image.shape[-2:]
            return image[:, : height - height % self.size, : width - width % self.size]
        square = random_square(image, self.size, self.view == "zoom", generator)
        return square if square.shape[-1] == self.size else resize(square, self.size)

    def _key(self) -> str:
        lines = [file_stamp(path) for path in self.files]
        stored = f"resize {self.size}" if self.view == "resize" else "whole"
        return "\n".join(["1", stored, *lines])


def unit_range(image: Tensor) -> Tensor:
    """Convert uint8 to float32 in unit range, as ``tf.image.convert_image_dtype`` does.

    That multiplies by float32(1/255), which differs from a division by 255 in the last bit of half
    of the values.
    """
    return image * _INVERSE


def resize(image: Tensor, size: int) -> Tensor:
    """Squeeze a uint8 picture, shape (3, H, W), to a square of ``size`` pixels by LANCZOS."""
    picture = Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())
    small = np.array(picture.resize((size, size), Image.Resampling.LANCZOS))
    return torch.from_numpy(small).permute(2, 0, 1).contiguous()
