"""The U-Net of Ronneberger et al., which tells the classes of pixels."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.models._checks import check_at_least, check_choice, check_picture
from lit_restore.models._style import Style, check_style, start
from lit_restore.nn import ConvNormAct, Order, SameConv2d, SameConvTranspose2d

Padding = Literal["same", "valid"]
Upsample = Literal["transposed", "nearest", "bilinear"]

# Pixels at each side of an enlarged map that its valid convolution, and what it saw of the border,
# take away.
_LOST = {"transposed": 0, "nearest": 1, "bilinear": 2}


class UNet(nn.Module):
    """Stages of convolutions, pooled between; back up by enlarging, each beside the map from above.

    A stage is ``depth`` 3x3 convolutions with ReLU. The contracting path halves the map by 2x2 max
    pooling and widens it; dropout follows at its end. The expanding path enlarges by 2, halves the
    channels, and joins the result with the map of its size from the contracting path, the enlarged
    one first. A 1x1 convolution scores the classes.

    The paper's network is ``in_channels=1, num_classes=2, padding="valid"``: no convolution pads,
    so the output lacks ``margin`` pixels at each side, the maps from above are cropped in their
    centre, and only some sizes fit (``fits``, ``next_side``). By default convolutions pad with
    zeros, and the output is as large as the picture.

    Args:
        in_channels: Channels of the picture.
        num_classes: Maps of logits: 1 for a sigmoid (background or not), 2 or more for a softmax.
        widths: Channels of each stage, finest first; the last is the bottom.
        depth: Convolutions of a stage, at least 1.
        padding: ``"same"``, or ``"valid"`` as in the paper.
        upsample: ``"transposed"``: a 2x2 convolution that enlarges, as in the paper; or enlarging
            by the ``"nearest"`` pixel or ``"bilinear"``, and a 3x3 convolution.
        norm: ``"batch"`` for BatchNorm in every stage, ``"none"`` as in the paper.
        order: ``"can"`` for ReLU before BatchNorm, as in the notes, ``"cna"`` for ReLU after it.
        dropout: Share of the bottom's features that is dropped in training, in [0, 1).
        style: Whose BatchNorm, and whose first weights: Keras's, or by He's rule (``"torch"``) as
            in the paper.

    Attributes:
        multiple_of: Pixels. With ``"same"`` height and width must be multiples of it; with
            ``"valid"`` sizes that fit are so far apart.
        margin: Pixels that the output lacks at each side: 0 with ``"same"``, 92 in the paper.

    Raises:
        ValueError: If an option is unknown, or a number is out of its range.

    Source:
        Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation",
        MICCAI 2015, https://arxiv.org/abs/1505.04597, sections 2 and 3, figure 1; the study notes.
    """

    output = "logits"

    def __init__(
        self,
        in_channels: int = 3,
        num_classes: int = 1,
        widths: Sequence[int] = (64, 128, 256, 512, 1024),
        depth: int = 2,
        padding: Padding = "same",
        upsample: Upsample = "transposed",
        norm: Literal["none", "batch"] = "none",
        order: Order = "can",
        dropout: float = 0.5,
        style: Style = "torch",
    ) -> None:
        check_style(style)
        check_choice("upsample", upsample, tuple(_LOST))
        check_at_least(1, in_channels=in_channels, num_classes=num_classes, depth=depth)
        _check(widths, dropout)
        super().__init__()
        self.in_channels = in_channels
        self.num_classes = num_classes
        self.widths = tuple(widths)
        self.depth = depth
        self.padding: Padding = padding
        self.upsample: Upsample = upsample
        self.norm: Literal["none", "batch"] = norm
        self.order: Order = order
        self.dropout = dropout
        self.style: Style = style
        self.multiple_of = 2 ** (len(widths) - 1)
        self.margin = self._margin()

        above = (in_channels, *widths[:-1])
        stages = [self._stage(*pair) for pair in zip(above, widths, strict=True)]
        self.encoder = nn.ModuleList(stages[:-1])
        self.pool = nn.MaxPool2d(2)
        self.bottom = stages[-1]
        self.drop = nn.Dropout(dropout) if dropout else nn.Identity()
        pairs = list(pairwise(widths))[::-1]
        self.up = nn.ModuleList(self._enlarge(coarse, fine) for fine, coarse in pairs)
        self.decoder = nn.ModuleList(self._stage(2 * fine, fine) for fine, _ in pairs)
        self.head = nn.Conv2d(widths[0], num_classes, 1)
        start(self, style)

    def _stage(self, before: int, width: int) -> nn.Sequential:
        return nn.Sequential(
            *(
                ConvNormAct(
                    width if index else before,
                    width,
                    norm=self.norm,
                    order=self.order,
                    padding=self.padding,
                    style=self.style,
                )
                for index in range(self.depth)
            )
        )

    def _enlarge(self, coarse: int, fine: int) -> nn.Module:
        if self.upsample == "transposed":
            return SameConvTranspose2d(coarse, fine, 2, 2)
        if self.padding == "same":
            conv: nn.Module = SameConv2d(coarse, fine, 3)
            return nn.Sequential(nn.Upsample(scale_factor=2, mode=self.upsample), conv)
        conv = nn.Conv2d(coarse, fine, 3)
        return nn.Sequential(_CroppedUpsample(self.upsample, _LOST[self.upsample] - 1), conv)

    def _margin(self) -> int:
        if self.padding == "same":
            return 0
        enlarging = _LOST[self.upsample] * (self.multiple_of - 1)
        return self.depth * (3 * self.multiple_of - 2) + enlarging

    def fits(self, side: int) -> bool:
        """Tell whether the network takes pictures of this height or width, in pixels."""
        return side == self.next_side(side)

    def next_side(self, side: int) -> int:
        """Tell the smallest height or width that fits and is not below ``side``, in pixels."""
        if self.padding == "same":
            return max(side + -side % self.multiple_of, self.multiple_of)
        side = max(side, 2 * self.margin + 1)
        return side + -(side + 2 * self.depth) % self.multiple_of

    def forward(self, image: Tensor) -> Tensor:
        """Score every pixel.

        Args:
            image: Shape (N, in_channels, H, W) in unit range; H and W are such that ``fits``.

        Returns:
            Logits, shape (N, num_classes, H - 2 * margin, W - 2 * margin).

        Raises:
            ValueError: If the shape is another; tells the nearest that fits.
        """
        check_picture(image, self.in_channels)
        self._check_size(image.shape[-2], image.shape[-1])
        x, skips = image, []
        for stage in self.encoder:
            x = stage(x)
            skips.append(x)
            x = self.pool(x)
        x = self.drop(self.bottom(x))
        for up, stage in zip(self.up, self.decoder, strict=True):
            enlarged = up(x)
            x = stage(torch.cat([enlarged, _centre(skips.pop(), enlarged)], dim=1))
        result: Tensor = self.head(x)
        return result

    def _check_size(self, height: int, width: int) -> None:
        if self.fits(height) and self.fits(width):
            return
        rows, columns = (self._nearest(side) for side in (height, width))
        raise ValueError(
            f"height and width must fit this network; got {height}x{width}, the nearest that do "
            f"are {rows} and {columns}"
        )

    def _nearest(self, side: int) -> str:
        above = self.next_side(side)
        below = above - self.multiple_of
        if above == side or not self.fits(below):
            return str(above)
        return f"{below} or {above}"


class _CroppedUpsample(nn.Upsample):
    """Enlarging by 2, without so many pixels at each side, which a border was looked at for."""

    def __init__(self, mode: str, crop: int) -> None:
        super().__init__(scale_factor=2, mode=mode)
        self.crop = crop

    def forward(self, input: Tensor) -> Tensor:
        """Enlarge from shape (N, C, H, W) to (N, C, 2 * (H - crop), 2 * (W - crop))."""
        return F.pad(super().forward(input), [-self.crop] * 4)


def _centre(skip: Tensor, enlarged: Tensor) -> Tensor:
    """Take the centre of a map, as large as another."""
    top, left = ((skip.shape[axis] - enlarged.shape[axis]) // 2 for axis in (-2, -1))
    height, width = enlarged.shape[-2:]
    return skip[..., top : top + height, left : left + width]


def _check(widths: Sequence[int], dropout: float) -> None:
    if not widths or min(widths) < 1:
        raise ValueError(f"widths must be at least one number of 1 or more, got {list(widths)}")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout must be at least 0 and below 1, got {dropout}")
