"""The notes' first segmentation network: convolutions in a row, at full size."""

from torch import Tensor, nn

from lit_restore.models._checks import check_at_least, check_picture
from lit_restore.models._style import Style, check_style, start
from lit_restore.nn import ConvNormAct, Order


class ConvSegmenter(nn.Module):
    """Convolutions of 3x3, each with ReLU and BatchNorm, then one of 1x1 that scores the classes.

    No pixel looks further than ``depth`` pixels. ReLU comes before BatchNorm, as the notes found
    better here.

    Args:
        in_channels: Channels of the picture.
        num_classes: Maps of logits: 1 for a sigmoid (background or not), 2 or more for a softmax.
        width: Channels of every convolution.
        depth: Convolutions of 3x3, at least 1.
        order: ``"can"`` for ReLU before BatchNorm, ``"cna"`` for ReLU after it.
        style: Whose BatchNorm, and whose first weights: Keras's, or by He's rule (``"torch"``).

    Raises:
        ValueError: If an option is unknown, or a number is below 1.

    Source:
        The study notes.
    """

    multiple_of = 1
    output = "logits"

    def __init__(
        self,
        in_channels: int = 3,
        num_classes: int = 1,
        width: int = 32,
        depth: int = 6,
        order: Order = "can",
        style: Style = "torch",
    ) -> None:
        check_style(style)
        check_at_least(1, in_channels=in_channels, num_classes=num_classes, width=width)
        check_at_least(1, depth=depth)
        super().__init__()
        self.in_channels = in_channels
        self.num_classes = num_classes
        self.width = width
        self.depth = depth
        self.order: Order = order
        self.style: Style = style
        self.blocks = nn.Sequential(
            *(
                ConvNormAct(width if index else in_channels, width, order=order, style=style)
                for index in range(depth)
            )
        )
        self.head = nn.Conv2d(width, num_classes, 1)
        start(self, style)

    def forward(self, image: Tensor) -> Tensor:
        """Score every pixel.

        Args:
            image: Shape (N, in_channels, H, W) in unit range.

        Returns:
            Logits, shape (N, num_classes, H, W).

        Raises:
            ValueError: If the shape is another.
        """
        check_picture(image, self.in_channels)
        result: Tensor = self.head(self.blocks(image))
        return result
