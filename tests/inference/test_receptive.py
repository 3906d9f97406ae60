"""Tests of lit_restore.inference.receptive."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.inference.receptive import receptive_radius
from lit_restore.models import SRCNN, VDSR, MosaicUNet


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
        # A pixel at one end of a block of 8 sees that at the other end of the next one.
        (Ladder(3), 15),
        (nn.Sequential(nn.Conv2d(3, 3, 129, padding=64), nn.Conv2d(3, 1, 3, padding=1)), 65),
    ],
)
def test_the_radius_is_that_of_the_kernels(network: nn.Module, expected: int) -> None:
    assert receptive_radius(network.eval()) == expected


def test_weights_do_not_matter() -> None:
    network = nn.Conv2d(3, 1, 7, padding=3)
    network.weight.data.zero_()
    assert receptive_radius(network) == 3


def test_what_a_network_says_is_believed() -> None:
    network = nn.Conv2d(3, 1, 1)
    network.receptive_radius = 40  # type: ignore[assignment]
    assert receptive_radius(network) == 40


def test_statistics_of_the_picture_reach_everywhere() -> None:
    assert receptive_radius(Normalised()) is None


def test_every_pixel_that_has_a_gradient_lies_within_the_radius() -> None:
    torch.manual_seed(0)
    network = MosaicUNet(widths=(4, 6, 8), dilations=(2,), stem_stride=2).eval()
    for parameter in network.parameters():
        parameter.data = torch.randn(parameter.shape)
    radius = receptive_radius(network)
    assert radius is not None
    side, furthest = 4 * radius // network.multiple_of * network.multiple_of, 0
    for place in range(side // 2, side // 2 + network.multiple_of):
        image = torch.rand(1, 3, side, side, requires_grad=True)
        network(image)[0, :, place, place].sum().backward()
        assert image.grad is not None
        places = image.grad.abs().sum((0, 1)).nonzero()
        furthest = max(furthest, int((places - place).abs().max()))
    assert furthest <= radius
    assert furthest >= radius - network.multiple_of
