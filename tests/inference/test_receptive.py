"""Tests of lit_restore.inference.receptive."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.inference.receptive import needed_halo
from lit_restore.models import SRCNN, VDSR, ConvSegmenter, MosaicUNet, PoolingSegmenter, UNet


class Ladder(nn.Module):
    """Pools, convolves, enlarges."""

    def __init__(self, depth: int, kernel_size: int = 3) -> None:
        super().__init__()
        self.depth = depth
        self.multiple_of = 2**depth
        self.conv = nn.Conv2d(3, 3, kernel_size, padding=kernel_size // 2)

    def forward(self, image: Tensor) -> Tensor:
        """Compute."""
        small = F.max_pool2d(image, self.multiple_of)
        return F.interpolate(self.conv(small), scale_factor=self.multiple_of)


class Column(nn.Module):
    """Looks further down than aside."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, (9, 3), padding=(4, 1))

    def forward(self, image: Tensor) -> Tensor:
        """Compute."""
        return self.conv(image)


class Normalised(nn.Module):
    """Sees all of a picture by its statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(3)

    def forward(self, image: Tensor) -> Tensor:
        """Compute."""
        return self.norm(image)


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (nn.Conv2d(3, 1, 1), 0),
        (nn.Conv2d(3, 1, 5, padding=2), 2),
        (nn.Conv2d(3, 1, 3, padding=8, dilation=8), 8),
        (Column(), 4),
        (SRCNN(in_channels=3), 6),
        (VDSR(in_channels=3, width=4), 20),
        (ConvSegmenter(width=4), 6),
        (PoolingSegmenter(width=4), 8),
        (UNet(widths=(2, 2, 2, 2, 2)), 96),  # 92, the margin without padding, and on to the grid
        (Ladder(3), 8),
        (Ladder(3, 5), 16),
        (nn.Sequential(nn.Conv2d(3, 3, 129, padding=64), nn.Conv2d(3, 1, 3, padding=1)), 65),
    ],
)
def test_the_halo_is_as_far_as_the_kernels_look(network: nn.Module, expected: int) -> None:
    assert needed_halo(network.eval()) == expected


def test_weights_do_not_matter() -> None:
    network = nn.Conv2d(3, 1, 7, padding=3)
    network.weight.data.zero_()
    assert needed_halo(network) == 3


def test_what_a_network_says_is_believed() -> None:
    network = Ladder(3)
    network.receptive_radius = 41  # type: ignore[assignment]
    assert needed_halo(network) == 48


def test_statistics_of_the_picture_reach_everywhere() -> None:
    assert needed_halo(Normalised()) is None


@pytest.mark.parametrize(
    "network",
    [
        MosaicUNet(widths=(4, 6, 8), dilations=(2,), stem_stride=2),
        UNet(widths=(4, 6, 8)),
        UNet(widths=(4, 6, 8), depth=1, upsample="bilinear", norm="batch"),
        PoolingSegmenter(width=4, upsample="transposed", skip=True),
    ],
    ids=lambda network: type(network).__name__,
)
def test_every_pixel_with_a_gradient_lies_within_the_halo_of_its_tile(network: nn.Module) -> None:
    generator = torch.Generator().manual_seed(0)
    for parameter in network.eval().parameters():
        parameter.data = torch.rand(parameter.shape, generator=generator)  # no ReLU is shut
    halo, step = needed_halo(network), int(network.multiple_of)
    assert halo is not None
    start = 2 * halo + 2 * step
    stop, side, furthest = start + step, 2 * start + step, 0
    for place in range(start, stop):
        image = torch.rand(1, 3, side, side, generator=generator, requires_grad=True)
        network(image)[0, :, place, place].sum().backward()
        assert image.grad is not None
        places = image.grad.abs().sum((0, 1)).nonzero()
        furthest = max(furthest, start - int(places.min()), int(places.max()) - stop + 1)
    assert halo - step < furthest <= halo
