"""The full U-Net of the notes: Conv-BN-ReLU, pixel shuffle, dilation, squeeze-and-excitation."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from lit_restore.nn import ConvNormAct, PixelShuffleUpsample, SameConv2d, SqueezeExcite


class MosaicUNet(nn.Module):
    """U-Net whose stem reads the mosaic's blocks, so that most of the work is done on small maps.

    Encoder and decoder have one stage per width; between stages the size halves (convolution of
    stride 2) and doubles (pixel shuffle). The features then return to full size by pixel shuffle,
    see the input again, and change it: with ``output="residual"`` the network starts as identity.

    Args:
        in_channels: Channels of the input image.
        out_channels: Channels of the output image; for ``"residual"`` as many as ``in_channels``.
        widths: Channels of each stage, finest first.
        depth: Convolutions of a stage, at least 1.
        stem_stride: Step of the first convolution, in pixels, a power of 2: the mosaic's block, or
            1 for noise.
        dilations: Dilation of each further convolution at the bottom; empty for none.
        skip: ``"concat"`` joins encoder and decoder on the channel axis, ``"add"`` sums them.
        squeeze_excite: Whether each stage ends in squeeze-and-excitation.
        output: ``"residual"`` adds the features to the input and is not bounded; ``"sigmoid"`` is
            in (0, 1), as in the notes.

    Raises:
        ValueError: If ``widths`` is empty, ``depth`` is below 1, ``stem_stride`` is no power of 2,
            an option is unknown, or a residual has to change the number of channels.

    Source:
        The study notes; Ronneberger et al., https://arxiv.org/abs/1505.04597; Yu and Koltun,
        "Multi-Scale Context Aggregation by Dilated Convolutions", ICLR 2016,
        https://arxiv.org/abs/1511.07122; Hu et al., https://arxiv.org/abs/1709.01507.
    """

    scale = 1

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        widths: Sequence[int] = (64, 96, 128),
        depth: int = 2,
        stem_stride: int = 4,
        dilations: Sequence[int] = (1, 2, 4),
        skip: Literal["concat", "add"] = "concat",
        squeeze_excite: bool = False,
        output: Literal["residual", "sigmoid"] = "residual",
    ) -> None:
        _check(widths, depth, stem_stride, skip, output)
        if output == "residual" and in_channels != out_channels:
            raise ValueError(
                "output='residual' needs out_channels == in_channels, got "
                f"{out_channels} and {in_channels}"
            )
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.widths = tuple(widths)
        self.depth = depth
        self.stem_stride = stem_stride
        self.dilations = tuple(dilations)
        self.skip = skip
        self.squeeze_excite = squeeze_excite
        self.output = output
        self.multiple_of = stem_stride * 2 ** (len(widths) - 1)

        stem_kernel = 3 if stem_stride == 1 else stem_stride + 1
        self.stem = ConvNormAct(in_channels, widths[0], stem_kernel, stem_stride)
        self.encoder = nn.ModuleList(self._stage(width, width) for width in widths)
        self.down = nn.ModuleList(
            ConvNormAct(fine, coarse, stride=2) for fine, coarse in pairwise(widths)
        )
        self.bottom = nn.Sequential(
            *(ConvNormAct(widths[-1], widths[-1], dilation=rate) for rate in dilations)
        )
        pairs = list(pairwise(widths))[::-1]
        self.up = nn.ModuleList(PixelShuffleUpsample(coarse, fine) for fine, coarse in pairs)
        joined = 2 if skip == "concat" else 1
        self.decoder = nn.ModuleList(self._stage(joined * fine, fine) for fine, _ in pairs)
        self.tail, width = _tail(widths[0], stem_stride)
        self.head = SameConv2d(width + in_channels, out_channels, kernel_size=3)
        if output == "residual":
            nn.init.zeros_(self.head.weight)
            nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Tensor:
        """Restore an image.

        Args:
            image: Shape (N, in_channels, H, W) in unit range; H and W are multiples of
                ``self.multiple_of``.

        Returns:
            Shape (N, out_channels, H, W); unit range, which ``"residual"`` may leave a little.

        Raises:
            ValueError: If H or W is not a multiple of ``self.multiple_of``.
        """
        height, width = image.shape[-2:]
        if height % self.multiple_of or width % self.multiple_of:
            raise ValueError(
                f"height and width must be multiples of {self.multiple_of}, got {height}x{width}"
            )
        x = self.encoder[0](self.stem(image))
        skips = []
        for down, stage in zip(self.down, self.encoder[1:], strict=True):
            skips.append(x)
            x = stage(down(x))
        x = self.bottom(x)
        for up, stage in zip(self.up, self.decoder, strict=True):
            x = stage(self._join(up(x), skips.pop()))
        x = self.head(torch.cat([self.tail(x), image], dim=1))
        return image + x if self.output == "residual" else x.sigmoid()

    def _join(self, deep: Tensor, skipped: Tensor) -> Tensor:
        return torch.cat([deep, skipped], dim=1) if self.skip == "concat" else deep + skipped

    def _stage(self, in_channels: int, width: int) -> nn.Sequential:
        stage = nn.Sequential(ConvNormAct(in_channels, width))
        stage.extend([ConvNormAct(width, width) for _ in range(self.depth - 1)])
        if self.squeeze_excite:
            stage.append(SqueezeExcite(width))
        return stage


def _tail(width: int, stride: int) -> tuple[nn.Sequential, int]:
    """Pixel shuffles back to full size, each halving the channels; and the channels at the end."""
    tail = nn.Sequential()
    while stride > 1:
        narrow = max(width // 2, 8)
        tail.append(PixelShuffleUpsample(width, narrow))
        width, stride = narrow, stride // 2
    return tail, width


def _check(widths: Sequence[int], depth: int, stem_stride: int, skip: str, output: str) -> None:
    if not widths:
        raise ValueError("widths must name at least one stage, got none")
    if depth < 1:
        raise ValueError(f"depth must be at least 1, got {depth}")
    if stem_stride < 1 or stem_stride & (stem_stride - 1):
        raise ValueError(f"stem_stride must be a power of 2, got {stem_stride}")
    if skip not in ("concat", "add"):
        raise ValueError(f"skip must be 'concat' or 'add', got {skip!r}")
    if output not in ("residual", "sigmoid"):
        raise ValueError(f"output must be 'residual' or 'sigmoid', got {output!r}")
