"""DCGAN: pictures from noise, and the network that tells them from real ones."""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.models._checks import check_at_least, check_picture
from lit_restore.models._gan import check_common, divide_by_spectral_norm, has_bias, start_gan
from lit_restore.models._style import Style
from lit_restore.nn import Norm, NormMode, SameConv2d, SameConvTranspose2d, make_norm, set_norm_mode

_SMALLEST = 4  # pixels of the map between the first layer and the others


class DCGANGenerator(nn.Module):
    """A vector turned to a map of 4x4 pixels, which transposed convolutions double to a picture.

    All but the last, which ends in tanh, have normalisation and ReLU after. The map of 4x4 pixels
    has ``width * size / 8`` channels, and each doubling halves them.

    Args:
        latent_size: Numbers of the vector.
        out_channels: Channels of the picture.
        size: Height and width of the picture, in pixels: 8, 16, 32, 64, 128 ...
        width: Channels of the last map before the picture; 128 in the paper.
        kernel_size: Of the doubling convolutions, in pixels, with SAME padding; 5 in the paper.
        norm: Kind of normalisation; see ``make_norm``.
        norm_mode: Which statistics BatchNorm uses in eval mode; see ``SwitchBatchNorm2d``.
        style: Whose constants of normalisation and whose first weights.

    Raises:
        ValueError: If an option is unknown, or a number is out of its range.

    Source:
        Radford et al., "Unsupervised Representation Learning with Deep Convolutional Generative
        Adversarial Networks", ICLR 2016, https://arxiv.org/abs/1511.06434, figure 1.
    """

    input_range = "signed"
    value_range = "signed"
    multiple_of = 1

    def __init__(
        self,
        latent_size: int = 100,
        out_channels: int = 3,
        size: int = 64,
        width: int = 64,
        kernel_size: int = 4,
        norm: Norm = "batch",
        norm_mode: NormMode = "running",
        style: Style = "torch",
    ) -> None:
        check_common(norm, style)
        check_at_least(1, latent_size=latent_size, width=width, kernel_size=kernel_size)
        widths = _widths(size, width)[::-1]
        super().__init__()
        self.latent_size = latent_size
        self.out_channels = out_channels
        self.size = size
        self.width = width
        self.kernel_size = kernel_size
        self.norm: Norm = norm
        self.norm_mode: NormMode = norm_mode
        self.style: Style = style
        bias = has_bias(norm, dead_biases=False)
        first = nn.ConvTranspose2d(latent_size, widths[0], _SMALLEST, bias=bias)
        others = [
            SameConvTranspose2d(before, after, kernel_size, 2, bias=bias)
            for before, after in pairwise(widths)
        ]
        self.convs = nn.ModuleList([first, *others])
        self.norms = nn.ModuleList(make_norm(norm, after, style) for after in widths)
        self.head = SameConvTranspose2d(width, out_channels, kernel_size, 2)
        start_gan(self, style)
        set_norm_mode(self, norm_mode)

    def forward(self, latent: Tensor) -> Tensor:
        """Make pictures.

        Args:
            latent: Shape (N, latent_size); as it was trained, normal or even in signed range.

        Returns:
            Shape (N, out_channels, size, size) in signed range.

        Raises:
            ValueError: If the shape is another.
        """
        if latent.ndim != 2 or latent.shape[1] != self.latent_size:
            raise ValueError(
                f"expected vectors of shape (N, {self.latent_size}), got {tuple(latent.shape)}"
            )
        x = latent[:, :, None, None]
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = norm(conv(x)).relu()
        result: Tensor = self.head(x)
        return result.tanh()


class DCGANDiscriminator(nn.Module):
    """Convolutions of stride 2 down to 4x4 pixels, and one over all of these: a logit a picture.

    All but the first and the last are normalised, and LeakyReLU comes after all but the last.

    Args:
        in_channels: Channels of the picture.
        size: Height and width of the picture, in pixels: 8, 16, 32, 64, 128 ...
        width: Channels of the first convolution; each of the others doubles them.
        kernel_size: Of the convolutions of stride 2, in pixels, with SAME padding; 5 in the paper.
        norm: Kind of normalisation; see ``make_norm``.
        slope: Of the LeakyReLUs.
        spectral: Whether every kernel is divided by an estimate of its largest singular value.
        style: Whose constants of normalisation and whose first weights.

    Raises:
        ValueError: If an option is unknown, or a number is out of its range.

    Source:
        Radford et al., "Unsupervised Representation Learning with Deep Convolutional Generative
        Adversarial Networks", ICLR 2016, https://arxiv.org/abs/1511.06434, section 3.
    """

    multiple_of = 1

    def __init__(
        self,
        in_channels: int = 3,
        size: int = 64,
        width: int = 64,
        kernel_size: int = 4,
        norm: Norm = "batch",
        slope: float = 0.2,
        spectral: bool = False,
        style: Style = "torch",
    ) -> None:
        check_common(norm, style)
        check_at_least(1, width=width, kernel_size=kernel_size)
        widths = _widths(size, width)
        super().__init__()
        self.in_channels = in_channels
        self.size = size
        self.width = width
        self.kernel_size = kernel_size
        self.norm: Norm = norm
        self.slope = slope
        self.spectral = spectral
        self.style: Style = style
        bias = has_bias(norm, dead_biases=False)
        first = SameConv2d(in_channels, width, kernel_size, 2)
        others = [
            SameConv2d(before, after, kernel_size, 2, bias=bias)
            for before, after in pairwise(widths)
        ]
        self.convs = nn.ModuleList([first, *others])
        self.norms = nn.ModuleList(make_norm(norm, after, style) for after in widths[1:])
        self.head = nn.Conv2d(widths[-1], 1, _SMALLEST)
        start_gan(self, style)
        if spectral:
            divide_by_spectral_norm(self)

    def forward(self, image: Tensor) -> Tensor:
        """Score pictures.

        Args:
            image: Shape (N, in_channels, size, size), of the range that it is trained with.

        Returns:
            Logits, the larger the truer a picture looks; shape (N, 1).

        Raises:
            ValueError: If the shape is another.
        """
        check_picture(image, self.in_channels)
        if tuple(image.shape[-2:]) != (self.size, self.size):
            height, width = image.shape[-2:]
            raise ValueError(f"image must be {self.size}x{self.size} pixels, got {height}x{width}")
        first, *others = self.convs
        x = F.leaky_relu(first(image), self.slope)
        for conv, norm in zip(others, self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), self.slope)
        logits: Tensor = self.head(x)
        return logits.flatten(1)


def _widths(size: int, width: int) -> list[int]:
    """List the channels of all maps between, from half the picture's size down to 4 pixels."""
    doublings = size.bit_length() - _SMALLEST.bit_length()
    if doublings < 1 or size != _SMALLEST * 2**doublings:
        raise ValueError(f"size must be 8, 16, 32, 64 or so on, got {size}")
    return [width * 2**level for level in range(doublings)]
