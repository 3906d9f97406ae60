"""ResNetSR, a residual network that doubles the size, as widely used with Keras."""

import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.nn import KerasBatchNorm2d, SameConv2d


class ResNetSR(nn.Module):
    """Residual blocks at the small size, nearest upsampling, and two convolutions.

    It is simpler than SRResNet: 3x3 convolutions only, ReLU, and the upsampling learns nothing.
    BatchNorm is Keras's. The output is not bounded.

    Args:
        in_channels: Channels of the picture, in and out.
        width: Channels of the features.
        depth: Residual blocks, at least 1.

    Raises:
        ValueError: If ``depth`` is below 1.

    Source:
        The network ``ResNetSR`` of https://github.com/titu1994/Image-Super-Resolution, after
        Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial
        Network", CVPR 2017, https://arxiv.org/abs/1609.04802.
    """

    scale = 2
    multiple_of = 1

    def __init__(self, in_channels: int = 3, width: int = 64, depth: int = 6) -> None:
        if depth < 1:
            raise ValueError(f"depth must be at least 1, got {depth}")
        super().__init__()
        self.in_channels = in_channels
        self.width = width
        self.depth = depth
        self.stem = SameConv2d(in_channels, width, kernel_size=3)
        self.blocks = nn.Sequential(*(_ResidualBlock(width) for _ in range(depth)))
        self.refine = SameConv2d(width, width, kernel_size=3)
        self.head = SameConv2d(width, in_channels, kernel_size=3)

    def forward(self, image: Tensor) -> Tensor:
        """Double the size of a picture.

        Args:
            image: Shape (N, in_channels, H, W) in unit range.

        Returns:
            Shape (N, in_channels, 2 * H, 2 * W); unit range, which it may leave a little.
        """
        features = self.stem(image).relu()
        features = features + self.blocks(features)
        enlarged = F.interpolate(features, scale_factor=float(self.scale), mode="nearest")
        return self.head(self.refine(enlarged).relu())


class _ResidualBlock(nn.Module):
    """Convolution, BatchNorm, ReLU, convolution, BatchNorm; and the input added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = SameConv2d(width, width, kernel_size=3)
        self.norm1 = KerasBatchNorm2d(width)
        self.conv2 = SameConv2d(width, width, kernel_size=3)
        self.norm2 = KerasBatchNorm2d(width)

    def forward(self, features: Tensor) -> Tensor:
        """Change features of shape (N, width, H, W)."""
        changed = self.norm1(self.conv1(features)).relu()
        return features + self.norm2(self.conv2(changed))
