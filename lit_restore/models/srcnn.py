"""SRCNN, the first convolutional network for super-resolution."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from lit_restore.nn import SameConv2d, pass_through_

Padding = Literal["same", "valid"]


class SRCNN(nn.Module):
    """Three convolutions that sharpen a picture which was enlarged before, by bicubic resizing.

    The paper's network reads the luma alone (``in_channels=1``); ``in_channels=3`` reads RGB. It
    does not bound its output. Untrained, it gives nearly what it gets
    (:func:`lit_restore.nn.pass_through_`).

    Args:
        in_channels: Channels of the picture, in and out.
        widths: Channels after the first and after the second convolution.
        kernel_sizes: Height and width of the three kernels, in pixels: 9-1-5, 9-3-5 or 9-5-5 in
            the paper.
        padding: ``"same"`` keeps the size, with zeros around the picture; ``"valid"``, as the
            paper trains, gives only the pixels whose whole surroundings are known.
        enlarged_by: By what factor the picture was enlarged before; None: the caller knows.

    Attributes:
        margin: How many pixels narrower the output is at each side.

    Raises:
        ValueError: If there are not two widths and three kernel sizes, a kernel's size is even,
            ``padding`` is unknown, or ``enlarged_by`` is below 1.

    Source:
        Dong et al., "Image Super-Resolution Using Deep Convolutional Networks", TPAMI 2016,
        https://arxiv.org/abs/1501.00092, sections 3.1 and 4.
    """

    scale = 1
    multiple_of = 1

    def __init__(
        self,
        in_channels: int = 1,
        widths: Sequence[int] = (64, 32),
        kernel_sizes: Sequence[int] = (9, 1, 5),
        padding: Padding = "same",
        enlarged_by: int | None = None,
    ) -> None:
        _check(widths, kernel_sizes, padding)
        if enlarged_by is not None and enlarged_by < 1:
            raise ValueError(f"enlarged_by must be at least 1 or None, got {enlarged_by}")
        super().__init__()
        self.in_channels = in_channels
        self.widths = tuple(widths)
        self.kernel_sizes = tuple(kernel_sizes)
        self.padding = padding
        self.enlarged_by = enlarged_by
        self.margin = (sum(kernel_sizes) - 3) // 2 if padding == "valid" else 0
        conv = SameConv2d if padding == "same" else nn.Conv2d
        first, second, third = kernel_sizes
        self.extract = conv(in_channels, widths[0], first)
        self.mapping = conv(widths[0], widths[1], second)
        self.reconstruct = conv(widths[1], in_channels, third)
        pass_through_([self.extract, self.mapping, self.reconstruct], range(in_channels))

    def forward(self, image: Tensor) -> Tensor:
        """Sharpen an enlarged picture.

        Args:
            image: Shape (N, in_channels, H, W) in unit range.

        Returns:
            Shape (N, in_channels, H - 2 * margin, W - 2 * margin); unit range, which it may leave
            a little.

        Raises:
            ValueError: If nothing would be left of the picture.
        """
        height, width = image.shape[-2:]
        if min(height, width) <= 2 * self.margin:
            least = 2 * self.margin + 1
            raise ValueError(f"image must be at least {least}x{least}, got {height}x{width}")
        features = self.mapping(self.extract(image).relu()).relu()
        return self.reconstruct(features)


def _check(widths: Sequence[int], kernel_sizes: Sequence[int], padding: str) -> None:
    if len(widths) != 2:
        raise ValueError(f"widths must be two, got {list(widths)}")
    if len(kernel_sizes) != 3 or any(size < 1 or size % 2 == 0 for size in kernel_sizes):
        raise ValueError(f"kernel_sizes must be three odd numbers, got {list(kernel_sizes)}")
    if padding not in ("same", "valid"):
        raise ValueError(f"padding must be 'same' or 'valid', got {padding!r}")
