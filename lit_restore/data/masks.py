"""What a mask source is; rectangles."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from lit_restore.data._draws import check_range, integer, uniform


class MaskSource(ABC):
    """What draws the mask of a sample: True is a valid pixel, False one in a hole.

    All randomness comes from the generator, so that equal ones give equal masks, and nothing global
    is read or changed.
    """

    @abstractmethod
    def __call__(self, height: int, width: int, generator: torch.Generator) -> Tensor:
        """Draw a mask.

        Args:
            height: Of the mask, in pixels.
            width: Of the mask, in pixels.
            generator: The only source of randomness, on the CPU.

        Returns:
            Shape (1, height, width), bool; True where valid.
        """

    def of_sample(self, index: int, height: int, width: int, generator: torch.Generator) -> Tensor:
        """Draw the mask of the sample ``index`` of a dataset: any, unless a subclass deals them."""
        return self(height, width, generator)

    def __repr__(self) -> str:
        """Name the class and what it was made with, so that equal ones read equal."""
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({settings})"


class RectangleMasks(MaskSource):
    """Upright rectangles at random places, which may overlap.

    Args:
        sides: Least and largest side of a rectangle, as parts of the mask's side in the same
            direction, in 0..1; drawn anew for each side of each rectangle, and at least 1 pixel.
        count: Least and largest number of rectangles, at least 1.

    Raises:
        ValueError: If a range is upside down or out of bounds.
    """

    def __init__(
        self, sides: tuple[float, float] = (0.1, 0.4), count: tuple[int, int] = (1, 4)
    ) -> None:
        check_range("sides", sides, 0, 1)
        check_range("count", count, 1, 1000)
        self.sides = sides
        self.count = count

    def __call__(self, height: int, width: int, generator: torch.Generator) -> Tensor:
        """Draw a mask, shape (1, height, width), bool."""
        mask = torch.ones(1, height, width, dtype=torch.bool)
        for _ in range(integer(generator, self.count)):
            rows, columns = (self._extent(side, generator) for side in (height, width))
            mask[:, rows, columns] = False
        return mask

    def _extent(self, side: int, generator: torch.Generator) -> slice:
        length = max(round(side * uniform(generator, self.sides)), 1)
        start = integer(generator, (0, side - length))
        return slice(start, start + length)


class CenterMask(MaskSource):
    """One rectangle in the middle, the same every time.

    Args:
        fraction: Its sides, as a part of the mask's, above 0 and at most 1; rounded to pixels, and
            at least 1.

    Raises:
        ValueError: If ``fraction`` is out of range.
    """

    def __init__(self, fraction: float = 0.5) -> None:
        if not 0 < fraction <= 1:
            raise ValueError(f"fraction must be above 0 and at most 1, got {fraction}")
        self.fraction = fraction

    def __call__(self, height: int, width: int, generator: torch.Generator | None = None) -> Tensor:
        """Make the mask, shape (1, height, width), bool."""
        mask = torch.ones(1, height, width, dtype=torch.bool)
        sides = [max(round(side * self.fraction), 1) for side in (height, width)]
        top, left = (height - sides[0]) // 2, (width - sides[1]) // 2
        mask[:, top : top + sides[0], left : left + sides[1]] = False
        return mask
