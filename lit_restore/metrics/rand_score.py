"""How well regions are kept apart: the Rand score by which neuron membranes are judged."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lit_restore.nn.components import connected_components


@dataclass(frozen=True)
class RandScore:
    """How pairs of pixels that are in one region of the truth agree with those of the prediction.

    Attributes:
        split: Share of the pairs within one true region that are within one predicted region; low
            where regions are split. Of pairs it is the recall.
        merge: Share of the pairs within one predicted region that are within one true region; low
            where regions are merged. Of pairs it is the precision.
    """

    split: float
    merge: float

    @property
    def f(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.split * self.merge / (self.split + self.merge)


def rand_score(regions: Tensor, true_regions: Tensor) -> RandScore:
    """Compare numbered regions at the pixels that are in a true one.

    What the prediction has elsewhere does not matter. Pixels that are in no predicted region are
    taken for regions of a single pixel. A pixel makes a pair with itself, too.

    Args:
        regions: Shape (H, W), or any, integers of 0 or more: predicted; 0 is in no region.
        true_regions: The same shape: true; 0 is in no region and does not count.

    Returns:
        Both shares, above 0 and at most 1.

    Raises:
        ValueError: If shapes differ, values are no integers or negative, or there is no true
            region.

    Source:
        Arganda-Carreras et al., "Crowdsourcing the creation of image segmentation algorithms for
        connectomics", Frontiers in Neuroanatomy 2015, https://doi.org/10.3389/fnana.2015.00142,
        equation 3 and what precedes it.
    """
    _check(regions, true_regions)
    counted = true_regions > 0
    found, true = regions[counted].long(), true_regions[counted].long()
    if not len(true):
        raise ValueError("expected at least one pixel that is in a true region, got none")
    alone = int((found == 0).sum())
    inside = found > 0
    both = found * (true.max() + 1) + true
    together = _pairs(both[inside]) + alone
    return RandScore(together / _pairs(true), together / (_pairs(found[inside]) + alone))


def foreground_rand_score(prediction: Tensor, target: Tensor, connectivity: int = 4) -> RandScore:
    """Compare two maps by the connected regions of their foregrounds.

    This is the foreground-restricted Rand score of the ISBI 2012 challenge for one map at one
    threshold, and without the thinning of borders by which its final ranking was made: true borders
    are left out of the count as wide as they were drawn, and a predicted border that is wider than
    the true one costs its pixels in ``split``. It is F of both (``.f``) that is reported.

    Args:
        prediction: Shape (H, W), bool or integers; not 0 in the foreground (cells).
        target: The same shape.
        connectivity: How many neighbours a pixel has, 4 or 8; the challenge's had 4.

    Returns:
        Both shares, above 0 and at most 1.

    Raises:
        ImportError: If SciPy is not installed.
        ValueError: If shapes do not fit, or the target has no foreground.

    Source:
        As of ``rand_score``.
    """
    return rand_score(
        connected_components(prediction != 0, connectivity),
        connected_components(target != 0, connectivity),
    )


def _pairs(labels: Tensor) -> int:
    """Count the ordered pairs of pixels that have one label, shape (pixels,)."""
    _, counts = torch.unique(labels, return_counts=True)
    return int(counts.square().sum())


def _check(regions: Tensor, true_regions: Tensor) -> None:
    if regions.shape != true_regions.shape:
        raise ValueError(
            "predicted and true regions must have the same shape, got "
            f"{tuple(regions.shape)} and {tuple(true_regions.shape)}"
        )
    for name, values in (("predicted", regions), ("true", true_regions)):
        if values.is_floating_point() or (values < 0).any():
            raise ValueError(f"{name} regions must be integers of 0 or more, got {values.dtype}")
