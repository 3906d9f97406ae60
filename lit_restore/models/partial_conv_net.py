"""The seven partial convolutions with which the notes introduce inpainting."""

from typing import Literal

from torch import Tensor, nn

from lit_restore.nn import KerasBatchNorm2d, PartialConv2d, PartialUpConv2d, RegionNorm2d

_WIDTHS = (64, 128, 256, 256, 128, 128, 3)
_STRIDES = (2, 2, 2, 1, -2, -2, -2)  # negative: the map is enlarged first


class PartialConvNet(nn.Module):
    """Three partial convolutions down, one between, three up after nearest enlargement.

    Kernels of 3x3 without bias, normalised by the count of valid pixels; BatchNorm and ReLU after
    all but the last, which ends in a sigmoid. There are no skips. Weights are drawn from a normal
    distribution of standard deviation 1, which BatchNorm makes good everywhere but at the end.

    Args:
        norm: ``"batch"`` (Keras's constants), or ``"region"``: a ``RegionNorm2d`` instead, which
            takes the mask that comes out of the convolution before it.
        width_scale: Factor of all widths but the last, 0.25 for a small one.

    Raises:
        ValueError: If ``norm`` is unknown.

    Source:
        The study notes, after Liu et al., "Image Inpainting for Irregular Holes Using Partial
        Convolutions", ECCV 2018, https://arxiv.org/abs/1804.07723. Their prose gives the decoder
        other widths; these are the code's.
    """

    in_channels = 3
    multiple_of = 8
    scale = 1

    def __init__(
        self, norm: Literal["batch", "region"] = "batch", width_scale: float = 1.0
    ) -> None:
        if norm not in ("batch", "region"):
            raise ValueError(f"norm must be 'batch' or 'region', got {norm!r}")
        super().__init__()
        self.norm = norm
        self.width_scale = width_scale
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        channels = self.in_channels
        for notes_width, stride in zip(_WIDTHS[:-1], _STRIDES, strict=False):
            width = max(round(notes_width * width_scale), 1)
            self.convs.append(_conv(channels, width, stride))
            self.norms.append(KerasBatchNorm2d(width) if norm == "batch" else RegionNorm2d(width))
            channels = width
        self.convs.append(_conv(channels, _WIDTHS[-1], _STRIDES[-1]))
        for conv in self.convs:
            nn.init.normal_(conv.weight)  # type: ignore[arg-type]

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Fill the holes.

        Args:
            image: Shape (N, 3, H, W) in unit range; H and W are multiples of 8. What is in the
                holes does not matter.
            mask: Shape (N, 1, H, W); 1 where valid, 0 in the hole.

        Returns:
            Shape (N, 3, H, W), in (0, 1); it differs from ``image`` where that is valid, too.

        Raises:
            ValueError: If H or W is not a multiple of 8, or ``mask`` has another shape.
        """
        height, width = image.shape[-2:]
        if height % 8 or width % 8:
            raise ValueError(f"height and width must be multiples of 8, got {height}x{width}")
        x = image
        for conv, norm in zip(self.convs, self.norms, strict=False):
            x, mask = conv(x, mask)
            x = norm(x, mask) if self.norm == "region" else norm(x)
            x = x.relu()
        return self.convs[-1](x, mask)[0].sigmoid()


def _conv(channels: int, width: int, stride: int) -> PartialConv2d:
    if stride < 0:
        return PartialUpConv2d(channels, width, 3, -stride, bias=False, normalize="count")
    return PartialConv2d(channels, width, 3, stride, bias=False, normalize="count")
