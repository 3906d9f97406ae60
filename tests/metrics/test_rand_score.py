"""Tests of lit_restore.metrics.rand_score."""

import pytest
import torch
from skimage.metrics import adapted_rand_error
from torch import Tensor

from lit_restore.metrics import RandScore, foreground_rand_score, rand_score


def regions_of(seed: int, count: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(count, (12, 10), generator=generator).repeat_interleave(2, 1)


def by_pairs(found: Tensor, true: Tensor) -> RandScore:
    """Look at every pair of pixels of the truth's foreground, each with itself, too."""
    counted = true > 0
    found, true = found[counted].clone(), true[counted]
    alone = found == 0
    found[alone] = torch.arange(1000, 1000 + int(alone.sum()))
    same_found, same_true = found[:, None] == found, true[:, None] == true
    both = (same_found & same_true).sum().item()
    return RandScore(both / same_true.sum().item(), both / same_found.sum().item())


@pytest.mark.parametrize("seed", range(4))
def test_it_is_what_looking_at_every_pair_of_pixels_finds(seed: int) -> None:
    found, true = regions_of(seed, 5), regions_of(seed + 10, 4)
    score, expected = rand_score(found, true), by_pairs(found, true)
    assert score.split == pytest.approx(expected.split, rel=1e-12)
    assert score.merge == pytest.approx(expected.merge, rel=1e-12)
    assert score.f == pytest.approx(2 / (1 / expected.split + 1 / expected.merge), rel=1e-12)


def test_it_is_scikit_images_but_for_a_pixels_pair_with_itself() -> None:
    """On 60,000 pixels those hardly count; background in a true region is given numbers."""
    found = regions_of(0, 6).repeat_interleave(25, 0).repeat_interleave(20, 1)
    true = regions_of(1, 4).repeat_interleave(25, 0).repeat_interleave(20, 1)
    numbered = torch.where(found == 0, torch.arange(found.numel()).view_as(found) + 6, found)
    score = rand_score(found, true)
    error, precision, recall = adapted_rand_error(true.numpy(), numbered.numpy())
    assert score.f == pytest.approx(1 - error, rel=1e-3)
    # Its precision divides by the truth's pairs, its recall by the prediction's.
    assert (score.split, score.merge) == pytest.approx((precision, recall), rel=1e-3)


def test_the_truth_has_1_whatever_its_regions_are_called() -> None:
    true = regions_of(0, 5)
    assert rand_score(100 - true.where(true > 0, 100), true) == RandScore(1, 1)


def test_what_is_predicted_outside_the_true_regions_does_not_matter() -> None:
    found, true = regions_of(0, 5), regions_of(1, 3)
    changed = torch.where(true == 0, 77, found)
    assert rand_score(changed, true) == rand_score(found, true)


def test_a_merge_lowers_one_share_and_a_split_the_other() -> None:
    true = torch.ones(4, 8, dtype=torch.long)
    true[:, 4:] = 2
    merged = rand_score(torch.ones_like(true), true)
    assert merged == RandScore(split=1, merge=0.5)
    halves = true.clone()
    halves[2:] += 2
    assert rand_score(halves, true) == RandScore(split=0.5, merge=1)
    assert merged.f == pytest.approx(2 / 3)


def test_missing_pixels_are_regions_of_their_own() -> None:
    true = torch.ones(1, 10, dtype=torch.long)
    nothing = rand_score(torch.zeros_like(true), true)
    assert nothing == RandScore(split=0.1, merge=1)
    half = true.clone()
    half[:, 5:] = 0
    assert rand_score(half, true) == RandScore(split=0.3, merge=1)


def test_a_hole_in_a_border_merges_what_a_hole_in_a_cell_does_not_split() -> None:
    target = torch.ones(11, 21, dtype=torch.bool)
    target[:, 10] = False
    assert foreground_rand_score(target, target).f == 1
    open_border = target.clone()
    open_border[5, 10] = True
    assert foreground_rand_score(open_border, target) == RandScore(split=1, merge=0.5)
    spotted = target.clone()
    spotted[5, 5] = False
    assert foreground_rand_score(spotted, target).f > 0.98


def test_a_border_that_is_only_crossed_at_a_corner_keeps_cells_apart_with_4_neighbours() -> None:
    target = torch.ones(8, 8, dtype=torch.bool)
    target[torch.arange(8), 7 - torch.arange(8)] = False
    assert foreground_rand_score(target, target).merge == 1
    moved = foreground_rand_score(target, target, connectivity=8)
    assert moved.f == 1
    whole = torch.ones_like(target)
    assert foreground_rand_score(whole, target).merge == pytest.approx(0.5)
    assert foreground_rand_score(whole, target, connectivity=8).merge == 1


def test_maps_may_be_of_bool_or_of_integers() -> None:
    found, true = regions_of(0, 2), regions_of(1, 2)
    expected = foreground_rand_score(found > 0, true > 0)
    assert foreground_rand_score(found, 255 * true.to(torch.uint8)) == expected


def test_what_cannot_be_compared_is_refused() -> None:
    true = regions_of(0, 3)
    with pytest.raises(ValueError, match="must have the same shape"):
        rand_score(true[1:], true)
    with pytest.raises(ValueError, match="predicted regions must be integers of 0 or more"):
        rand_score(true.float(), true)
    with pytest.raises(ValueError, match="true regions must be integers of 0 or more"):
        rand_score(true, true - 1)
    with pytest.raises(ValueError, match="at least one pixel that is in a true region, got none"):
        foreground_rand_score(true, torch.zeros_like(true))
