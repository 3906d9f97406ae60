"""Tests of lit_restore.data._warp."""

import pytest
import torch
from torch import Tensor

from lit_restore.data._warp import Border, warp, warp_places


def _labels(height: int = 8, width: int = 8) -> Tensor:
    return torch.arange(height * width).view(height, width)


def _warped(
    labels: Tensor,
    degrees: float = 0,
    factor: float = 1,
    displacement: Tensor | None = None,
    border: Border = "reflect",
) -> tuple[Tensor, Tensor]:
    """Warp labels, and a picture that has them as its levels."""
    size = (labels.shape[0], labels.shape[1])
    places = warp_places(size, degrees, factor, displacement)
    return warp(labels[None].float(), labels, places, border, 255)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 7), (5, 9)])
def test_nothing_asked_for_changes_nothing(height: int, width: int) -> None:
    image, labels = _warped(_labels(height, width))

    assert torch.equal(labels, _labels(height, width))
    assert torch.allclose(image[0], labels.float(), atol=1e-3)


@pytest.mark.parametrize("quarters", [1, 2, 3, -1])
@pytest.mark.parametrize("side", [7, 8])
def test_quarters_of_a_turn_are_exact_and_against_the_clock(quarters: int, side: int) -> None:
    image, labels = _warped(_labels(side, side), degrees=90 * quarters)

    assert torch.equal(labels, _labels(side, side).rot90(quarters))
    assert torch.allclose(image[0], labels.float(), atol=1e-3)


def test_a_factor_of_two_shows_the_middle_twice_as_large() -> None:
    _, labels = _warped(_labels(), factor=2)

    middle = _labels()[2:6, 2:6]
    assert torch.equal(labels, middle.repeat_interleave(2, 0).repeat_interleave(2, 1))


def test_a_displacement_says_where_pixels_come_from() -> None:
    right_and_down = torch.tensor([1.0, 2.0]).view(2, 1, 1).expand(2, 6, 9)

    image, labels = _warped(_labels(6, 9), displacement=right_and_down)

    assert torch.equal(labels[:4, :8], _labels(6, 9)[2:, 1:])
    assert torch.allclose(image[0, :4, :8], labels[:4, :8].float(), atol=1e-3)
    assert torch.equal(labels[4:, :8], _labels(6, 9)[[5, 4], 1:])  # the mirror image below


def test_pixels_from_beyond_the_edge_may_be_ignored() -> None:
    right = torch.tensor([3.0, 0.0]).view(2, 1, 1).expand(2, 6, 9)

    reflected = _warped(_labels(6, 9), displacement=right)
    ignored = _warped(_labels(6, 9), displacement=right, border="ignore")

    assert torch.equal(reflected[0], ignored[0])
    assert (ignored[1][:, 6:] == 255).all()
    assert torch.equal(ignored[1][:, :6], _labels(6, 9)[:, 3:])
    assert not (reflected[1] == 255).any()


@pytest.mark.parametrize("degrees", [-30.0, 5.0, 200.0])
@pytest.mark.parametrize("factor", [0.7, 1.3])
def test_a_label_stays_under_its_pixel(degrees: float, factor: float) -> None:
    """A picture that rises evenly tells where each pixel comes from, to half a pixel."""
    size = (40, 50)
    field = 3 * torch.randn(2, *size, generator=torch.Generator().manual_seed(0))
    places = warp_places(size, degrees, factor, field)
    columns = torch.arange(50).expand(40, 50)
    rows = torch.arange(40)[:, None].expand(40, 50)

    for levels in (columns, rows):
        image, labels = warp(levels[None].float(), levels, places, "reflect", 255)
        assert float((image[0] - labels).abs().max()) <= 0.5 + 1e-3
