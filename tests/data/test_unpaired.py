"""Tests of lit_restore.data.unpaired."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from lit_restore.data import UnpairedDataset

CUT: dict[str, Any] = {"size": 16, "view": "crop", "flip": True}


@pytest.fixture
def files(image_folder: Path) -> list[Path]:
    """Pictures of 40 pixels a side and more."""
    return sorted(image_folder.glob("[01]*"))


def _paths(data: UnpairedDataset, side: str, epoch: int = 0) -> list[Path]:
    return [Path(data[epoch, index][f"path_{side}"]) for index in range(len(data))]


def test_a_sample_has_both_kinds_and_their_paths(files: list[Path]) -> None:
    sample = UnpairedDataset(files[:3], files[3:8], size=16, jitter=18)[4]

    assert sample["a"].shape == sample["b"].shape == (3, 16, 16)
    assert sample["a"].dtype == sample["b"].dtype == torch.float32
    assert 0 <= sample["b"].min() < sample["b"].max() <= 1
    assert sample["path"] == sample["path_a"] == str(files[1])
    assert sample["path_b"] == str(files[7])


@pytest.mark.parametrize("shuffle_b", [False, True])
@pytest.mark.parametrize(("count_a", "count_b"), [(3, 7), (7, 3), (5, 5)])
def test_an_epoch_shows_all_of_the_longer_side_and_the_shorter_evenly(
    files: list[Path], count_a: int, count_b: int, shuffle_b: bool
) -> None:
    ours, theirs = files[:count_a], files[-count_b:]
    data = UnpairedDataset(ours, theirs, size=16, shuffle_b=shuffle_b, repeat=2)

    assert len(data) == 2 * max(count_a, count_b)
    for epoch in (0, 1):
        for side, expected in (("a", ours), ("b", theirs)):
            seen = Counter(_paths(data, side, epoch))
            assert set(seen) == set(expected)
            assert max(seen.values()) - min(seen.values()) <= 1


def test_a_picture_meets_another_in_every_epoch_but_the_same_at_every_evaluation(
    files: list[Path],
) -> None:
    training = UnpairedDataset(files[:6], files[6:], size=16, shuffle_b=True, repeat=2)
    assert _paths(training, "a", 0) == _paths(training, "a", 1) == files[:6] * 2
    orders = {
        tuple(part)
        for epoch in range(5)
        for part in (_paths(training, "b", epoch)[:6], _paths(training, "b", epoch)[6:])
    }
    assert len(orders) == 10

    measuring = UnpairedDataset(files[:6], files[6:], size=16)
    assert _paths(measuring, "b", 0) == _paths(measuring, "b", 1) == files[6:]


def test_each_side_is_cut_by_itself(files: list[Path]) -> None:
    data = UnpairedDataset(files, files, **CUT)

    same = sum(torch.equal(data[index]["a"], data[index]["b"]) for index in range(len(data)))

    assert same < len(files) / 3


def test_a_side_does_not_depend_on_the_other(files: list[Path]) -> None:
    one = UnpairedDataset(files[:6], files[6:], **CUT, shuffle_b=True)
    other = UnpairedDataset(files[:6], files[5:8], **CUT)

    assert all(torch.equal(one[1, index]["a"], other[1, index]["a"]) for index in range(6))


def test_a_sample_follows_from_seed_epoch_and_index_alone(files: list[Path]) -> None:
    before = torch.get_rng_state()
    options: dict[str, Any] = {**CUT, "shuffle_b": True, "repeat": 2}
    data, again = (UnpairedDataset(files[:5], files[5:], **options) for _ in range(2))
    keys = [(epoch, index) for epoch in (0, 1) for index in range(len(data))]

    samples = {key: data[key] for key in keys}
    for key in [*reversed(keys), *keys[::5]]:
        sample = again[key]
        assert sample["path_b"] == samples[key]["path_b"]
        assert all(torch.equal(sample[side], samples[key][side]) for side in "ab")
    changed = [not torch.equal(samples[0, i]["a"], samples[1, i]["a"]) for i in range(len(data))]
    assert sum(changed) > len(data) / 2
    other = UnpairedDataset(files[:5], files[5:], **options, seed=1)
    assert _paths(other, "b") != _paths(data, "b")
    assert torch.equal(torch.get_rng_state(), before)


def test_without_pictures_of_b_there_are_those_of_a(files: list[Path]) -> None:
    data = UnpairedDataset(files[:4], [], size=16)

    assert len(data) == 4
    assert data[3].keys() == {"a", "path_a", "path"}


def test_a_cache_changes_nothing(files: list[Path], tmp_path: Path) -> None:
    for options in ({"jitter": 18}, {"view": "crop"}):
        plain = UnpairedDataset(files[:6], files[6:], size=16, **options)
        cached = UnpairedDataset(files[:6], files[6:], size=16, cache=tmp_path, **options)
        for index in [*range(6), *range(6)]:
            assert all(torch.equal(plain[index][side], cached[index][side]) for side in "ab")


def test_small_pictures_of_a_side_are_left_out(image_folder: Path, files: list[Path]) -> None:
    small = image_folder / "small.png"
    data = UnpairedDataset(files[:2], [small, files[2]], size=40, view="crop")

    assert data.pictures_b.skipped == [small]
    assert _paths(data, "b") == [files[2], files[2]]
    with pytest.raises(ValueError, match="none of 1 pictures is at least 40x40"):
        UnpairedDataset([small], files, size=40, view="crop")
