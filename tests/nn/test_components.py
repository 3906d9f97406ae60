"""Tests of lit_restore.nn.components."""

import sys

import pytest
import torch

from lit_restore.nn.components import connected_components

STEPS = torch.eye(5, dtype=torch.bool)


def test_pixels_that_touch_at_corners_are_one_region_only_if_asked() -> None:
    assert connected_components(STEPS).unique().tolist() == [0, 1, 2, 3, 4, 5]
    assert connected_components(STEPS, 8).unique().tolist() == [0, 1]


@pytest.mark.parametrize("connectivity", [4, 8])
def test_regions_are_those_that_spreading_from_pixel_to_pixel_finds(connectivity: int) -> None:
    foreground = torch.rand(20, 23, generator=torch.Generator().manual_seed(0)) > 0.45
    places = {tuple(place) for place in foreground.nonzero().tolist()}
    regions = connected_components(foreground, connectivity)
    assert regions.dtype == torch.int64
    assert (regions[~foreground] == 0).all()
    around = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if connectivity == 8 or y * x == 0]
    found = set()
    while places:
        region, front = set(), [min(places)]
        while front:
            y, x = front.pop()
            if (y, x) in places:
                places.remove((y, x))
                region.add((y, x))
                front += [(y + down, x + right) for down, right in around]
        (number,) = {int(regions[place]) for place in region}
        found.add(number)
    assert found == set(range(1, int(regions.max()) + 1))


def test_a_map_of_nothing_has_no_region() -> None:
    assert (connected_components(torch.zeros(3, 4, dtype=torch.bool)) == 0).all()


def test_what_is_no_map_is_refused() -> None:
    with pytest.raises(ValueError, match=r"bool and have shape \(H, W\), got \(1, 5, 5\)"):
        connected_components(STEPS[None])
    with pytest.raises(ValueError, match=r"got \(5, 5\) of torch\.int64"):
        connected_components(STEPS.long())
    with pytest.raises(ValueError, match="connectivity must be 4 or 8, got 6"):
        connected_components(STEPS, 6)


def test_without_scipy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(ImportError, match=r"SciPy: pip install 'lit-restore\[segmentation\]'"):
        connected_components(STEPS)
