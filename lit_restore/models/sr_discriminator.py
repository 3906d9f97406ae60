"""The discriminator of SRGAN."""

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from lit_restore.models._style import Style, batch_norm, check_style, start_as_keras
from lit_restore.nn import SameConv2d

_STRIDES = 4  # convolutions of stride 2


class SRDiscriminator(nn.Module):
    """Eight convolutions, every second of stride 2, and a head that scores; it restores nothing.

    Scores are logits. The convolutions pad as TensorFlow's SAME does, which matters at stride 2.

    Args:
        in_channels: Channels of the picture.
        width: Channels of the first stage; each of the three others doubles them.
        head: ``"map"``: two 1x1 convolutions, a score for each 16 pixels of a picture of any size,
            as the notes do; ``"dense"``: one score, by two linear layers, as in the paper.
        size: Height and width of the picture, in pixels, which ``head="dense"`` is made for.
        slope: Of the LeakyReLUs: 0.2 in the paper, 0.3, Keras's, in the notes.
        style: Whose BatchNorm and whose initial weights.

    Raises:
        ValueError: If ``size`` is below 1, or an option is unknown.

    Source:
        Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial
        Network", CVPR 2017, https://arxiv.org/abs/1609.04802, figure 4; the study notes.
    """

    multiple_of = 1

    def __init__(
        self,
        in_channels: int = 3,
        width: int = 64,
        head: Literal["map", "dense"] = "map",
        size: int = 96,
        slope: float = 0.2,
        style: Style = "torch",
    ) -> None:
        _check(head, size, style)
        super().__init__()
        self.in_channels = in_channels
        self.width = width
        self.head = head
        self.size = size
        self.slope = slope
        self.style = style
        self.act = nn.LeakyReLU(slope)
        widths = [width * 2**stage for stage in range(_STRIDES) for _ in (1, 2)]
        strides = [1, 2] * _STRIDES
        self.convs = nn.ModuleList(
            SameConv2d(before, after, 3, stride)
            for (before, after), stride in zip(
                pairwise([in_channels, *widths]), strides, strict=True
            )
        )
        self.norms = nn.ModuleList(batch_norm(after, style) for after in widths[1:])
        self.fc1, self.fc2 = _head(head, widths[-1], 16 * width, size)
        if style == "keras":
            start_as_keras(self)

    def forward(self, image: Tensor) -> Tensor:
        """Score a picture.

        Args:
            image: Shape (N, in_channels, H, W), of the range that it is trained with; for
                ``head="dense"`` H and W must be ``self.size``.

        Returns:
            Logits that are the larger the truer the picture looks. For ``head="map"``: shape
            (N, 1, ceil(H / 16), ceil(W / 16)). For ``head="dense"``: shape (N, 1).

        Raises:
            ValueError: If the picture has another size than ``head="dense"`` is made for.
        """
        height, width = image.shape[-2:]
        if self.head == "dense" and (height, width) != (self.size, self.size):
            raise ValueError(f"image must be {self.size}x{self.size} pixels, got {height}x{width}")
        first, *others = self.convs
        features = self.act(first(image))
        for conv, norm in zip(others, self.norms, strict=True):
            features = self.act(norm(conv(features)))
        if self.head == "dense":
            features = features.flatten(1)
        return self.fc2(self.act(self.fc1(features)))


def _head(head: str, channels: int, width: int, size: int) -> tuple[nn.Module, nn.Module]:
    """Make the two layers that score; the dense one reads channels first, then rows."""
    if head == "map":
        return SameConv2d(channels, width, 1), SameConv2d(width, 1, 1)
    side = -(-size // 2**_STRIDES)
    return nn.Linear(channels * side**2, width), nn.Linear(width, 1)


def _check(head: str, size: int, style: str) -> None:
    if head not in ("map", "dense"):
        raise ValueError(f"head must be 'map' or 'dense', got {head!r}")
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")
    check_style(style)
