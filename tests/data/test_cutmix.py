"""Tests of lit_restore.data.cutmix."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_restore.data import CutMix, cutmix_box


def _side(size: int, share_kept: float) -> int:
    """The side of the notes' rectangle, in NumPy's float32."""
    kept = np.float32(1) - np.float32(share_kept)
    return int(np.float32(size) * np.sqrt(kept, dtype=np.float32))


@given(size=st.integers(1, 300), share=st.floats(0, 1), data=st.data())
@settings(max_examples=300, deadline=None)
def test_the_rectangle_of_a_square_picture_is_the_notes(
    size: int, share: float, data: st.DataObject
) -> None:
    x, y = (data.draw(st.integers(0, size - 1)) for _ in range(2))
    half = _side(size, share) // 2

    found = cutmix_box(size, size, share, x, y)

    expected = (max(0, x - half), max(0, y - half), min(size, x + half), min(size, y + half))
    assert found == expected


def test_its_side_is_float32_arithmetic() -> None:
    """Where a side is nearly a whole number, double precision cuts to another one."""
    size = 224
    shares = [float(np.float32(1 - (side / size) ** 2)) for side in range(2, size, 2)]

    found = [cutmix_box(size, size, share, 112, 112) for share in shares]

    widths = [right - left for left, _, right, _ in found]
    double = [int(size * math.sqrt(1 - share)) // 2 * 2 for share in shares]
    assert widths == [_side(size, share) // 2 * 2 for share in shares]
    assert widths != double


def test_the_rectangle_of_another_picture_has_its_shape() -> None:
    assert cutmix_box(40, 80, 0.75, 40, 20) == (20, 10, 60, 30)
    assert cutmix_box(80, 40, 0.75, 20, 40) == (10, 20, 30, 60)


@pytest.mark.parametrize(
    ("centre", "box"),
    [
        ((0, 0), (0, 0, 5, 5)),
        ((19, 0), (14, 0, 20, 5)),
        ((0, 19), (0, 14, 5, 20)),
        ((19, 19), (14, 14, 20, 20)),
        ((3, 10), (0, 5, 8, 15)),
    ],
)
def test_it_is_clipped_at_the_border(
    centre: tuple[int, int], box: tuple[int, int, int, int]
) -> None:
    assert cutmix_box(20, 20, 0.75, *centre) == box


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    count=st.integers(2, 5),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=150, deadline=None)
def test_one_rectangle_is_anothers_and_the_rest_untouched(
    height: int, width: int, count: int, seed: int
) -> None:
    """Every pixel tells whose it is; the label's weight is the share of pixels, exactly."""
    images = torch.arange(count, dtype=torch.float64).reshape(-1, 1, 1, 1)
    random = torch.Generator().manual_seed(seed)
    places = torch.randint(32, (height, width), generator=random) / 64.0  # sums are exact
    images = (images + places).expand(-1, 3, -1, -1)
    labels = torch.eye(count, dtype=torch.float64)
    generators = [torch.Generator().manual_seed(seed + index) for index in range(count)]

    mixed, shares = CutMix()(images, labels, generators)

    for sample in range(count):
        owner = mixed[sample].floor()
        assert torch.equal(mixed[sample] - owner, places.expand(3, -1, -1))  # at its own place
        assert torch.equal(owner[0], owner[1])
        foreign = owner[0] != sample
        weight = 1 - shares[sample, sample]
        assert float(weight) == pytest.approx(float(foreign.double().mean()), abs=1e-12)
        if foreign.any():
            assert len(owner[0][foreign].unique()) == 1
            rows, columns = (line.nonzero().flatten() for line in (foreign.any(1), foreign.any(0)))
            assert foreign[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
            other = int(owner[0][foreign][0])
            assert float(shares[sample, other]) == pytest.approx(float(weight), abs=1e-12)


def test_centres_and_shares_are_drawn_evenly() -> None:
    images = torch.zeros(2, 1, 64, 64)
    images[1] = 1
    covered, kept = torch.zeros(64, 64), []
    for seed in range(1500):
        generators = [torch.Generator().manual_seed(2 * seed + index) for index in range(2)]
        mixed, shares = CutMix()(images, torch.eye(2), generators)
        covered += mixed[0, 0]
        kept.append(float(shares[0, 0]))

    # A centre within a half side of a border loses a part: E(kept) = 1 - E((1 - side/4)^2 side^2)
    side = np.sqrt(1 - (np.arange(10_000) + 0.5) / 10_000)
    assert np.mean(kept) == pytest.approx(1 - np.mean(side**2 * (1 - side / 4) ** 2), abs=0.02)
    halves = [covered[:32].sum(), covered[32:].sum(), covered[:, :32].sum(), covered[:, 32:].sum()]
    assert max(halves) / min(halves) < 1.1


def test_a_share_or_a_centre_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"share_kept must be 0 to 1, got 1\.5"):
        cutmix_box(4, 4, 1.5, 0, 0)
    with pytest.raises(ValueError, match="picture of 5x4, got x 4 and y 4"):
        cutmix_box(4, 5, 0.5, 4, 4)
