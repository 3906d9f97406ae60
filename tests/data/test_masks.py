"""Tests of lit_restore.data.masks, and of what every mask source promises."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from lit_restore.data import CenterMask, IrregularMasks, MaskFolder, MaskSource, RectangleMasks
from lit_restore.nn import hole_ratio


@pytest.fixture(params=["irregular", "rectangles", "center", "folder", "dealt"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> MaskSource:
    if request.param == "irregular":
        return IrregularMasks()
    if request.param == "rectangles":
        return RectangleMasks()
    if request.param == "center":
        return CenterMask()
    for index in range(5):
        pixels = np.zeros((40, 50), np.uint8)
        pixels[index * 5 : index * 5 + 9, 10 : 20 + index] = 255
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    deal = request.param == "dealt"
    return MaskFolder(str(tmp_path), white="hole", deal=deal, flip=True, rotate=True)


def drawn(source: MaskSource, seed: int, height: int = 33, width: int = 48) -> Tensor:
    return source.of_sample(3, height, width, torch.Generator().manual_seed(seed))


def test_a_mask_is_bool_of_the_size_asked_for_with_a_hole_and_a_valid_part(
    source: MaskSource,
) -> None:
    for height, width in ((33, 48), (64, 16), (128, 128)):
        mask = drawn(source, 0, height, width)
        assert (mask.dtype, mask.shape) == (torch.bool, (1, height, width))
        assert 0 < float(hole_ratio(mask)) < 1


def test_equal_generators_give_equal_masks_and_nothing_global_is_touched(
    source: MaskSource,
) -> None:
    for seed in range(8):
        torch.manual_seed(seed)
        np.random.seed(seed)
        states = torch.get_rng_state(), np.random.get_state()[1]
        first = drawn(source, seed)
        assert torch.equal(torch.get_rng_state(), states[0])
        assert np.array_equal(np.random.get_state()[1], states[1])
        torch.manual_seed(seed + 100)
        np.random.seed(seed + 100)
        assert torch.equal(drawn(source, seed), first)


def test_other_generators_give_other_masks(source: MaskSource) -> None:
    masks = {tuple(drawn(source, seed).flatten().tolist()) for seed in range(20)}

    assert len(masks) == 1 if isinstance(source, CenterMask) else len(masks) >= 4


def test_masks_do_not_share_memory(source: MaskSource) -> None:
    first = drawn(source, 0)
    kept = first.clone()

    first.zero_()

    assert torch.equal(drawn(source, 0), kept)


def test_a_source_reads_as_what_it_was_made_with() -> None:
    assert repr(RectangleMasks((0.2, 0.3), (1, 2))) == (
        "RectangleMasks(sides=(0.2, 0.3), count=(1, 2))"
    )


def test_one_rectangle_has_sides_of_the_fractions_drawn_and_lies_anywhere() -> None:
    generator = torch.Generator().manual_seed(0)
    source = RectangleMasks((0.25, 0.5), (1, 1))
    heights, widths, tops = set(), set(), set()

    for _ in range(300):
        rows, columns = (~source(16, 24, generator)[0]).nonzero(as_tuple=True)
        height, width = int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1
        assert len(rows) == height * width
        heights.add(height), widths.add(width), tops.add(int(rows.min()))

    assert heights == set(range(4, 9))
    assert widths == set(range(6, 13))
    assert {0, 12} <= tops


def test_several_rectangles_are_as_many_as_drawn() -> None:
    generator = torch.Generator().manual_seed(0)
    source = RectangleMasks((0.001, 0.001), (2, 4))  # one pixel each, seldom on one another

    counts = [int((~source(64, 64, generator)).sum()) for _ in range(100)]

    assert set(counts) >= {2, 3, 4}
    assert max(counts) == 4


def test_the_middle_is_a_hole_of_the_fraction() -> None:
    mask = CenterMask(0.5)(8, 12)

    expected = torch.ones(1, 8, 12, dtype=torch.bool)
    expected[:, 2:6, 3:9] = False
    assert torch.equal(mask, expected)
    assert int((~CenterMask(0.01)(8, 12)).sum()) == 1


def test_what_makes_no_rectangle_is_refused() -> None:
    with pytest.raises(ValueError, match=r"fraction must be above 0 and at most 1, got 0"):
        CenterMask(0)
    with pytest.raises(ValueError, match=r"sides must be two numbers of 0 to 1"):
        RectangleMasks((0.5, 0.2))
    with pytest.raises(ValueError, match=r"count must be two numbers of 1 to 1000"):
        RectangleMasks(count=(0, 2))
