"""Tests of lit_restore.inference.padding."""

from typing import Literal

import numpy as np
import pytest
import torch

from lit_restore.inference.padding import padded_to


@pytest.mark.parametrize(("by", "mode"), [("edge", "edge"), ("mirror", "symmetric")])
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (3, 8), (7, 9), (8, 8), (9, 25)])
def test_padding_is_numpys_at_the_right_and_the_bottom(
    by: Literal["edge", "mirror"], mode: Literal["edge", "symmetric"], size: tuple[int, int]
) -> None:
    image = torch.rand(2, 3, *size)

    padded = padded_to(image, 8, by)

    more = [(0, 0), (0, 0), *((0, -side % 8) for side in size)]
    expected = np.pad(image.numpy(), more, mode=mode)
    np.testing.assert_array_equal(padded.numpy(), expected)


def test_a_picture_that_fits_is_handed_through() -> None:
    image = torch.rand(1, 3, 8, 16)

    assert padded_to(image, 8, "mirror") is image
    assert padded_to(image, 1, "edge") is image
