"""CutMix: a rectangle of another picture, and as much of its label."""

import torch
from torch import Tensor

from lit_restore.data._draws import check_probability, happens, integer
from lit_restore.data.mixing import (
    Generators,
    Mixing,
    beta,
    check_alpha,
    check_batch,
    mixed,
    partners,
)

Box = tuple[int, int, int, int]


class CutMix(Mixing):
    """Pastes a rectangle of another picture of the batch at its own place in each picture.

    The share that would be kept is drawn from Beta(alpha, alpha), the rectangle's centre evenly
    from all pixels. It is clipped at the picture's border, and the label gets the other's by the
    share of pixels that was pasted indeed.

    Args:
        alpha: Of the Beta distribution; 1 draws the share evenly, as the paper and the notes do.
        probability: Of each picture to get a rectangle, 0..1.

    Raises:
        ValueError: If ``alpha`` is not above 0, or ``probability`` is none; in a call, if the batch
            has one sample only.

    Source:
        Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable
        Features", ICCV 2019, https://arxiv.org/abs/1905.04899, section 3.1 and algorithm A1; the
        study notes, which stop before the labels.
    """

    def __init__(self, alpha: float = 1.0, probability: float = 1.0) -> None:
        check_alpha(alpha)
        check_probability("probability", probability)
        self.alpha = alpha
        self.probability = probability

    def __call__(
        self, images: Tensor, labels: Tensor, generators: Generators
    ) -> tuple[Tensor, Tensor]:
        """Paste into each picture; one rectangle of each sample's own generator."""
        check_batch(images, labels, generators)
        others = partners(generators[0], len(images))
        height, width = images.shape[-2:]
        pasted, shares = images.clone(), labels.clone()
        for sample, generator in enumerate(generators):
            if not happens(generator, self.probability):
                continue
            kept = beta(generator, self.alpha)
            x, y = integer(generator, (0, width - 1)), integer(generator, (0, height - 1))
            left, top, right, bottom = cutmix_box(height, width, kept, x, y)
            cut = (slice(None), slice(top, bottom), slice(left, right))
            pasted[sample][cut] = images[others[sample]][cut]
            share = (bottom - top) * (right - left) / (height * width)
            shares[sample] = mixed(labels[sample], labels[others[sample]], share)
        return pasted, shares


def cutmix_box(height: int, width: int, share_kept: float, x: int, y: int) -> Box:
    """Find the rectangle around a centre that leaves a share of a picture, clipped at its border.

    Of a square picture it is the notes' to the bit: its side is float32 arithmetic, cut to a whole
    number, half of which, again cut, lies to either side of the centre. So odd sides lose a pixel.

    Args:
        height: Of the picture, in pixels.
        width: Of the picture, in pixels.
        share_kept: 1 less the square of the sides' share of the picture's, in 0..1.
        x: Column of the centre.
        y: Row of the centre.

    Returns:
        The first column and row, and the column and row after the last: left, top, right, bottom.

    Raises:
        ValueError: If ``share_kept`` is not in 0..1, or the centre not in the picture.
    """
    if not 0 <= share_kept <= 1:
        raise ValueError(f"share_kept must be 0 to 1, got {share_kept}")
    if not (0 <= x < width and 0 <= y < height):
        raise ValueError(
            f"the centre must be a pixel of the picture of {width}x{height}, got x {x} and y {y}"
        )
    ratio = (1 - torch.tensor(share_kept, dtype=torch.float32)).sqrt()
    halves = [int(torch.tensor(side, dtype=torch.float32) * ratio) // 2 for side in (width, height)]
    left, top = max(0, x - halves[0]), max(0, y - halves[1])
    return left, top, min(width, x + halves[0]), min(height, y + halves[1])
