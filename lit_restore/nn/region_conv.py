"""Convolution with a kernel for the hole and another for the valid region, by Ma et al. 2019."""

import torch
from torch import Tensor, nn

from lit_restore.nn.conv import conv_same


class RegionConv2d(nn.Module):
    """A convolution whose kernel depends on where its output lies: in the hole, or outside.

    Both kernels read all pixels. They are convolved in one call, and the mask chooses.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Height and width of both kernels, in pixels; SAME padding.
        stride: Step of the kernels, in pixels.
        dilation: Distance of the kernels' taps, in pixels.
        bias: Whether to add a learned offset per output channel and region.

    Attributes:
        weight: Shape (2, out_channels, in_channels, size, size): of the hole, of the valid region.
        bias: Shape (2, out_channels), likewise; None if there is none.

    Source:
        Ma et al., "Coarse-to-Fine Image Inpainting via Region-wise Convolutions and Non-Local
        Correlation", IJCAI 2019, section 3.2.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        dilation: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.dilation = dilation
        drawn = [nn.Conv2d(in_channels, out_channels, kernel_size) for _ in range(2)]
        self.weight = nn.Parameter(torch.stack([one.weight.detach() for one in drawn]))
        self.bias: nn.Parameter | None = None
        if bias:
            self.bias = nn.Parameter(torch.zeros(2, out_channels))

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Convolve.

        Args:
            image: Shape (N, in_channels, H, W).
            mask: Which kernel makes which pixel of the *output*: shape (N, 1, ceil(H / stride),
                ceil(W / stride)), of any type; 0 in the hole, else valid. It has no gradient.

        Returns:
            Shape (N, out_channels, ceil(H / stride), ceil(W / stride)).

        Raises:
            ValueError: If the mask has another shape.
        """
        height, width = (-(-side // self.stride) for side in image.shape[-2:])
        if mask.shape != (len(image), 1, height, width):
            expected = (len(image), 1, height, width)
            raise ValueError(f"mask must have shape {expected}, got {tuple(mask.shape)}")
        bias = None if self.bias is None else self.bias.flatten()
        both = conv_same(image, self.weight.flatten(0, 1), bias, self.stride, self.dilation)
        hole, valid = both.chunk(2, dim=1)
        return torch.where(mask != 0, valid, hole)

    def extra_repr(self) -> str:
        """The arguments that make the layer."""
        _, out_channels, in_channels, size, _ = self.weight.shape
        return (
            f"{in_channels}, {out_channels}, kernel_size={size}, stride={self.stride}, "
            f"dilation={self.dilation}, bias={self.bias is not None}"
        )
