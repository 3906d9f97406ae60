"""The ResNet of CycleGAN, which translates pictures."""

from typing import Literal

from torch import Tensor, nn

from lit_restore.models._checks import check_at_least, check_choice, check_picture
from lit_restore.models._gan import check_common, has_bias, start_gan
from lit_restore.models._style import Style
from lit_restore.models.unet_generator import Upsample
from lit_restore.nn import (
    Norm,
    NormMode,
    SameConv2d,
    SameConvTranspose2d,
    UpsampleConv2d,
    make_norm,
    set_norm_mode,
)

Padding = Literal["reflect", "same"]

_SMALLEST = 8  # pixels: of a smaller picture a quarter can neither be mirrored nor normalised


class ResNetGenerator(nn.Module):
    """A 7x7 convolution, two of stride 2, residual blocks, two enlargements, and a 7x7 convolution.

    All but the last, which ends in tanh, have normalisation and ReLU after. A block is convolution,
    normalisation, ReLU, dropout, convolution, normalisation, and its input added, with no
    activation after that.

    Args:
        in_channels: Channels of the picture that comes in.
        out_channels: Channels of the picture that goes out.
        width: Channels at full size; twice and four times as many at the half and the quarter.
        blocks: Residual blocks: 9 in the paper for 256 pixels, 6 for 128.
        norm: Kind of normalisation; see ``make_norm``.
        padding: ``"reflect"``: the geometry of the authors' code, which mirrors the border at
            stride 1 and pads with zeros, alike on both sides, at stride 2; ``"same"``: TensorFlow's
            SAME everywhere.
        upsample: ``"transposed"``: a transposed 3x3 convolution enlarges; ``"nearest"``: nearest
            neighbour and a 3x3 convolution with SAME padding.
        dropout: Share of the features that is dropped in a block, in [0, 1).
        norm_mode: Which statistics BatchNorm uses in eval mode; see ``SwitchBatchNorm2d``.
        dead_biases: Whether convolutions have a bias even where the normalisation that follows
            takes it away again, as the authors' have.
        style: Whose constants of normalisation and whose first weights.

    Raises:
        ValueError: If an option is unknown, or a number is out of its range.

    Source:
        Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
        Networks", ICCV 2017, https://arxiv.org/abs/1703.10593, section 7.2, after Johnson et al.,
        ECCV 2016; the study notes.
    """

    input_range = "signed"
    value_range = "signed"
    multiple_of = 4
    scale = 1

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        width: int = 64,
        blocks: int = 9,
        norm: Norm = "instance",
        padding: Padding = "reflect",
        upsample: Upsample = "transposed",
        dropout: float = 0.0,
        norm_mode: NormMode = "running",
        dead_biases: bool = False,
        style: Style = "torch",
    ) -> None:
        check_common(norm, style)
        check_choice("padding", padding, ("reflect", "same"))
        check_choice("upsample", upsample, ("transposed", "nearest"))
        check_at_least(0, blocks=blocks)
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, got {dropout}")
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.width = width
        self.blocks = blocks
        self.norm: Norm = norm
        self.padding: Padding = padding
        self.upsample: Upsample = upsample
        self.dropout = dropout
        self.norm_mode: NormMode = norm_mode
        self.dead_biases = dead_biases
        self.style: Style = style
        half, quarter = 2 * width, 4 * width
        self.stem = self._conv(in_channels, width, 7)
        self.down = nn.ModuleList([self._conv(width, half, 3, 2), self._conv(half, quarter, 3, 2)])
        self.body = nn.ModuleList(self._block(quarter) for _ in range(blocks))
        self.up = nn.ModuleList([self._enlarge(quarter, half), self._enlarge(half, width)])
        self.head = _conv(padding, width, out_channels, 7)
        start_gan(self, style)
        set_norm_mode(self, norm_mode)

    def _conv(self, before: int, after: int, size: int, stride: int = 1) -> "_ConvNorm":
        bias = has_bias(self.norm, self.dead_biases)
        conv = _conv(self.padding, before, after, size, stride, bias)
        return _ConvNorm(conv, make_norm(self.norm, after, self.style))

    def _block(self, width: int) -> "_Block":
        return _Block(self._conv(width, width, 3), self._conv(width, width, 3), self.dropout)

    def _enlarge(self, before: int, after: int) -> "_ConvNorm":
        bias = has_bias(self.norm, self.dead_biases)
        conv: nn.Module
        if self.upsample == "nearest":
            conv = UpsampleConv2d(before, after, 3, bias=bias)
        elif self.padding == "same":
            conv = SameConvTranspose2d(before, after, 3, 2, bias=bias)
        else:
            conv = nn.ConvTranspose2d(before, after, 3, 2, padding=1, output_padding=1, bias=bias)
        return _ConvNorm(conv, make_norm(self.norm, after, self.style))

    def forward(self, image: Tensor) -> Tensor:
        """Translate pictures.

        Args:
            image: Shape (N, in_channels, H, W) in signed range; H and W are multiples of 4, and at
                least 8.

        Returns:
            Shape (N, out_channels, H, W) in signed range.

        Raises:
            ValueError: If the shape is another.
        """
        check_picture(image, self.in_channels, self.multiple_of, _SMALLEST)
        x = self.stem(image).relu()
        for layer in self.down:
            x = layer(x).relu()
        for block in self.body:
            x = block(x)
        for layer in self.up:
            x = layer(x).relu()
        result: Tensor = self.head(x)
        return result.tanh()


class _ConvNorm(nn.Module):
    """A convolution and its normalisation."""

    def __init__(self, conv: nn.Module, norm: nn.Module) -> None:
        super().__init__()
        self.conv = conv
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        """Convolve and normalise."""
        result: Tensor = self.norm(self.conv(x))
        return result


class _Block(nn.Module):
    """Two convolutions; and the input added."""

    def __init__(self, first: _ConvNorm, second: _ConvNorm, dropout: float) -> None:
        super().__init__()
        self.first = first
        self.dropout = nn.Dropout(dropout)
        self.second = second

    def forward(self, x: Tensor) -> Tensor:
        """Change features; the shape stays."""
        changed: Tensor = self.second(self.dropout(self.first(x).relu()))
        return x + changed


def _conv(
    padding: Padding, before: int, after: int, size: int, stride: int = 1, bias: bool = True
) -> nn.Module:
    if padding == "same":
        return SameConv2d(before, after, size, stride, bias=bias)
    mode: Literal["reflect", "zeros"] = "reflect" if stride == 1 else "zeros"
    return nn.Conv2d(before, after, size, stride, size // 2, bias=bias, padding_mode=mode)
