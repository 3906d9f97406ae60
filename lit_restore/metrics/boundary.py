"""How well predicted edges agree with drawn ones, within a few pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

THRESHOLDS = tuple(step / 50 for step in range(1, 50))
TOLERANCE = 2.0


@dataclass(frozen=True)
class BoundaryScore:
    """What is reached where all edges count that are at least as strong as a threshold.

    A share of nothing is 1: no predicted edge is wrong where none is predicted, none is missed
    where none is drawn.

    Attributes:
        threshold: The least strength that counts as an edge.
        precision: Share of the predicted edge pixels that have a drawn one nearby.
        recall: Share of the drawn edge pixels that have a predicted one nearby.
    """

    threshold: float
    precision: float
    recall: float

    @property
    def f(self) -> float:
        """The harmonic mean of precision and recall; 0 where both are."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


class BoundaryFMeasure:
    """Precision and recall of edges, pooled over the pixels of all pictures, at each threshold.

    A predicted edge pixel is right if a drawn one lies within the tolerance, and a drawn one is
    found if a predicted one does. In contrast to the BSDS benchmark, which pairs pixels one to one,
    several predicted pixels may owe their being right to one drawn pixel: a line that is too wide
    by no more than the tolerance costs nothing. So thin what you compare, or compare like with
    like.

    Args:
        thresholds: At least one, in rising order.
        tolerance: Euclidean distance, in pixels.

    Raises:
        ValueError: If there is no threshold, they do not rise, or the tolerance is negative.

    Source:
        Martin et al., "Learning to Detect Natural Image Boundaries Using Local Brightness, Color,
        and Texture Cues", PAMI 2004, section 3, without its pairing.
    """

    def __init__(
        self, thresholds: Sequence[float] = THRESHOLDS, tolerance: float = TOLERANCE
    ) -> None:
        steps = pairwise(thresholds)
        if not thresholds or not all(one < following for one, following in steps):
            raise ValueError(f"thresholds must rise, and be at least one, got {list(thresholds)}")
        if tolerance < 0:
            raise ValueError(f"tolerance must be at least 0 pixels, got {tolerance}")
        self.thresholds = tuple(thresholds)
        self.tolerance = tolerance
        self.reset()

    def reset(self) -> None:
        """Forget all pictures."""
        self.counts = torch.zeros(len(self.thresholds), 4, dtype=torch.int64)

    def update(self, strength: Tensor, drawn: Tensor) -> None:
        """Add pictures; arguments and errors are those of ``boundary_counts``."""
        self.counts += boundary_counts(strength, drawn, self.thresholds, self.tolerance).cpu()

    def scores(self) -> list[BoundaryScore]:
        """Precision and recall at each threshold."""
        rows = zip(self.thresholds, self.counts.tolist(), strict=True)
        return [
            BoundaryScore(threshold, _share(right, predicted), _share(found, drawn))
            for threshold, (right, predicted, found, drawn) in rows
        ]

    def best(self) -> BoundaryScore:
        """The score of the highest F-measure; of equal ones the lowest threshold's."""
        return max(self.scores(), key=lambda score: score.f)


def boundary_counts(
    strength: Tensor, drawn: Tensor, thresholds: Sequence[float], tolerance: float = TOLERANCE
) -> Tensor:
    """Count what precision and recall are the shares of.

    Args:
        strength: Shape (N, 1, H, W), any range: how likely each pixel is an edge.
        drawn: The same shape, bool; True where an edge is drawn.
        thresholds: Strengths from which on a pixel counts as an edge; rising.
        tolerance: Euclidean distance, in pixels.

    Returns:
        Shape (thresholds, 4), int64: predicted pixels that are right, all predicted pixels, drawn
        pixels that are found, all drawn pixels.

    Raises:
        ValueError: If the shapes differ, or ``drawn`` is not bool.
    """
    if strength.ndim != 4 or strength.shape[1] != 1 or strength.shape != drawn.shape:
        raise ValueError(
            "strength and drawn must both have shape (N, 1, H, W), got "
            f"{tuple(strength.shape)} and {tuple(drawn.shape)}"
        )
    if drawn.dtype != torch.bool:
        raise ValueError(f"drawn must be bool, got {drawn.dtype}")
    strength = strength.detach().to(torch.promote_types(strength.dtype, torch.float32))
    steps = torch.tensor(thresholds, dtype=strength.dtype, device=strength.device)
    close = disc_maximum(drawn.to(strength.dtype), tolerance) > 0
    right = _at_least(strength[close], steps)
    predicted = _at_least(strength, steps)
    found = _at_least(disc_maximum(strength, tolerance)[drawn], steps)
    return torch.stack([right, predicted, found, drawn.sum().expand_as(found)], 1)


def disc_maximum(values: Tensor, radius: float) -> Tensor:
    """Take the largest value within a Euclidean distance of each pixel, itself included.

    Args:
        values: Shape (N, C, H, W), floating.
        radius: In pixels.

    Returns:
        The same shape.
    """
    reach = int(radius)
    padded = F.pad(values, (reach,) * 4, value=float("-inf"))
    height, width = values.shape[-2:]
    largest = values
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            if down**2 + right**2 <= radius**2:
                top, left = reach + down, reach + right
                moved = padded[..., top : top + height, left : left + width]
                largest = torch.maximum(largest, moved)
    return largest


def thin_edges(strength: Tensor) -> Tensor:
    """Keep only the crests of edges: what is a maximum across the edge.

    The direction across is the main one of the strength's slopes nearby (that of the structure
    tensor). A pixel stays if it is, after a slight blur, at least as strong as both points one
    pixel away on that line.

    Args:
        strength: Shape (N, 1, H, W), in unit range; of at least 2 x 2 pixels.

    Returns:
        The same shape; 0 where no crest is.
    """
    smooth = _blurred(strength)
    down, right = torch.gradient(smooth, dim=(2, 3))
    both, downs, rights = (_blurred(one) for one in (down * right, down**2, right**2))
    angle = 0.5 * torch.atan2(2 * both, rights - downs)
    step = torch.cat([angle.cos(), angle.sin()], 1).permute(0, 2, 3, 1)
    beside = torch.maximum(_moved(smooth, step), _moved(smooth, -step))
    return strength.where(smooth >= beside, 0)


def _blurred(values: Tensor) -> Tensor:
    taps = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], dtype=values.dtype, device=values.device)
    kernel = (torch.outer(taps, taps) / 256).view(1, 1, 5, 5)
    return F.conv2d(F.pad(values, (2,) * 4, mode="replicate"), kernel)


def _moved(values: Tensor, step: Tensor) -> Tensor:
    """Read values, interpolated, a step (N, H, W, right and down) away, in pixels."""
    height, width = values.shape[-2:]
    rows = torch.arange(height, dtype=values.dtype, device=values.device)[:, None]
    columns = torch.arange(width, dtype=values.dtype, device=values.device)
    places = torch.stack([step[..., 0] + columns, step[..., 1] + rows], -1)
    sizes = torch.tensor([width, height], dtype=values.dtype, device=values.device)
    grid = (2 * places + 1) / sizes - 1
    return F.grid_sample(values, grid, padding_mode="border", align_corners=False)


def _at_least(values: Tensor, steps: Tensor) -> Tensor:
    """Count, for each of the rising steps, how many values reach it."""
    reached = torch.bucketize(values.flatten(), steps, right=True)  # so many steps each
    counts = torch.bincount(reached, minlength=len(steps) + 1)
    return counts.flip(0).cumsum(0).flip(0)[1:]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
