"""Tests of lit_restore.data.irregular_masks and its layers."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from lit_restore.data import IrregularMasks
from lit_restore.data._mask_layers import BATCH, Layers
from lit_restore.data._mask_shapes import KINDS, Kind
from lit_restore.data.irregular_masks import Border
from lit_restore.nn import RATIO_BINS, hole_ratio, ratio_bin

SIZES = ((16, 16), (21, 21), (17, 33), (16, 200), (100, 37), (128, 128))
BORDERS: tuple[Border, ...] = ("any", "touch", "clear")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def outer(mask: Tensor, down: int, right: int) -> Tensor:
    """Whether pixels of the outermost ``down`` rows or ``right`` columns are holes."""
    hole = ~mask[0]
    height, width = hole.shape
    hole[down : height - down, right : width - right] = False
    return hole.any()


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("index", range(len(RATIO_BINS)))
def test_the_ratio_is_always_in_the_class(border: Border, index: int) -> None:
    source, generator = IrregularMasks([RATIO_BINS[index]], border), seeded(index)

    for size in SIZES:
        for _ in range(12):
            assert int(ratio_bin(source(*size, generator))) == index


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_kind_reaches_every_class(kind: Kind) -> None:
    generator = seeded()

    for index, bounds in enumerate(RATIO_BINS):
        mask = IrregularMasks([bounds], "clear", [kind])(48, 48, generator)
        assert int(ratio_bin(mask)) == index


def test_classes_are_drawn_evenly_and_ratios_evenly_within_one() -> None:
    generator, every = seeded(1), IrregularMasks()

    bins = torch.stack([ratio_bin(every(32, 32, generator)) for _ in range(600)])
    wide = IrregularMasks([(0.1, 0.5)], "touch")
    ratios = torch.stack([hole_ratio(wide(32, 32, generator)) for _ in range(400)])

    assert bins.bincount(minlength=6).min() > 70  # of 100 expected
    assert bins.bincount(minlength=6).max() < 130
    assert (ratios < 0.3).sum() in range(160, 241)


def test_classes_that_leave_a_single_number_of_pixels_are_met() -> None:
    for count in (1, 2, 77, 255, 256):
        source = IrregularMasks([((count - 1) / 256, count / 256)], "touch")
        assert int((~source(16, 16, seeded())).sum()) == count


@pytest.mark.parametrize("size", SIZES)
def test_a_clear_mask_keeps_its_margin_and_holes_reach_it(size: tuple[int, int]) -> None:
    source, generator = IrregularMasks([(0.3, 0.6)], "clear"), seeded(2)
    down, right = (side * 50 // 512 for side in size)

    masks = [source(*size, generator) for _ in range(20)]

    assert min(down, right) >= 1
    assert not any(outer(mask, down, right) for mask in masks)
    assert any(outer(mask, down + 1, right + 1) for mask in masks)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_a_touching_mask_has_a_hole_at_the_border_however_small_the_hole(
    size: tuple[int, int], kind: Kind
) -> None:
    pixels = size[0] * size[1]
    generator = seeded(3)

    for ratios in ((0, 1.01 / pixels), (0.01, 0.1), (0.1, 0.2)):
        source = IrregularMasks([ratios], "touch", [kind])
        assert all(outer(source(*size, generator), 1, 1) for _ in range(10))


def test_touching_masks_touch_each_side() -> None:
    source, generator = IrregularMasks([(0.001, 0.002)], "touch"), seeded()
    holes = torch.stack([~source(32, 32, generator)[0] for _ in range(60)])

    for side in (holes[:, 0], holes[:, -1], holes[:, :, 0], holes[:, :, -1]):
        assert side.any(-1).sum() in range(5, 26)  # of 15 expected


def test_any_border_is_clear_in_half_of_the_masks() -> None:
    source, generator = IrregularMasks([(0.5, 0.6)]), seeded(4)

    clear = sum(not outer(source(32, 32, generator), 3, 3) for _ in range(100))

    assert clear in range(35, 66)


def test_holes_are_thicker_in_higher_classes() -> None:
    generator = seeded(5)
    deep = []
    for bounds in (RATIO_BINS[0], RATIO_BINS[3], RATIO_BINS[5]):
        source = IrregularMasks([bounds], "clear")
        holes = torch.stack([~source(64, 64, generator) for _ in range(40)]).float()
        inside = -torch.nn.functional.max_pool2d(-holes, 5, 1, 2)  # 2 pixels from any valid one
        deep.append(float(inside.sum() / holes.sum()))

    assert deep[0] < 0.1 < 0.25 < deep[1] < 0.5 < deep[2]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"ratios": []}, "at least one"),
        ({"ratios": [(0.2, 0.1)]}, r"low below high and below 0\.648 .*got \(0\.2, 0\.1\)"),
        ({"ratios": [(0.9, 1.1)], "border": "touch"}, r"within 0\.\.1"),
        ({"ratios": [(0.7, 0.8)], "border": "clear"}, r"below 0\.648 with border='clear'"),
        ({"ratios": [(0.7, 0.8)], "border": "any"}, r"below 0\.648 with border='any'"),
        ({"kinds": []}, "kinds must be some of walk, stroke, ellipse, blob, got"),
        ({"kinds": ["star"]}, r"got \['star'\]"),
        ({"border": "open"}, "border must be any, touch or clear, got 'open'"),
    ],
)
def test_what_no_mask_can_be_is_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        IrregularMasks(**options)


def test_sizes_that_cannot_be_met_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 16x16 pixels, got 15x40"):
        IrregularMasks()(15, 40, seeded())
    with pytest.raises(ValueError, match=r"above 0\.101 and at most 0\.1015: the mask has 256"):
        IrregularMasks([(0.101, 0.1015)])(16, 16, seeded())


def test_a_touching_shape_starts_exactly_on_a_pixel_of_the_border() -> None:
    """A rounding error would have it drawn a pixel away from a far border."""
    for seed in range(300):
        rng = np.random.default_rng(seed)
        layers = Layers(rng, KINDS, (17, 33), 1, touch=True)
        layers.add(rng)
        column, row = layers._starts[0].tolist()
        assert (column in (0, 32) and row in range(17)) or (row in (0, 16) and column in range(33))
        assert layers.first(1)[int(row), int(column)]


def test_further_layers_lie_under_the_first() -> None:
    rng = np.random.default_rng(0)
    layers = Layers(rng, KINDS, (40, 40), 800, touch=False)
    layers.add(rng)
    covered = layers.covered
    before = [layers.first(wanted) for wanted in range(1, covered + 1, 29)]

    layers.add(rng)

    assert layers.covered > covered
    after = [layers.first(wanted) for wanted in range(1, covered + 1, 29)]
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


def test_layers_that_do_not_reach_the_number_are_filled_up() -> None:
    rng = np.random.default_rng(0)
    layers = Layers(rng, KINDS, (20, 30), 1, touch=False)
    layers.add(rng)
    covered = layers.covered
    before = layers.first(covered)

    for wanted in (covered + 1, 599, 600):
        hole = layers.first(wanted)
        assert hole.sum() == wanted > covered
        assert hole[before].all()


def test_the_first_pixels_are_part_of_the_next() -> None:
    rng = np.random.default_rng(1)
    layers = Layers(rng, KINDS, (40, 40), 600, touch=True)
    for _ in range(40):  # more shapes than fit a byte
        layers.add(rng)

    holes = [layers.first(wanted) for wanted in range(1, layers.covered + 1, 17)]

    assert len(layers._starts) == 40 * BATCH > 255
    assert [hole.sum() for hole in holes] == list(range(1, layers.covered + 1, 17))
    assert all((one & ~other).sum() == 0 for one, other in pairwise(holes))
