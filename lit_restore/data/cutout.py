"""Cutout: a square of each picture that the network does not see."""

from torch import Tensor

from lit_restore.data._draws import check_probability, happens, integer
from lit_restore.data.mixing import Generators, Mixing, check_batch


class Cutout(Mixing):
    """Fills a square of each picture; labels stay.

    The centre is drawn evenly from all pixels, so that a square may lie partly outside, which the
    paper found to matter.

    Args:
        size: Side of the square, in pixels.
        probability: Of each picture to lose a square, 0..1.
        fill: What is put there, of all channels or of each. The paper fills with the mean of the
            data, which is 0 once that is subtracted; here pictures are in unit range.

    Raises:
        ValueError: If ``size`` is below 1, or ``probability`` is none; in a call, if ``fill`` has
            not as many numbers as the images have channels.

    Source:
        DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout",
        2017, https://arxiv.org/abs/1708.04552, section 3.2.
    """

    def __init__(
        self,
        size: int,
        probability: float = 1.0,
        fill: float | tuple[float, ...] = 0.0,
    ) -> None:
        if size < 1:
            raise ValueError(f"size must be at least 1 pixel, got {size}")
        check_probability("probability", probability)
        self.size = size
        self.probability = probability
        self.fill = fill

    def __call__(
        self, images: Tensor, labels: Tensor, generators: Generators
    ) -> tuple[Tensor, Tensor]:
        """Fill a square in each picture; one place of each sample's own generator."""
        check_batch(images, labels, generators)
        channels, height, width = images.shape[1:]
        fill = images.new_tensor(self.fill).reshape(-1, 1, 1)
        if len(fill) not in (1, channels):
            raise ValueError(
                f"fill must be one number or one of each of {channels} channels, got {self.fill}"
            )
        cut = images.clone()
        for image, generator in zip(cut, generators, strict=True):
            if not happens(generator, self.probability):
                continue
            top, left = (
                integer(generator, (0, side - 1)) - self.size // 2 for side in (height, width)
            )
            rows = slice(max(top, 0), top + self.size)
            image[:, rows, max(left, 0) : left + self.size] = fill
        return cut, labels.clone()
