"""Tests of lit_restore.metrics.boundary."""

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from lit_restore.metrics import BoundaryFMeasure, BoundaryScore, boundary_counts, thin_edges
from lit_restore.metrics.boundary import disc_maximum


def _line(column: int, height: int = 20, width: int = 30) -> Tensor:
    lines = torch.zeros(1, 1, height, width)
    lines[..., column] = 1
    return lines


def _score(strength: Tensor, drawn: Tensor, tolerance: float = 2) -> BoundaryScore:
    measure = BoundaryFMeasure([0.5], tolerance)
    measure.update(strength, drawn > 0)
    return measure.best()


def test_what_is_drawn_is_a_perfect_prediction() -> None:
    assert _score(_line(9), _line(9)) == BoundaryScore(0.5, 1, 1)
    assert _score(_line(9), _line(9)).f == 1


@pytest.mark.parametrize(("shift", "expected"), [(1, 1), (2, 1), (3, 0), (-2, 1), (-3, 0)])
def test_a_line_may_be_off_by_2_pixels_and_no_more(shift: int, expected: float) -> None:
    found = _score(_line(9 + shift), _line(9))
    assert (found.precision, found.recall, found.f) == (expected,) * 3


def test_the_distance_is_euclidean() -> None:
    drawn = torch.zeros(1, 1, 9, 9)
    drawn[..., 4, 4] = 1
    for down, right, within in ((2, 0, 1), (1, 1, 1), (2, 1, 0), (2, 2, 0)):
        dot = torch.zeros(1, 1, 9, 9)
        dot[..., 4 + down, 4 + right] = 1
        assert _score(dot, drawn).precision == within


def test_a_share_of_nothing_is_1_and_so_silence_is_right_where_nothing_is_drawn() -> None:
    empty, line = torch.zeros(1, 1, 20, 30), _line(9)
    silent, invented, nothing = _score(empty, line), _score(line, empty), _score(empty, empty)
    assert (silent.precision, silent.recall, silent.f) == (1, 0, 0)
    assert (invented.precision, invented.recall, invented.f) == (0, 1, 0)
    assert (nothing.precision, nothing.recall, nothing.f) == (1, 1, 1)
    assert BoundaryScore(0.5, 0, 0).f == 0


def test_counts_are_those_of_distances_to_the_nearest_pixel() -> None:
    rng = np.random.RandomState(0)
    strength, drawn = rng.rand(2, 17, 23), rng.rand(2, 17, 23) > 0.97
    for tolerance in (0, 1, 1.5, 2, 2.9, 4):
        found = boundary_counts(
            torch.tensor(strength)[:, None], torch.tensor(drawn)[:, None], [0.9, 0.98], tolerance
        )
        for row, threshold in zip(found.tolist(), (0.9, 0.98), strict=True):
            expected = np.zeros(4, int)
            for levels, lines in zip(strength, drawn, strict=True):
                edges = levels >= threshold
                near_lines = distance_transform_edt(~lines) <= tolerance
                near_edges = distance_transform_edt(~edges) <= tolerance
                right, recalled = (edges & near_lines).sum(), (lines & near_edges).sum()
                expected += [right, edges.sum(), recalled, lines.sum()]
            assert row == expected.tolist()


def test_counts_are_pooled_over_pictures_however_they_are_batched() -> None:
    strength = torch.rand(4, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    drawn = strength.roll(1, 0) > 0.8
    drawn[1] = False
    at_once, one_by_one = BoundaryFMeasure(), BoundaryFMeasure()
    at_once.update(strength, drawn)
    for pair in zip(strength.split(1), drawn.split(1), strict=True):
        one_by_one.update(*pair)
    assert at_once.scores() == one_by_one.scores()
    assert len(at_once.scores()) == 49
    one_by_one.reset()
    assert one_by_one.counts.sum() == 0


def test_the_best_threshold_is_where_f_is_highest() -> None:
    strength = 0.3 * _line(20) + 0.6 * _line(9) + 0.9 * _line(10, height=20)
    strength[..., :15, 10] = 0
    measure = BoundaryFMeasure([0.2, 0.4, 0.6, 0.8])
    measure.update(strength, _line(9) > 0)
    assert [round(score.f, 3) for score in measure.scores()] == [0.714, 1, 1, 0.462]
    assert measure.best().threshold == 0.4


def test_a_strength_equal_to_the_threshold_counts() -> None:
    counts = boundary_counts(0.25 * _line(9), _line(9) > 0, [0.25, 0.26])
    assert counts[:, 1].tolist() == [20, 0]


def test_half_precision_is_measured_too() -> None:
    whole = boundary_counts(_line(9), _line(9) > 0, [0.5])
    assert torch.equal(boundary_counts(_line(9).bfloat16(), _line(9) > 0, [0.5]), whole)


def test_a_disc_reaches_as_far_as_its_radius() -> None:
    dot = torch.zeros(1, 1, 9, 9)
    dot[..., 4, 4] = 1
    assert [int(disc_maximum(dot, radius).sum()) for radius in (0, 1, 1.5, 2, 3)] == [
        1, 5, 9, 13, 29,
    ]  # fmt: skip


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_thinning_leaves_the_crest_of_a_wide_line(turn: int) -> None:
    places = torch.arange(41.0) - 20
    down, right = torch.meshgrid(places, places, indexing="ij")
    angle = turn * torch.pi / 4
    across = np.cos(angle) * right + np.sin(angle) * down
    ridge = torch.exp(-(across**2) / 18)[None, None]
    thin = thin_edges(ridge)
    kept = (thin > 0)[..., 4:-4, 4:-4]
    assert across[4:-4, 4:-4][kept[0, 0]].abs().max() <= 1
    assert (kept.sum(2 if turn == 2 else 3)[0, 0] > 0).all()
    assert torch.equal(thin[thin > 0], ridge[thin > 0])


def test_a_flat_picture_is_not_thinned_and_an_empty_one_stays_empty() -> None:
    assert thin_edges(torch.zeros(1, 1, 8, 9)).sum() == 0
    flat = torch.full((1, 1, 8, 9), 0.5)
    assert torch.equal(thin_edges(flat), flat)


def test_misuse_is_refused() -> None:
    strength, drawn = _line(9), _line(9) > 0
    with pytest.raises(ValueError, match=r"must both have shape \(N, 1, H, W\), got \(1, 3, 20"):
        boundary_counts(strength.expand(1, 3, 20, 30), drawn, [0.5])
    with pytest.raises(ValueError, match="drawn must be bool, got"):
        boundary_counts(strength, drawn.float(), [0.5])
    for thresholds in ([], [0.5, 0.5], [0.6, 0.5]):
        with pytest.raises(ValueError, match="thresholds must rise"):
            BoundaryFMeasure(thresholds)
    with pytest.raises(ValueError, match="tolerance must be at least 0 pixels, got -1"):
        BoundaryFMeasure(tolerance=-1)
