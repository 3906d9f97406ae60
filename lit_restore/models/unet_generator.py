"""The U-Net of pix2pix, which translates pictures."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from lit_restore.models._checks import check_at_least, check_choice, check_picture
from lit_restore.models._gan import check_common, has_bias, start_gan
from lit_restore.models._style import Style
from lit_restore.nn import (
    Norm,
    NormMode,
    SameConv2d,
    SameConvTranspose2d,
    UpsampleConv2d,
    make_norm,
    removes_mean,
    set_norm_mode,
)

Upsample = Literal["transposed", "nearest"]

_KERNEL = 4  # pixels


class UNetGenerator(nn.Module):
    """Convolutions of stride 2 down to a few pixels, and up again beside skips.

    A level of the encoder is a 4x4 convolution of stride 2, normalisation, LeakyReLU. A level of
    the decoder enlarges by 2, normalises, has ReLU and dropout, and joins the result with the ReLU
    of the encoder's map of that size. The last one enlarges to the picture's size and ends in tanh.
    The first level has no normalisation, the innermost none either: with as many levels as
    ``unet_256`` its map is one pixel. All convolutions pad as TensorFlow's SAME, which at stride 2
    and even sizes is what the paper's code does.

    The defaults are the paper's. The study notes' network is ``widths=(32, 64, 128, 256),
    norm="instance", upsample="nearest", slope=0.0, dropout=0.0, edge_norms=True, dead_biases=True,
    style="keras"``.

    Args:
        in_channels: Channels of the picture that comes in.
        out_channels: Channels of the picture that goes out.
        widths: Channels of each level, finest first; the map is halved once for each.
        norm: Kind of normalisation; see ``make_norm``.
        upsample: ``"transposed"``: a transposed 4x4 convolution enlarges; ``"nearest"``: nearest
            neighbour and a 4x4 convolution.
        slope: Of the encoder's LeakyReLU; 0 for ReLU.
        dropout: Share of the features that is dropped, in [0, 1).
        dropout_stages: How many levels of the decoder have dropout, from the innermost. (The
            authors' PyTorch code has it from the second on, the paper and its Lua from the first.)
        edge_norms: Whether the first and the innermost level are normalised, too.
        noise: Whether dropout stays on in eval mode, as the paper's does: its only randomness.
        norm_mode: Which statistics BatchNorm uses in eval mode; see ``SwitchBatchNorm2d``.
        dead_biases: Whether convolutions have a bias even where the normalisation that follows
            takes it away again.
        style: Whose constants of normalisation and whose first weights.
        folded: Whether ``upsample="nearest"`` runs without the enlarged map: the same result,
            sooner. False is the plain form.

    Raises:
        ValueError: If an option is unknown, a number is out of its range, or there is ``noise``
            without dropout.

    Source:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
        https://arxiv.org/abs/1611.07004, section 6.1; the study notes.
    """

    input_range = "signed"
    value_range = "signed"
    scale = 1

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        widths: Sequence[int] = (64, 128, 256, 512, 512, 512, 512, 512),
        norm: Norm = "batch",
        upsample: Upsample = "transposed",
        slope: float = 0.2,
        dropout: float = 0.5,
        dropout_stages: int = 3,
        edge_norms: bool = False,
        noise: bool = False,
        norm_mode: NormMode = "running",
        dead_biases: bool = False,
        style: Style = "torch",
        folded: bool = True,
    ) -> None:
        check_common(norm, style)
        _check(widths, upsample, slope, dropout, dropout_stages, noise)
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.widths = tuple(widths)
        self.norm: Norm = norm
        self.upsample: Upsample = upsample
        self.slope = slope
        self.dropout = dropout
        self.dropout_stages = dropout_stages
        self.edge_norms = edge_norms
        self.noise = noise
        self.norm_mode: NormMode = norm_mode
        self.dead_biases = dead_biases
        self.style: Style = style
        self.folded = folded
        self.multiple_of = 2 ** len(widths)
        self.encoder = nn.ModuleList(map(self._down, range(len(widths))))
        self.decoder = nn.ModuleList(map(self._up, range(1, len(widths))))
        joined = widths[0] if len(widths) == 1 else 2 * widths[0]
        self.head = self._enlarge(joined, out_channels, bias=True)
        start_gan(self, style)
        set_norm_mode(self, norm_mode)

    def _down(self, level: int) -> "_Down":
        edge = level in (0, len(self.widths) - 1)
        norm: Norm = self.norm if self.edge_norms or not edge else "none"
        before, after = (self.in_channels, *self.widths)[level : level + 2]
        bias = has_bias(norm, self.dead_biases)
        conv = SameConv2d(before, after, _KERNEL, stride=2, bias=bias)
        return _Down(conv, make_norm(norm, after, self.style))

    def _up(self, level: int) -> "_Up":
        """Make the decoder's level, counted from the innermost, which is 1."""
        inner, width = list(pairwise(self.widths[::-1]))[level - 1]
        before = inner if level == 1 else 2 * inner
        conv = self._enlarge(before, width, bias=has_bias(self.norm, self.dead_biases))
        dropout = self.dropout if level <= self.dropout_stages else 0.0
        return _Up(conv, make_norm(self.norm, width, self.style), dropout)

    def _enlarge(self, before: int, after: int, bias: bool) -> nn.Module:
        if self.upsample == "transposed":
            return SameConvTranspose2d(before, after, _KERNEL, stride=2, bias=bias)
        return UpsampleConv2d(before, after, _KERNEL, folded=self.folded, bias=bias)

    def forward(self, image: Tensor) -> Tensor:
        """Translate pictures.

        Args:
            image: Shape (N, in_channels, H, W) in signed range; H and W are multiples of
                ``multiple_of``.

        Returns:
            Shape (N, out_channels, H, W) in signed range.

        Raises:
            ValueError: If the shape is another, or a level would have to normalise one value by
                itself.
        """
        self._check_input(image)
        x, skips = image, []
        for level in self.encoder:
            features = level(x)
            x = nn.functional.leaky_relu(features, self.slope) if self.slope else features.relu()
            skips.append(features.relu() if self.slope else x)
        x = skips.pop()
        for level in self.decoder:
            x = torch.cat([level(x), skips.pop()], dim=1)
        result: Tensor = self.head(x)
        return result.tanh()

    def train(self, mode: bool = True) -> "UNetGenerator":
        """Put the network in training mode or in eval mode, but for dropout that is ``noise``."""
        super().train(mode)
        if self.noise:
            for level in self.decoder:
                level.get_submodule("dropout").train()
        return self

    def _check_input(self, image: Tensor) -> None:
        check_picture(image, self.in_channels, self.multiple_of)
        if not self.edge_norms or tuple(image.shape[-2:]) != (self.multiple_of, self.multiple_of):
            return
        own = self.training or self.norm_mode == "batch"
        alone = own and len(image) == 1 if self.norm == "batch" else removes_mean(self.norm)
        if alone:
            raise ValueError(
                f"norm={self.norm!r} cannot normalise the innermost map, one pixel, by itself: "
                f"expected edge_norms=False, sides above {self.multiple_of}, or with "
                f"norm='batch' a batch of 2 or more; got shape {tuple(image.shape)}"
            )


class _Down(nn.Module):
    """A convolution and its normalisation."""

    def __init__(self, conv: nn.Module, norm: nn.Module) -> None:
        super().__init__()
        self.conv = conv
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, normalise."""
        result: Tensor = self.norm(self.conv(x))
        return result


class _Up(_Down):
    """A convolution that enlarges, its normalisation, ReLU and dropout."""

    def __init__(self, conv: nn.Module, norm: nn.Module, dropout: float) -> None:
        super().__init__(conv, norm)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge, normalise, activate, drop."""
        result: Tensor = self.dropout(super().forward(x).relu())
        return result


def _check(
    widths: Sequence[int],
    upsample: str,
    slope: float,
    dropout: float,
    dropout_stages: int,
    noise: bool,
) -> None:
    if not widths:
        raise ValueError("expected at least one width, got none")
    check_choice("upsample", upsample, ("transposed", "nearest"))
    check_at_least(0, slope=slope, dropout_stages=dropout_stages)
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout must be at least 0 and below 1, got {dropout}")
    if noise and not (dropout and dropout_stages):
        raise ValueError("noise is dropout that stays on: expected dropout and stages above 0")
