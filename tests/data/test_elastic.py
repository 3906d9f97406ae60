"""Tests of lit_restore.data.elastic."""

import pytest
import torch

from lit_restore.data import elastic_displacement


def _seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_vectors_stand_at_corners_edges_and_in_the_centre() -> None:
    field = elastic_displacement((21, 31), 10, _seeded())

    vectors = 10 * torch.randn(1, 2, 3, 3, generator=_seeded())
    assert field.shape == (2, 21, 31)
    assert torch.allclose(field[:, ::10, ::15], vectors[0], atol=1e-4)


def test_between_the_vectors_a_cubic_goes_on() -> None:
    """Halfway, Keys's kernel with a = -0.75, as PyTorch has it, and the edge repeated."""
    field = elastic_displacement((5, 5), 1, _seeded())

    first, second, third = torch.randn(1, 2, 3, 3, generator=_seeded())[0, :, 0].unbind(-1)
    expected = 0.5 * first + 0.59375 * second - 0.09375 * third
    assert torch.allclose(field[:, 0, 1], expected, atol=1e-5)


def test_the_spread_is_a_standard_deviation_in_pixels() -> None:
    centres = torch.stack(
        [elastic_displacement((9, 9), 7, _seeded(seed))[:, 4, 4] for seed in range(400)]
    )

    assert abs(float(centres.std()) - 7) < 0.5  # 800 draws: 0.18 is one standard error
    assert abs(float(centres.mean())) < 0.8
    assert abs(float((centres[:, 0] * centres[:, 1]).mean())) < 7  # across and down by themselves


def test_neighbours_move_together() -> None:
    field = elastic_displacement((100, 100), 10, _seeded())

    steps = torch.cat((field.diff(dim=1).flatten(), field.diff(dim=2).flatten()))
    assert float(field.abs().max()) > 5
    assert float(steps.abs().max()) < 1.5  # a cubic over 50 pixels between vectors of 10


def test_no_spread_moves_nothing() -> None:
    assert not elastic_displacement((5, 6), 0, _seeded()).any()


def test_other_grids_are_possible_and_impossible_ones_refused() -> None:
    vectors = torch.randn(1, 2, 5, 5, generator=_seeded())
    field = elastic_displacement((9, 9), 1, _seeded(), points=5)
    assert torch.allclose(field[:, ::2, ::2], vectors[0], atol=1e-5)

    for spread, points in ((-1.0, 3), (1.0, 1)):
        with pytest.raises(ValueError, match="spread must not be negative and points at least 2"):
            elastic_displacement((9, 9), spread, _seeded(), points)
