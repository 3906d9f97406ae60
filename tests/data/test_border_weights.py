"""Tests of lit_restore.data.border_weights."""

import math
import os
import pickle
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from lit_restore.data import BorderWeights, border_weights
from lit_restore.nn.components import connected_components


def cells_of(seed: int, side: int = 24, count: int = 5) -> Tensor:
    """Numbered cells of random rectangles, of which none touch; numbers with gaps."""
    generator = torch.Generator().manual_seed(seed)
    foreground = torch.zeros(side, side + 7, dtype=torch.bool)
    for _ in range(count):
        top, left, height, width = torch.randint(2, side - 6, (4,), generator=generator).tolist()
        foreground[top : top + height // 3 + 1, left : left + width // 3 + 1] = True
    regions = connected_components(foreground)
    return regions * 3


def by_hand(cells: Tensor, w0: float, sigma: float) -> Tensor:
    """Loop over pixels and cells; the border term alone."""
    places = {int(n): (cells == n).nonzero().double() for n in cells.unique() if n > 0}
    term = torch.zeros(cells.shape, dtype=torch.float64)
    if len(places) < 2:
        return term
    for y, x in (cells == 0).nonzero().tolist():
        here = torch.tensor([y, x], dtype=torch.float64)
        nearest = sorted(float((place - here).norm(dim=1).min()) for place in places.values())
        term[y, x] = w0 * math.exp(-((nearest[0] + nearest[1]) ** 2) / (2 * sigma**2))
    return term


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("w0", "sigma"), [(10, 5), (3, 1.5), (10, 0.4)])
def test_it_is_what_a_loop_over_pixels_and_cells_finds(seed: int, w0: float, sigma: float) -> None:
    cells = cells_of(seed)
    found = border_weights(cells, w0, sigma, class_balance=False)
    expected = 1 + by_hand(cells, w0, sigma)
    torch.testing.assert_close(found.double(), expected, rtol=1e-6, atol=2e-6)
    assert found.dtype == torch.float32


def test_between_two_cells_that_nearly_touch_is_almost_all_of_w0() -> None:
    cells = torch.zeros(9, 9, dtype=torch.bool)
    cells[:, :4], cells[:, 5:] = True, True
    weights = border_weights(cells, class_balance=False)
    torch.testing.assert_close(weights[:, 4], torch.full((9,), 1 + 10 * math.exp(-4 / 50)))
    assert (weights[cells] == 1).all()


def test_a_lone_cell_and_an_empty_map_have_no_border_term() -> None:
    cells = torch.zeros(9, 9, dtype=torch.bool)
    assert (border_weights(cells) == 1).all()
    cells[2:5, 2:5] = True
    assert (border_weights(cells, class_balance=False) == 1).all()
    assert (border_weights(torch.ones_like(cells)) == 1).all()


def test_cells_of_a_bool_map_are_its_connected_regions() -> None:
    cells = cells_of(0)
    assert torch.equal(border_weights(cells > 0), border_weights(cells))
    corner = torch.zeros(9, 9, dtype=torch.bool)
    corner[1:4, 1:4], corner[4:7, 4:7] = True, True
    assert border_weights(corner, class_balance=False).max() > 5
    assert border_weights(corner, class_balance=False, connectivity=8).max() == 1


def test_numbered_cells_may_touch() -> None:
    cells = torch.zeros(9, 9, dtype=torch.int32)
    cells[2:7, 2:4], cells[2:7, 4:6] = 1, 2
    expected = 1 + by_hand(cells, 10, 5)
    torch.testing.assert_close(border_weights(cells, class_balance=False), expected.float())


def test_balanced_classes_have_the_same_sum_and_a_mean_of_1() -> None:
    foreground = cells_of(1) > 0
    weights = border_weights(foreground, w0=0)
    assert weights[foreground].sum().item() == pytest.approx(weights[~foreground].sum().item())
    assert weights.mean().item() == pytest.approx(1)


def test_class_weights_can_be_given() -> None:
    foreground = cells_of(1) > 0
    weights = border_weights(foreground, w0=0, class_balance=(0.5, 3.0))
    assert weights[foreground].unique().tolist() == [3.0]
    assert weights[~foreground].unique().tolist() == [0.5]


def test_every_class_but_0_is_foreground_and_ignored_pixels_weigh_nothing() -> None:
    classes = (cells_of(2) > 0).long()
    weigh = BorderWeights()
    assert torch.equal(weigh(classes), border_weights(classes > 0))
    assert torch.equal(weigh(2 * classes), weigh(classes))
    wide = torch.full((classes.shape[0] + 6, classes.shape[1]), 255)
    wide[: len(classes)] = classes
    weights = weigh(wide)
    assert (weights[len(classes) :] == 0).all()
    torch.testing.assert_close(weights[: len(classes)], weigh(classes))


def test_settings_arrive_where_they_are_used() -> None:
    classes = (cells_of(2) > 0).long()
    weigh = pickle.loads(pickle.dumps(BorderWeights(3, 2, (0.5, 2.0), 8)))
    expected = border_weights(classes > 0, 3, 2, (0.5, 2.0), 8)
    assert torch.equal(weigh(classes), expected)
    nothing_ignored = BorderWeights(ignore_index=None)(classes.where(classes == 0, 255))
    assert torch.equal(nothing_ignored, border_weights(classes > 0))


def test_a_hundred_cells_take_no_hundred_passes_over_the_map() -> None:
    cells = torch.zeros(512, 512, dtype=torch.bool)
    for top in range(5, 500, 51):
        for left in range(5, 500, 51):
            cells[top : top + 40, left : left + 40] = True
    start = time.process_time()
    weights = border_weights(cells)
    assert time.process_time() - start < 2
    assert weights.max() > 1


def test_numbers_and_maps_out_of_range_are_refused() -> None:
    cells = cells_of(0)
    for settings, message in (
        ({"w0": -1.0}, "w0 must be 0 or more"),
        ({"sigma": 0.0}, "sigma must be above 0"),
        ({"class_balance": (1.0, -1.0)}, "two weights of 0 or more"),
        ({"class_balance": (1.0, 1.0, 1.0)}, "two weights of 0 or more"),
        ({"connectivity": 6}, "connectivity must be 4 or 8, got 6"),
    ):
        with pytest.raises(ValueError, match=message):
            border_weights(cells > 0, **settings)
        with pytest.raises(ValueError, match=message):
            BorderWeights(**settings)
    for wrong in (cells[None], -cells, cells.float()):
        with pytest.raises(ValueError, match=r"integers of 0 or more, and have shape \(H, W\)"):
            border_weights(wrong)


def test_without_scipy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    for cells in (cells_of_bool := torch.eye(4, dtype=torch.bool), cells_of_bool.long()):
        with pytest.raises(ImportError, match=r"pip install 'lit-restore\[segmentation\]'"):
            border_weights(cells)


@pytest.mark.skipif("LIT_RESTORE_DATA" not in os.environ, reason="LIT_RESTORE_DATA is not set")
def test_membranes_weigh_more_where_they_are_thin() -> None:
    folder = Path(os.environ["LIT_RESTORE_DATA"]) / "membrane" / "train" / "label"
    with Image.open(sorted(folder.iterdir())[0]) as label:
        cells = torch.from_numpy(np.array(label.convert("L"))) > 127
    weights = border_weights(cells, class_balance=False)
    assert (weights[cells] == 1).all()
    assert 3 < weights[~cells].mean() < 11
