"""Squeeze-and-excitation: channels weighted by what the whole image shows."""

from torch import Tensor, nn


class SqueezeExcite(nn.Module):
    """Scale each channel by a factor in (0, 1) computed from the means of all channels.

    The means are over the whole image, so an image cannot be cut into tiles without changing
    the result.

    Args:
        channels: Channels of input and output.
        reduction: How many times narrower the layer between is; at least 1 channel stays.

    Raises:
        ValueError: If ``reduction`` is below 1.

    Source:
        Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018, https://arxiv.org/abs/1709.01507,
        section 3.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        if reduction < 1:
            raise ValueError(f"reduction must be at least 1, got {reduction}")
        super().__init__()
        narrow = max(channels // reduction, 1)
        self.fc1 = nn.Conv2d(channels, narrow, kernel_size=1)
        self.fc2 = nn.Conv2d(narrow, channels, kernel_size=1)

    def forward(self, image: Tensor) -> Tensor:
        """Weight the channels.

        Args:
            image: Shape (N, channels, H, W).

        Returns:
            The same shape.
        """
        squeezed = image.mean(dim=(2, 3), keepdim=True)
        return image * self.fc2(self.fc1(squeezed).relu()).sigmoid()
