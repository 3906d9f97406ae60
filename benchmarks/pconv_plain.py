"""Networks of partial convolutions as plain ports write them: the reference of the speed figures.

``masks="dense"`` gives every channel a mask of its own, and convolves masks with as many kernels of
ones as there are outputs, as the paper's authors do where features are joined; ``"single"`` has one
mask for all, and ``"none"`` none at all: ordinary convolutions. Parameters are as many as the
library's, in the same order.
"""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Masks = Literal["dense", "single", "none"]
NOTES_WIDTHS = (64, 128, 256, 256, 128, 128, 3)
_STRIDES = (2, 2, 2, 1, -2, -2, -2)


class MaskedConv(nn.Conv2d):
    """A partial convolution, padded as SAME does for sides that the stride divides.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Odd.
        stride: Step of the kernel.
        bias: Whether there is one.
        masks: As above.
        count: Whether sums are divided by the valid pixels, not multiplied by their share.
    """

    ones: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        bias: bool = False,
        masks: Masks = "dense",
        count: bool = False,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, bias=bias)
        self.masks = masks
        total = kernel_size - stride
        self.border = (total // 2, total - total // 2) * 2
        shape = (out_channels, in_channels) if masks == "dense" else (1, 1)
        self.register_buffer("ones", torch.ones(*shape, kernel_size, kernel_size), persistent=False)
        self.values = (1 if count else kernel_size**2) * shape[1]

    def forward(self, image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Convolve maps and mask."""
        if self.masks == "none":
            return F.conv2d(F.pad(image, self.border), self.weight, self.bias, self.stride), mask
        with torch.no_grad():
            counts = F.conv2d(F.pad(mask, self.border), self.ones, stride=self.stride)
            grown = counts.clamp(0, 1)
            ratio = self.values / (counts + 1e-8) * grown
        sums = F.conv2d(F.pad(image * mask, self.border), self.weight, None, self.stride)
        output = sums * ratio
        return output if self.bias is None else output + self.bias[:, None, None], grown


class UNet(nn.Module):
    """The paper's U-Net.

    Args:
        widths: Channels of each stage.
        sizes: Kernels of the encoder's stages.
        masks: As above.
    """

    def __init__(self, widths: Sequence[int], sizes: Sequence[int], masks: Masks) -> None:
        super().__init__()
        self.masks = masks
        self.down, self.down_norms = nn.ModuleList(), nn.ModuleList()
        self.up, self.up_norms = nn.ModuleList(), nn.ModuleList()
        channels = 3
        for level, width in enumerate(widths):
            size = sizes[min(level, len(sizes) - 1)]
            self.down.append(MaskedConv(channels, width, size, 2, level == 0, masks))
            self.down_norms.append(nn.BatchNorm2d(width) if level else nn.Identity())
            channels = width
        for width in (*widths[-2::-1], 3):
            last = len(self.up) == len(widths) - 1
            self.up.append(MaskedConv(channels + width, width, bias=last, masks=masks))
            self.up_norms.append(nn.Identity() if last else nn.BatchNorm2d(width))
            channels = width

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Fill holes of mask 0, shape (N, 1, H, W), in pictures of shape (N, 3, H, W)."""
        mask = mask.expand_as(image) if self.masks == "dense" else mask
        x, skips = image, []
        for conv, norm in zip(self.down, self.down_norms, strict=True):
            skips.append((x, mask))
            x, mask = conv(x, mask)
            x = F.relu(norm(x))
        for conv, norm in zip(self.up, self.up_norms, strict=True):
            skip, skip_mask = skips.pop()
            x = torch.cat([F.interpolate(x, scale_factor=2.0), skip], dim=1)
            if self.masks != "none":
                mask = torch.cat([F.interpolate(mask, scale_factor=2.0), skip_mask], dim=1)
            x, mask = conv(x, mask)
            x = norm(x) if conv is self.up[-1] else F.leaky_relu(norm(x), 0.2)
        return x


class NotesNet(nn.Module):
    """The study notes' seven layers, which need one mask only.

    Args:
        widths: Channels of each.
    """

    def __init__(self, widths: Sequence[int] = NOTES_WIDTHS) -> None:
        super().__init__()
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        channels = 3
        for width, stride in zip(widths, _STRIDES, strict=True):
            step = max(stride, 1)
            self.convs.append(MaskedConv(channels, width, 3, step, masks="single", count=True))
            channels = width
        for width in widths[:-1]:
            self.norms.append(nn.BatchNorm2d(width, eps=1e-3, momentum=0.01))

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Fill holes; as above."""
        x = image
        for index, (conv, stride) in enumerate(zip(self.convs, _STRIDES, strict=True)):
            if stride < 0:
                x, mask = (F.interpolate(one, scale_factor=2.0) for one in (x, mask))
            x, mask = conv(x, mask)
            x = F.relu(self.norms[index](x)) if index < len(self.norms) else x.sigmoid()
        return x
