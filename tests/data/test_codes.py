"""Tests of lit_restore.data.codes."""

import pytest
import torch

from lit_restore.data.codes import tensorflow_codes
from lit_restore.data.restoration import unit_range


def test_every_code_comes_back() -> None:
    codes = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(tensorflow_codes(unit_range(codes)), codes)


def test_all_codes_but_the_last_have_equal_shares_which_rounding_does_not_give() -> None:
    values = (torch.arange(255_500) + 0.5).double() / 255_500
    counts = torch.bincount(tensorflow_codes(values).int())
    assert counts.tolist() == [1000] * 255 + [500]
    assert ((values * 255).round() != tensorflow_codes(values)).double().mean() > 0.2


def test_what_lies_outside_the_range_is_the_nearest_code() -> None:
    values = torch.tensor([-0.3, -1e-6, 1.02, 7.0])
    assert tensorflow_codes(values).tolist() == [0, 0, 255, 255]


def test_codes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must be floating point, got torch.uint8"):
        tensorflow_codes(torch.zeros(3, dtype=torch.uint8))
