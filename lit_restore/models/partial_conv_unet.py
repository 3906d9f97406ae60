"""The U-Net of partial convolutions."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from torch import Tensor, nn

from lit_restore.nn import PartialConv2d, PartialUpConv2d, RegionNorm2d, mean_through_

Norm = Literal["batch", "region", "none"]


class PartialConvUNet(nn.Module):
    """A U-Net whose convolutions read only valid pixels, and whose skips carry their masks.

    Each stage of the encoder halves the map: partial convolution, normalisation but in the first,
    ReLU. Each stage of the decoder enlarges map and mask by nearest neighbour, joins them with the
    encoder's, and ends in LeakyReLU of slope 0.2. The last one joins them with the image and its
    own mask, has neither normalisation nor activation, and gives the result.

    Args:
        widths: Channels of each stage, finest first; the map is halved once for each.
        kernel_sizes: Of the encoder's stages, the last one's for all that follow; pixels.
        norm: ``"batch"``; ``"region"`` for ``RegionNorm2d``, which normalises hole and valid pixels
            apart, by the mask that comes out of the convolution before it; ``"none"``, with biases
            instead, and weights that begin as ``mean_through_`` draws them.
        normalize: What partial convolutions normalise by; see ``PartialConv2d``.

    Attributes:
        encoder_norm_frozen: Whether the encoder's normalisation stays as it is, in training too.

    Raises:
        ValueError: If ``norm`` is unknown, or there are no widths or kernel sizes.

    Source:
        Liu et al., "Image Inpainting for Irregular Holes Using Partial Convolutions", ECCV 2018,
        https://arxiv.org/abs/1804.07723, section 3.2 and table 1 of the supplement.
    """

    in_channels = 3
    scale = 1

    def __init__(
        self,
        widths: Sequence[int] = (64, 128, 256, 512, 512, 512, 512, 512),
        kernel_sizes: Sequence[int] = (7, 5, 5, 3),
        norm: Norm = "batch",
        normalize: Literal["coverage", "count"] = "coverage",
    ) -> None:
        if norm not in _NORMS:
            raise ValueError(f"norm must be one of {', '.join(_NORMS)}; got {norm!r}")
        if not widths or not kernel_sizes:
            raise ValueError(f"expected widths and kernel sizes, got {widths} and {kernel_sizes}")
        super().__init__()
        self.widths = tuple(widths)
        self.kernel_sizes = tuple(kernel_sizes)
        self.norm: Norm = norm
        self.normalize = normalize
        self.multiple_of = 2 ** len(widths)
        self.encoder_norm_frozen = False
        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        channels = self.in_channels
        for level, width in enumerate(widths):
            size = kernel_sizes[min(level, len(kernel_sizes) - 1)]
            conv = PartialConv2d(channels, width, size, 2, bias=level == 0, normalize=normalize)
            self.encoder.append(_Stage(conv, norm if level else None, nn.ReLU()))
            channels = width
        for width in (*widths[-2::-1], self.in_channels):
            last = len(self.decoder) == len(widths) - 1
            conv = PartialUpConv2d(channels, width, 3, 2, width, bias=last, normalize=normalize)
            act = nn.Identity() if last else nn.LeakyReLU(0.2)
            self.decoder.append(_Stage(conv, None if last else norm, act))
            channels = width
        if norm == "none" and normalize == "coverage":
            stages: Sequence[Any] = (*self.encoder, *self.decoder)
            convs = [stage.conv for stage in stages]
            mean_through_(convs[: len(widths)], convs[len(widths) :])

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Fill the holes.

        Args:
            image: Shape (N, 3, H, W) in unit range; H and W are multiples of ``multiple_of``. What
                is in the holes does not matter.
            mask: Shape (N, 1, H, W); 1 where valid, 0 in the hole.

        Returns:
            Shape (N, 3, H, W), not clipped; it differs from ``image`` where that is valid, too.

        Raises:
            ValueError: If H or W is not such a multiple, ``mask`` has another shape, or BatchNorm
                would have to learn from a single value.
        """
        height, width = image.shape[-2:]
        if height % self.multiple_of or width % self.multiple_of:
            raise ValueError(
                f"height and width must be multiples of {self.multiple_of}, got {height}x{width}"
            )
        learns = self.training and self.norm == "batch" and not self.encoder_norm_frozen
        if learns and len(image) * height * width == self.multiple_of**2:
            raise ValueError(
                "BatchNorm cannot learn from one value of a channel: expected a batch of 2 or "
                f"more, or sides above {self.multiple_of}; got one picture of {height}x{width}"
            )
        x, skips = image, []
        for stage in self.encoder:
            skips.append((x, mask))
            x, mask = stage(x, mask)
        for stage in self.decoder:
            x, mask = stage(x, mask, *skips.pop())
        return x

    def freeze_encoder_norm(self, frozen: bool = True) -> list[nn.Parameter]:
        """Keep the encoder's normalisation as it is, or let it learn again.

        BatchNorm then uses its running statistics, whatever mode the network is put in. The second
        phase of training wants this: statistics of maps with holes are others than those of maps
        without.

        Returns:
            Its parameters, which are out of training, or in it again.
        """
        self.encoder_norm_frozen = frozen
        norms = [stage.get_submodule("norm").requires_grad_(not frozen) for stage in self.encoder]
        self.train(self.training)
        return [parameter for norm in norms for parameter in norm.parameters()]

    def train(self, mode: bool = True) -> "PartialConvUNet":
        """Put the network in training mode, but for a normalisation that is frozen."""
        super().train(mode)
        if self.encoder_norm_frozen:
            for stage in self.encoder:
                stage.get_submodule("norm").eval()
        return self


class _Stage(nn.Module):
    """Partial convolution, normalisation, activation."""

    def __init__(self, conv: PartialConv2d, norm: Norm | None, act: nn.Module) -> None:
        super().__init__()
        if norm == "none" and conv.bias is None:
            conv.bias = nn.Parameter(conv.weight.new_zeros(conv.out_channels))
        self.conv = conv
        self.norm = _NORMS[norm or "none"](conv.out_channels)
        self.act = act

    def forward(self, x: Tensor, mask: Tensor, *skip: Tensor) -> tuple[Tensor, Tensor]:
        x, mask = self.conv(x, mask, *skip)
        x = self.norm(x, mask) if isinstance(self.norm, RegionNorm2d) else self.norm(x)
        return self.act(x), mask


_NORMS: dict[Norm, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "region": RegionNorm2d,
    "none": lambda width: nn.Identity(),
}
