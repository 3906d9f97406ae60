"""The notes' second segmentation networks: down by pooling, and up again."""

from typing import Literal

import torch
from torch import Tensor, nn

from lit_restore.models._checks import check_at_least, check_choice, check_picture
from lit_restore.models._style import Style, check_style, start
from lit_restore.nn import ConvNormAct, Order, SameConvTranspose2d

Upsample = Literal["nearest", "bilinear", "transposed"]


class PoolingSegmenter(nn.Module):
    """Two convolutions at full size, two at half size, two at full size; and 1x1 for the classes.

    Each 3x3 convolution has ReLU and BatchNorm. With ``skip`` the enlarged map is joined with the
    one from before the pooling, the enlarged one first, and a 1x1 convolution brings both to one
    width.

    Args:
        in_channels: Channels of the picture.
        num_classes: Maps of logits: 1 for a sigmoid (background or not), 2 or more for a softmax.
        width: Channels of every convolution.
        upsample: How the half-size map is enlarged: by its ``"nearest"`` pixel, ``"bilinear"``, or
            by a ``"transposed"`` 2x2 convolution with ReLU and BatchNorm of its own.
        skip: Whether the map from before the pooling is seen again.
        order: ``"can"`` for ReLU before BatchNorm, ``"cna"`` for ReLU after it.
        style: Whose BatchNorm, and whose first weights: Keras's, or by He's rule (``"torch"``).

    Raises:
        ValueError: If an option is unknown, or a number is below 1.

    Source:
        The study notes.
    """

    multiple_of = 2
    output = "logits"

    def __init__(
        self,
        in_channels: int = 3,
        num_classes: int = 3,
        width: int = 32,
        upsample: Upsample = "nearest",
        skip: bool = False,
        order: Order = "can",
        style: Style = "torch",
    ) -> None:
        check_style(style)
        check_choice("upsample", upsample, ("nearest", "bilinear", "transposed"))
        check_at_least(1, in_channels=in_channels, num_classes=num_classes, width=width)
        super().__init__()
        self.in_channels = in_channels
        self.num_classes = num_classes
        self.width = width
        self.upsample: Upsample = upsample
        self.skip = skip
        self.order: Order = order
        self.style: Style = style
        self.fine = self._pair(in_channels)
        self.pool = nn.MaxPool2d(2)
        self.coarse = self._pair(width)
        self.up: nn.Module = nn.Upsample(scale_factor=2, mode=upsample)
        if upsample == "transposed":
            self.up = _UpConvNormAct(width, order, style)
        if skip:
            self.fuse = ConvNormAct(2 * width, width, 1, order=order, style=style)
        self.last = self._pair(width)
        self.head = nn.Conv2d(width, num_classes, 1)
        start(self, style)

    def _pair(self, channels: int) -> nn.Sequential:
        return nn.Sequential(
            ConvNormAct(channels, self.width, order=self.order, style=self.style),
            ConvNormAct(self.width, self.width, order=self.order, style=self.style),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Score every pixel.

        Args:
            image: Shape (N, in_channels, H, W) in unit range; H and W are even.

        Returns:
            Logits, shape (N, num_classes, H, W).

        Raises:
            ValueError: If the shape is another.
        """
        check_picture(image, self.in_channels, self.multiple_of)
        fine = self.fine(image)
        x = self.up(self.coarse(self.pool(fine)))
        if self.skip:
            x = self.fuse(torch.cat([x, fine], dim=1))
        result: Tensor = self.head(self.last(x))
        return result


class _UpConvNormAct(ConvNormAct):
    """A transposed 2x2 convolution that enlarges by 2, with ReLU and BatchNorm."""

    def __init__(self, width: int, order: Order, style: Style) -> None:
        super().__init__(width, width, order=order, style=style)
        self.conv = SameConvTranspose2d(width, width, 2, 2, bias=order == "can")
