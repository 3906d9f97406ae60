"""Tests of lit_restore.data.sampling."""

import random
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from lit_restore.data.sampling import (
    EpochSampler,
    OrderedSampler,
    derived_seed,
    epoch_order,
    sample_generator,
)


def _draw(seed: int, epoch: int, index: int) -> list[float]:
    return torch.rand(4, generator=sample_generator(seed, epoch, index)).tolist()


def test_a_derived_seed_depends_on_each_part_and_on_their_order() -> None:
    seeds = {derived_seed(a, b, c) for a in range(5) for b in range(5) for c in range(5)}

    assert len(seeds) == 125
    assert derived_seed(1, 23) != derived_seed(12, 3)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_derived_seed_is_the_same_in_every_process_and_version() -> None:
    assert derived_seed(18, 0, 7) == 2503223915738438366


def test_a_sample_draws_the_same_numbers_again_and_others_elsewhere() -> None:
    assert _draw(0, 1, 2) == _draw(0, 1, 2)
    keys = [(0, 1, 2), (1, 1, 2), (0, 2, 2), (0, 1, 3), (0, 2, 1)]
    assert len({tuple(_draw(*key)) for key in keys}) == len(keys)


def test_an_epoch_holds_every_index_once_and_no_two_epochs_are_alike() -> None:
    orders = [epoch_order(50, seed=3, epoch=epoch) for epoch in range(4)]

    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len(set(map(tuple, orders))) == 4
    assert orders[0] != list(range(50))
    assert epoch_order(50, seed=4, epoch=0) != orders[0]


def test_no_global_random_state_is_read_or_changed() -> None:
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    first = list(EpochSampler(20, 3, seed=5)), _draw(5, 0, 0)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert np.array_equal(np.random.get_state()[1], before[2])

    with torch.random.fork_rng():
        torch.manual_seed(99)
        assert (list(EpochSampler(20, 3, seed=5)), _draw(5, 0, 0)) == first


def test_the_sampler_yields_the_epochs_order_in_whole_batches() -> None:
    sampler = EpochSampler(23, batch_size=4, seed=7)

    keys = list(sampler)

    assert sampler.batches == 5
    assert keys == [(0, index) for index in epoch_order(23, 7, 0)[:20]]
    assert len(sampler) == 20


@pytest.mark.parametrize("seen", [0, 1, 4, 5, 7, 12])
def test_it_goes_on_behind_the_batches_that_the_run_has_seen(seen: int) -> None:
    whole: list[tuple[int, int]] = []
    for epoch in range(3):
        whole += EpochSampler(23, 4, seed=7, batches_seen=lambda epoch=epoch: 5 * epoch)

    rest = list(EpochSampler(23, 4, seed=7, batches_seen=lambda: seen))

    end = (seen // 5 + 1) * 20
    assert rest == whole[seen * 4 : end]


def test_it_asks_for_the_count_at_each_pass() -> None:
    counts: Iterator[int] = iter([0, 5, 10])
    sampler = EpochSampler(23, 4, batches_seen=lambda: next(counts))

    assert [{epoch for epoch, _ in sampler} for _ in range(3)] == [{0}, {1}, {2}]


def test_a_limit_ends_the_epoch_earlier() -> None:
    sampler = EpochSampler(23, 4, batches_seen=lambda: 7)
    sampler.limit = 3

    keys = list(sampler)  # the Trainer takes 3 batches an epoch: 7 are two epochs and one batch

    assert keys == [(2, index) for index in epoch_order(23, 0, 2)[4:20]]


def test_its_length_is_that_of_a_whole_epoch_wherever_it_starts() -> None:
    assert len(EpochSampler(23, 4, batches_seen=lambda: 3)) == 20


@pytest.mark.parametrize("world_size", [2, 3])
def test_ranks_share_an_epoch_without_overlap(world_size: int) -> None:
    parts = [list(EpochSampler(31, 4, 1, rank, world_size)) for rank in range(world_size)]

    batches = 31 // (4 * world_size)
    assert [len(part) for part in parts] == [4 * batches] * world_size
    together = [index for part in parts for _, index in part]
    assert len(set(together)) == len(together)
    assert set(together) <= set(range(31))


def test_what_is_left_out_of_one_epoch_comes_in_another() -> None:
    epochs = [EpochSampler(7, 4, batches_seen=lambda epoch=epoch: epoch) for epoch in range(8)]

    assert {index for sampler in epochs for _, index in sampler} == set(range(7))


@pytest.mark.parametrize(("batch_size", "world_size"), [(8, 1), (4, 2)])
def test_too_few_pictures_for_a_batch_are_refused(batch_size: int, world_size: int) -> None:
    message = f"at least one batch per process, {batch_size} x {world_size} pictures, got 7"
    with pytest.raises(ValueError, match=message):
        EpochSampler(7, batch_size, world_size=world_size)


def test_the_ordered_sampler_gives_epoch_0_in_file_order_at_every_pass() -> None:
    sampler = OrderedSampler(5)

    assert list(sampler) == list(sampler) == [(0, index) for index in range(5)]
    assert len(sampler) == 5


def test_ranks_share_the_ordered_samples_once_each() -> None:
    parts = [OrderedSampler(7, rank, 3) for rank in range(3)]

    assert [len(part) for part in parts] == [3, 2, 2]
    assert sorted(key for part in parts for key in part) == [(0, index) for index in range(7)]
