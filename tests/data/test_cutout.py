"""Tests of lit_restore.data.cutout; what mixings have in common is in test_mixing."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_restore.data import Cutout


@given(
    size=st.integers(1, 12),
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=150, deadline=None)
def test_a_square_clipped_at_the_border_is_filled_and_nothing_else(
    size: int, height: int, width: int, seed: int
) -> None:
    random = torch.Generator().manual_seed(seed)
    images, labels = torch.rand(2, 3, height, width, generator=random), torch.eye(2)
    generators = [torch.Generator().manual_seed(seed + index) for index in range(2)]

    cut, shares = Cutout(size, fill=(2.0, 3.0, 4.0))(images, labels, generators)

    assert torch.equal(shares, labels)
    for image, before in zip(cut, images, strict=True):
        hole = image[0] == 2
        assert torch.equal(image[1] == 3, hole)
        assert torch.equal(image[:, ~hole], before[:, ~hole])
        rows, columns = (line.nonzero().flatten() for line in (hole.any(1), hole.any(0)))
        assert hole[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        for line, side in ((rows, height), (columns, width)):
            clipped = int(line[0]) == 0 or int(line[-1]) == side - 1
            assert len(line) == size or (clipped and len(line) < size)
            assert len(line) >= min((size + 1) // 2, side)  # its centre lies in the picture


def test_every_pixel_is_a_centre_alike_often() -> None:
    images = torch.zeros(3000, 1, 4, 5)
    generators = [torch.Generator().manual_seed(index) for index in range(3000)]

    cut, _ = Cutout(1, fill=1.0)(images, torch.ones(3000, 1), generators)

    assert (cut.flatten(1).sum(1) == 1).all()
    counts = cut.sum(dim=(0, 1)).flatten()
    assert float((counts - 150).abs().max()) < 60


def test_options_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="size must be at least 1 pixel, got 0"):
        Cutout(0)
    with pytest.raises(ValueError, match="each of 3 channels, got"):
        Cutout(2, fill=(0.1, 0.2))(torch.zeros(1, 3, 4, 4), torch.eye(1), [torch.Generator()])
