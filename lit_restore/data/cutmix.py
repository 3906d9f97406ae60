"""CutMix: a rectangle of another picture, and as much of its label."""

import torch
from torch import Tensor

from lit_restore.data._draws import integer
from lit_restore.data.mixing import PartnerMixing, beta

Box = tuple[int, int, int, int]


class CutMix(PartnerMixing):
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
        super().__init__(alpha, probability)

    def mix_into(self, image: Tensor, other: Tensor, generator: torch.Generator) -> float:
        """Paste a rectangle, and return its share of the pixels."""
        height, width = image.shape[-2:]
        kept = beta(generator, self.alpha)
        x, y = integer(generator, (0, width - 1)), integer(generator, (0, height - 1))
        left, top, right, bottom = cutmix_box(height, width, kept, x, y)
        image[:, top:bottom, left:right] = other[:, top:bottom, left:right]
        return (bottom - top) * (right - left) / (height * width)


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
