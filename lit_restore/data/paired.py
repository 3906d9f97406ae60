"""Pictures and what they are to become: two files each, or one with both side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.utils.data import Dataset

from lit_restore.data._look import Look
from lit_restore.data._shown import Kept, Size, large_enough
from lit_restore.data.images import image_size, read_image
from lit_restore.data.restoration import View, unit_range
from lit_restore.data.sampling import Key, sample_generator

Direction = Literal["ab", "ba"]


class PairedDataset(Dataset[dict[str, Any]]):
    """Pairs of pictures of one size, seen alike: ``input``, ``target``, ``path`` (the input's).

    Both are cut at the same place, and mirrored and turned the same way. Pairs that are too small
    for the view are left out; ``skipped`` lists their inputs.

    Args:
        inputs: Image files; with ``halves``, each holds a pair side by side.
        targets: The target of each; None for samples without ``target``, or with ``halves``.
        halves: Which half of a file is the input: ``"ab"`` the left one, ``"ba"`` the right one;
            None if files hold one picture each.
        size: Side of the square samples, in pixels.
        view: What becomes of a pair. ``"resize"``: the whole pictures, squeezed to the square
            (small ones are enlarged). ``"crop"``: a random square of their own pixels. ``"zoom"``:
            a random square of random side, at least ``size``, reduced to it. ``"whole"``: the
            pictures at their own size, cut at the right and bottom. All resizing is Pillow's
            BICUBIC, which filters against aliasing.
        jitter: With ``"resize"``: side of the square that is made first, in pixels, and of which a
            random square of ``size`` is cut. The paper has 286 for a ``size`` of 256.
        multiple_of: With ``"whole"``: what both sides become a multiple of; None for ``size``.
        flip: Whether to mirror half of the samples.
        turn: Whether to mirror and turn them by quarters, in all eight ways.
        repeat: Samples per pair and epoch.
        seed: Of every random draw.
        cache: Folder for decoded (and resized) pairs; None decodes anew at every access.

    Raises:
        ValueError: If there are not as many targets as inputs, the two of a pair differ in size, a
            file of two halves is of odd width, no pair is large enough, or options do not fit.

    Source:
        Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017,
        https://arxiv.org/abs/1611.07004, section 6.2 (jitter and mirroring).
    """

    def __init__(
        self,
        inputs: Sequence[Path],
        targets: Sequence[Path] | None = None,
        halves: Direction | None = None,
        size: int = 256,
        view: View = "resize",
        jitter: int | None = None,
        multiple_of: int | None = None,
        flip: bool = False,
        turn: bool = False,
        repeat: int = 1,
        seed: int = 0,
        cache: Path | None = None,
    ) -> None:
        _check_halves(halves, targets)
        self.look = Look(size, view, jitter, multiple_of, flip, turn)
        self.halves = halves
        self.repeat = repeat
        self.seed = seed
        sizes = _pair_sizes(inputs, targets, halves)
        fitting, others = large_enough(sizes, self.look)
        self.files = [inputs[index] for index in fitting]
        self.skipped = [inputs[index] for index in others]
        self.targets = None if targets is None else [targets[index] for index in fitting]
        columns = [self.files] if self.targets is None else [self.files, self.targets]
        self._kept = Kept(
            cache,
            self.look,
            [sizes[index] for index in fitting],
            sources=list(zip(*columns, strict=True)),
            count=2 if halves or targets is not None else 1,
            how=halves or "",
        )

    def __len__(self) -> int:
        """The pairs that are large enough, times ``repeat``."""
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
        index = sample % len(self.files)
        pair = self._kept.get(index, lambda: self._read(index))
        shown = self.look.show(pair, sample_generator(self.seed, epoch, sample))
        names = ("input", "target")[: shown.shape[1]]
        pictures = {name: unit_range(shown[:, i]) for i, name in enumerate(names)}
        return {**pictures, "path": str(self.files[index])}

    def _read(self, index: int) -> Tensor:
        """Read an input and its target, if it has one, shape (3, 1 or 2, H, W)."""
        image = read_image(self.files[index], bit_depth=8)
        if self.halves:
            left, right = image.chunk(2, -1)
            return torch.stack((left, right) if self.halves == "ab" else (right, left), 1)
        if self.targets is None:
            return image[:, None]
        return torch.stack((image, read_image(self.targets[index], bit_depth=8)), 1)


def _check_halves(halves: str | None, targets: Sequence[Path] | None) -> None:
    if halves not in (None, "ab", "ba"):
        raise ValueError(f"halves must be 'ab', 'ba' or None, got {halves!r}")
    if halves and targets is not None:
        raise ValueError("files of two halves hold their targets: targets must be None")


def _pair_sizes(
    inputs: Sequence[Path], targets: Sequence[Path] | None, halves: str | None
) -> list[Size]:
    """Measure the pictures of each pair, which are of one size."""
    sizes = [image_size(path) for path in inputs]
    if halves:
        return [_half(path, size) for path, size in zip(inputs, sizes, strict=True)]
    if targets is None:
        return sizes
    if len(targets) != len(inputs):
        raise ValueError(f"each input needs a target: got {len(inputs)} and {len(targets)}")
    others = [image_size(path) for path in targets]
    pairs = zip(inputs, sizes, targets, others, strict=True)
    wrong = [pair for pair in pairs if pair[1] != pair[3]]
    if wrong:
        path, (height, width), other, (its_height, its_width) = wrong[0]
        raise ValueError(
            f"the two pictures of a pair must be of one size, got {width}x{height} pixels of "
            f"{path} and {its_width}x{its_height} of {other} ({len(wrong)} of {len(inputs)} pairs "
            "differ)"
        )
    return sizes


def _half(path: Path, size: Size) -> Size:
    height, width = size
    if width % 2:
        raise ValueError(
            f"{path} must hold two pictures of one size side by side, got an odd width of {width} "
            "pixels"
        )
    return height, width // 2
