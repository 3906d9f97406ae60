"""The small U-Net with which the notes introduce mosaic removal."""

import torch
from torch import Tensor, nn

from lit_restore.nn import SameConv2d, UpsampleConcatConv2d


class SmallMosaicUNet(nn.Module):
    """Four convolutions and two long skips, for mosaics of 4x4 blocks.

    A 5x5 convolution of stride 4 reads the blocks, two more work on the small map, and the last
    one joins their enlarged result with the input. No normalisation; convolutions of SAME padding.

    Args:
        folded: Whether the last convolution runs without the enlarged and joined map: the same
            result, less than two fifths of the activations of a training batch. False is the
            plain form.

    Source:
        The study notes, after Ronneberger et al., "U-Net", MICCAI 2015,
        https://arxiv.org/abs/1505.04597.
    """

    in_channels = 3
    multiple_of = 4
    scale = 1

    def __init__(self, folded: bool = True) -> None:
        super().__init__()
        self.folded = folded
        self.encoder = SameConv2d(3, 64, kernel_size=5, stride=4)
        self.bottom = SameConv2d(64, 128, kernel_size=3)
        self.decoder = SameConv2d(128 + 64, 64, kernel_size=5)
        self.head = UpsampleConcatConv2d(64, 3, 3, kernel_size=3, scale=4, folded=folded)

    def forward(self, image: Tensor) -> Tensor:
        """Remove the mosaic.

        Args:
            image: Shape (N, 3, H, W) in unit range; H and W are multiples of 4.

        Returns:
            Shape (N, 3, H, W), in (0, 1).

        Raises:
            ValueError: If H or W is not a multiple of 4.
        """
        height, width = image.shape[-2:]
        if height % 4 or width % 4:
            raise ValueError(f"height and width must be multiples of 4, got {height}x{width}")
        encoded = self.encoder(image).relu()
        # The ReLU leaves ``encoded`` as it is, and of the two joined maps only one copy is kept.
        x = torch.cat([self.bottom(encoded), encoded], dim=1).relu_()
        x = self.decoder(x).relu()
        return self.head(x, image).sigmoid()
