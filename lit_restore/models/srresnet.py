"""SRResNet, the generator of SRGAN."""

from typing import Literal

from torch import Tensor, nn

from lit_restore.models._style import Style, batch_norm, check_style, start_as_keras
from lit_restore.nn import (
    ChannelPReLU,
    PixelShuffleConv2d,
    SameConv2d,
    channel_prelu,
    depth_to_space,
)
from lit_restore.nn.upsample import ChannelOrder

_STAGES = {2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}


class SRResNet(nn.Module):
    """Residual blocks at the small picture's size, pixel shuffles, and a 9x9 convolution.

    The last shuffle and the last convolution are one layer, which never makes the enlarged map.

    Args:
        in_channels: Channels of the picture, in and out.
        width: Channels of the features.
        depth: Residual blocks, at least 1: 16 in the paper, 5 in the notes.
        scale: Factor of enlargement: 2, 3, 4 or 8.
        output: ``"linear"`` is not bounded, and is trained to unit range; ``"tanh"``, the notes',
            is in signed range.
        style: Whose BatchNorm and whose initial weights; ``"keras"`` has slopes of 0 at first and
            Glorot's kernels.
        order: Whose channel order the shuffles have; the notes' is TensorFlow's.
        folded: Whether the last layers run without the enlarged map: the same result, sooner.
            False is the plain form.

    Attributes:
        value_range: Of the output: ``"unit"``, or ``"signed"`` for ``"tanh"``. The input is in
            unit range, as in the paper.

    Raises:
        ValueError: If ``depth`` is below 1, or an option is unknown.

    Source:
        Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial
        Network", CVPR 2017, https://arxiv.org/abs/1609.04802, figure 4; the study notes.
    """

    multiple_of = 1

    def __init__(
        self,
        in_channels: int = 3,
        width: int = 64,
        depth: int = 16,
        scale: int = 4,
        output: Literal["linear", "tanh"] = "linear",
        style: Style = "torch",
        order: ChannelOrder = "torch",
        folded: bool = True,
    ) -> None:
        _check(depth, scale, output, style, order)
        super().__init__()
        self.in_channels = in_channels
        self.width = width
        self.depth = depth
        self.scale = scale
        self.output = output
        self.style = style
        self.order: ChannelOrder = order
        self.folded = folded
        self.value_range = "signed" if output == "tanh" else "unit"
        factors = _STAGES[scale]
        self.stem = SameConv2d(in_channels, width, kernel_size=9)
        self.act = ChannelPReLU(width)
        self.blocks = nn.Sequential(*(_ResidualBlock(width, style) for _ in range(depth)))
        self.gather = SameConv2d(width, width, kernel_size=3)
        self.norm = batch_norm(width, style)
        self.up = nn.ModuleList(_Enlarge(width, factor, order) for factor in factors)
        self.head = PixelShuffleConv2d(width, in_channels, 9, factors[-1], order, folded)
        if style == "keras":
            start_as_keras(self)

    def forward(self, image: Tensor) -> Tensor:
        """Enlarge a picture.

        Args:
            image: Shape (N, in_channels, H, W) in unit range.

        Returns:
            Shape (N, in_channels, H * scale, W * scale); unit range, which it may leave a little,
            or signed range for ``output="tanh"``.
        """
        first = self.act(self.stem(image))
        features = first + self.norm(self.gather(self.blocks(first)))
        *inner, last = self.up
        for enlarge, factor in zip(inner, _STAGES[self.scale], strict=False):
            features = depth_to_space(enlarge(features), factor, self.order)
        result = self.head(last(features))
        return result.tanh() if self.output == "tanh" else result


class _ResidualBlock(nn.Module):
    """Convolution, BatchNorm, PReLU, convolution, BatchNorm; and the input added."""

    def __init__(self, width: int, style: Style) -> None:
        super().__init__()
        self.conv1 = SameConv2d(width, width, kernel_size=3)
        self.norm1 = batch_norm(width, style)
        self.act = ChannelPReLU(width)
        self.conv2 = SameConv2d(width, width, kernel_size=3)
        self.norm2 = batch_norm(width, style)

    def forward(self, features: Tensor) -> Tensor:
        """Change features of shape (N, width, H, W)."""
        changed = self.act(self.norm1(self.conv1(features)))
        return features + self.norm2(self.conv2(changed))


class _Enlarge(nn.Module):
    """A convolution and PReLU whose channels the shuffle that follows turns to pixels.

    The paper's PReLU comes after the shuffle. With a slope for each channel of the shuffled map
    it may as well come before, if channels that become one have the same slope.
    """

    def __init__(self, width: int, scale: int, order: ChannelOrder) -> None:
        super().__init__()
        self.pixels = scale**2
        self.order: ChannelOrder = order
        self.conv = SameConv2d(width, width * scale**2, kernel_size=3)
        self.act = ChannelPReLU(width)

    def forward(self, features: Tensor) -> Tensor:
        """Make (N, width * scale**2, H, W) of features of shape (N, width, H, W)."""
        slopes: Tensor = self.act.weight
        if self.order == "torch":
            slopes = slopes.repeat_interleave(self.pixels)
        else:
            slopes = slopes.repeat(self.pixels)
        return channel_prelu(self.conv(features), slopes)


def _check(depth: int, scale: int, output: str, style: str, order: str) -> None:
    if depth < 1:
        raise ValueError(f"depth must be at least 1, got {depth}")
    if scale not in _STAGES:
        raise ValueError(f"scale must be 2, 3, 4 or 8, got {scale}")
    if output not in ("linear", "tanh"):
        raise ValueError(f"output must be 'linear' or 'tanh', got {output!r}")
    check_style(style)
    if order not in ("torch", "tensorflow"):
        raise ValueError(f"order must be 'torch' or 'tensorflow', got {order!r}")
