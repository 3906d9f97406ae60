"""Shapes of an irregular mask, laid over one another until they cover enough."""

from collections.abc import Sequence

import numpy as np

from lit_restore.data._mask_shapes import Kind, outlines, paint, thicken

BATCH = 8  # shapes that share a brush
_CLUSTERS = 3


class Layers:
    """Remembers which shape covered each pixel first, so that a number of pixels can be met.

    The numbers in the code were set so that the distances from hole pixels to the nearest valid one
    are near those of the paper's masks, class by class.

    Args:
        rng: The source of randomness.
        kinds: Of the shapes.
        size: Height and width of the canvas, in pixels.
        wanted: Pixels to cover in the end; many take a thick brush.
        touch: Whether the first shape starts at the canvas's border.

    Attributes:
        covered: Pixels under any shape.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        kinds: Sequence[Kind],
        size: tuple[int, int],
        wanted: int,
        touch: bool,
    ) -> None:
        self.kinds = kinds
        self.size = size
        self.side = (size[0] * size[1]) ** 0.5
        self.covered = 0
        self._touch = touch
        thickness = 0.034 + 0.09 * (wanted / (size[0] * size[1])) ** 1.5
        self._brush = self.side * thickness * rng.lognormal(0, 0.35)
        self._rounded = bool(rng.random() < 0.6)
        self._clusters = rng.random((_CLUSTERS, 2)) * size[::-1]
        self._first = np.zeros(size, dtype=np.int32)  # 1 for the first shape, 0 for none
        self._starts: list[np.ndarray] = []

    def add(self, rng: np.random.Generator) -> None:
        """Lay ``BATCH`` further shapes under those that are there."""
        vertices, filled = outlines(rng, self.kinds, BATCH, self.side)
        vertices += self._places(rng)[:, None]
        if self._touch and not self._starts:
            vertices[0] = vertices[0] - vertices[0, 0] + self._border_pixel(rng)  # exact
        width = max(round(self._brush * rng.lognormal(0, 0.35)), round(0.015 * self.side), 1)
        canvas = (self.size[0] + width - 1, self.size[1] + width - 1)
        codes = thicken(paint(vertices + (width - 1) // 2, filled, canvas), width, self._rounded)
        numbers = len(self._starts) + BATCH + 1 - codes.astype(np.int32)
        np.copyto(self._first, numbers, where=(self._first == 0) & (codes > 0))
        self._starts.extend(vertices[:, 0])
        self.covered = int(np.count_nonzero(self._first))

    def first(self, wanted: int) -> np.ndarray:
        """Give the first ``wanted`` pixels to be covered, shape (height, width), bool.

        The shape that reaches the number is cut: what is far from where it starts is left out. If
        all shapes together do not reach it, the rest counts as one more.
        """
        number = self._first
        if self.covered < wanted:
            number = np.where(number, number, len(self._starts) + 1)
        reached = np.bincount(number.ravel(), minlength=1)
        reached[0] = 0
        reached = reached.cumsum()
        cut = int(np.searchsorted(reached, wanted))
        start = self._starts[cut - 1] if cut <= len(self._starts) else self._clusters[0]
        hole = (number > 0) & (number < cut)
        rows, columns = np.nonzero(number == cut)
        column, row = start.round()
        nearest = ((rows - row) ** 2 + (columns - column) ** 2).argsort(kind="stable")
        nearest = nearest[: wanted - int(reached[cut - 1])]
        hole[rows[nearest], columns[nearest]] = True
        return hole

    def _places(self, rng: np.random.Generator) -> np.ndarray:
        """Draw where shapes lie, as (column, row): near a few places, or anywhere."""
        anywhere = rng.random((BATCH, 2)) * self.size[::-1]
        near = self._clusters[rng.integers(_CLUSTERS, size=BATCH)]
        near = near + rng.normal(0, 0.2 * self.side, (BATCH, 2))
        return np.where(rng.random((BATCH, 1)) < 0.5, near, anywhere)

    def _border_pixel(self, rng: np.random.Generator) -> np.ndarray:
        """Draw a pixel of the outermost rows and columns, as (column, row)."""
        ends = np.array(self.size[::-1]) - 1
        pixel = np.floor(rng.random(2) * (ends + 1))
        axis = rng.integers(2)
        pixel[axis] = ends[axis] * rng.integers(2)
        return pixel
