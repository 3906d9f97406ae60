"""Networks of pix2pix, CycleGAN and DCGAN as plain ports write them.

The reference of the speed figures. Layers are PyTorch's own, with the biases they have unless told
otherwise. Each network has as many kernels as the library's, in the same order.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

EPSILON = 1e-3  # Keras's


class Down(nn.Sequential):
    """A 4x4 convolution of stride 2, instance normalisation, ReLU."""

    def __init__(self, before: int, after: int) -> None:
        conv = nn.Conv2d(before, after, 4, 2, padding=1)
        super().__init__(conv, nn.InstanceNorm2d(after, EPSILON), nn.ReLU())


class UNet(nn.Module):
    """The notes' U-Net.

    Args:
        widths: Channels of each level, finest first.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.down = nn.ModuleList(Down(*pair) for pair in pairwise((3, *widths)))
        inputs = (widths[-1], *(2 * width for width in widths[-2::-1]))
        self.up = nn.ModuleList(
            nn.Sequential(_enlarge(before, after), nn.InstanceNorm2d(after, EPSILON), nn.ReLU())
            for before, after in zip(inputs, widths[-2::-1], strict=False)
        )
        self.head = nn.Sequential(_enlarge(inputs[-1], 3), nn.Tanh())

    def forward(self, image: Tensor) -> Tensor:
        """Translate pictures of shape (N, 3, H, W); each level halves the sides."""
        x, skips = image, []
        for down in self.down:
            x = down(x)
            skips.append(x)
        skips.pop()
        for up in self.up:
            x = torch.cat([up(x), skips.pop()], dim=1)
        result: Tensor = self.head(x)
        return result


class Residual(nn.Module):
    """Two 3x3 convolutions with instance normalisation, and their input added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        layers = (nn.Conv2d(width, width, 3, padding=1), nn.InstanceNorm2d(width, EPSILON))
        more = (nn.Conv2d(width, width, 3, padding=1), nn.InstanceNorm2d(width, EPSILON))
        self.layers = nn.Sequential(*layers, nn.ReLU(), *more)

    def forward(self, x: Tensor) -> Tensor:
        """Change features of shape (N, width, H, W)."""
        return x + self.layers(x)


def unet(widths: tuple[int, ...] = (32, 64, 128, 256)) -> nn.Module:
    """Build the notes' U-Net: channels of each level, finest first."""
    return UNet(widths)


def resnet(blocks: int, width: int = 64) -> nn.Module:
    """Build CycleGAN's ResNet.

    Args:
        blocks: Residual blocks.
        width: Channels at full size.
    """

    def then(conv: nn.Module, after: int) -> list[nn.Module]:
        return [conv, nn.InstanceNorm2d(after, EPSILON), nn.ReLU()]

    layers = then(nn.Conv2d(3, width, 7, padding=3), width)
    for wide in (width, 2 * width):
        layers += then(nn.Conv2d(wide, 2 * wide, 3, 2, padding=1), 2 * wide)
    layers += [Residual(4 * width) for _ in range(blocks)]
    for wide in (2 * width, width):
        conv = nn.ConvTranspose2d(2 * wide, wide, 3, 2, padding=1, output_padding=1)
        layers += then(conv, wide)
    return nn.Sequential(*layers, nn.Conv2d(width, 3, 7, padding=3), nn.Tanh())


def patch_discriminator(channels: int, width: int = 64) -> nn.Module:
    """Build the discriminator of 70x70 patches.

    Args:
        channels: Of what it reads: of the picture, and of that which it belongs to.
        width: Channels of the first stage.
    """
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, padding=1), nn.LeakyReLU(0.2)]
    for level, (before, after) in enumerate(pairwise(width * 2**one for one in range(4))):
        conv = nn.Conv2d(before, after, 4, 2, padding=1) if level < 2 else _same(before, after)
        layers += [conv, nn.InstanceNorm2d(after, EPSILON), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, _same(8 * width, 1))


def dcgan_generator(latent_size: int, width: int = 64) -> nn.Module:
    """Build DCGAN's generator for 64 pixels.

    Args:
        latent_size: Numbers that it reads.
        width: Channels of its last map.
    """
    layers: list[nn.Module] = [nn.Unflatten(1, (latent_size, 1, 1))]
    widths = [latent_size, *(width * 2**level for level in (3, 2, 1, 0))]
    for level, (before, after) in enumerate(pairwise(widths)):
        stride, padding = (2, 1) if level else (1, 0)
        conv = nn.ConvTranspose2d(before, after, 4, stride, padding, bias=False)
        layers += [conv, nn.BatchNorm2d(after, EPSILON), nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(width, 3, 4, 2, padding=1), nn.Tanh())


def dcgan_discriminator(width: int = 64) -> nn.Module:
    """Build DCGAN's discriminator for 64 pixels; its first map has so many channels."""
    layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, padding=1), nn.LeakyReLU(0.2)]
    for before, after in pairwise(width * 2**level for level in range(4)):
        conv = nn.Conv2d(before, after, 4, 2, padding=1, bias=False)
        layers += [conv, nn.BatchNorm2d(after, EPSILON), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4), nn.Flatten())


def _enlarge(before: int, after: int) -> nn.Module:
    return nn.Sequential(nn.Upsample(scale_factor=2), *_same(before, after))


def _same(before: int, after: int) -> nn.Sequential:
    """Make a 4x4 convolution that keeps the size: the odd pixel is at the bottom and the right."""
    return nn.Sequential(nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(before, after, 4))
