"""Irregular masks made from nothing, each with a hole of a wanted size."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from lit_restore.data._mask_layers import Layers
from lit_restore.data._mask_shapes import KINDS, Kind
from lit_restore.data.masks import MaskSource
from lit_restore.nn.masks import RATIO_BINS

Border = Literal["any", "touch", "clear"]
SMALLEST = 16  # pixels a side
MARGIN = 50  # pixels of 512 that a "clear" mask leaves valid at each side
MOST_CLEAR = (1 - 2 * MARGIN / 512) ** 2  # the part of a mask that lies within the margins
_ROUNDS = 40


class IrregularMasks(MaskSource):
    """Lines, strokes, rings and dots under a thick brush, until the hole is as large as drawn.

    A class of hole ratios is drawn, then a number of pixels within it, and shapes are added; the
    last one stops short of its end, so that the number is met exactly. Thickness and crowding were
    set so that holes resemble the test masks of the paper, which come from occlusions in videos.

    Args:
        ratios: Classes of hole ratios as (low, high), in 0..1, drawn evenly; a ratio is above
            ``low`` and at most ``high``. The paper's six unless given.
        border: ``"clear"``: no hole in the outer 50 of 512 pixels, in proportion, as in half of the
            paper's masks. ``"touch"``: at least one hole pixel in the outermost row or column.
            ``"any"``: holes anywhere in half of the masks, ``"clear"`` in the others.
        kinds: Shapes to choose from, evenly: ``"walk"`` (a line that turns at random),
            ``"stroke"`` (nearly straight or bent evenly), ``"ellipse"`` (an outline) and ``"blob"``
            (a small filled shape).

    Raises:
        ValueError: If a class is upside down, out of 0..1, or larger than the border leaves room
            for; if ``kinds`` is empty or unknown; when called, if a side is below 16 pixels, or no
            number of pixels falls into the class.

    Source:
        Liu et al., "Image Inpainting for Irregular Holes Using Partial Convolutions", ECCV 2018,
        https://arxiv.org/abs/1804.07723, section 4.1: the classes, the two kinds of border.
    """

    def __init__(
        self,
        ratios: Sequence[tuple[float, float]] = RATIO_BINS,
        border: Border = "any",
        kinds: Sequence[Kind] = KINDS,
    ) -> None:
        self.ratios = [(low, high) for low, high in ratios]
        self.border: Border = border
        self.kinds = list(kinds)
        self._check()

    def __call__(self, height: int, width: int, generator: torch.Generator) -> Tensor:
        """Draw a mask, shape (1, height, width), bool; one number is taken from the generator."""
        if min(height, width) < SMALLEST:
            raise ValueError(
                f"irregular masks need at least {SMALLEST}x{SMALLEST} pixels, got {height}x{width}"
            )
        rng = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        clear = rng.random() < {"touch": 0, "any": 0.5, "clear": 1}[self.border]
        down, right = (side * MARGIN // 512 if clear else 0 for side in (height, width))
        inside = np.s_[down : height - down, right : width - right]
        mask = np.ones((height, width), dtype=bool)
        wanted = self._pixels(rng, mask.size, mask[inside].size)
        mask[inside] = ~self._hole(rng, mask[inside].shape, wanted)
        return torch.from_numpy(mask)[None]

    def _pixels(self, rng: np.random.Generator, pixels: int, room: int) -> int:
        """Draw the number of hole pixels."""
        low, high = self.ratios[rng.integers(len(self.ratios))]
        fewest = math.floor(low * pixels + 1e-6) + 1  # 0.07 * 100 is not quite 7
        most = min(math.floor(high * pixels + 1e-6), room)
        if fewest > most:
            raise ValueError(
                f"no number of hole pixels gives a ratio above {low} and at most {high}: "
                f"the mask has {pixels} pixels"
            )
        return int(rng.integers(fewest, most + 1))

    def _hole(self, rng: np.random.Generator, size: tuple[int, ...], wanted: int) -> np.ndarray:
        layers = Layers(rng, self.kinds, (size[0], size[1]), wanted, self.border == "touch")
        for _ in range(_ROUNDS):
            layers.add(rng)
            if layers.covered >= wanted:
                break
        return layers.first(wanted)

    def _check(self) -> None:
        highest = 1.0 if self.border == "touch" else MOST_CLEAR
        if not self.ratios:
            raise ValueError("ratios must hold at least one (low, high), got none")
        for low, high in self.ratios:
            if not 0 <= low < high <= 1 or low >= highest:
                raise ValueError(
                    f"a class of hole ratios must be (low, high) within 0..1, low below high and "
                    f"below {highest:.3g} with border={self.border!r}, got ({low}, {high})"
                )
        unknown = [kind for kind in self.kinds if kind not in KINDS]
        if unknown or not self.kinds:
            raise ValueError(f"kinds must be some of {', '.join(KINDS)}, got {self.kinds}")
        if self.border not in ("any", "touch", "clear"):
            raise ValueError(f"border must be any, touch or clear, got {self.border!r}")
