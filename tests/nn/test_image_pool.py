"""Tests of lit_restore.nn.image_pool."""

import io
import pickle

import pytest
import torch
from torch import Tensor

from lit_restore.nn import ImagePool


def _numbered(first: int, count: int = 2, side: int = 4) -> Tensor:
    """Pictures that are constant: first, first + 1 ..."""
    levels = torch.arange(first, first + count, dtype=torch.float32)
    return levels.view(-1, 1, 1, 1).expand(-1, 3, side, side).clone()


def _run(pool: ImagePool, batches: int, first: int = 0) -> list[int]:
    given = [pool(_numbered(first + 2 * step)) for step in range(batches)]
    return torch.cat(given)[:, 0, 0, 0].int().tolist()


def test_until_it_is_full_it_hands_on_what_comes() -> None:
    assert _run(ImagePool(6), 3) == list(range(6))


def test_then_half_of_the_pictures_are_earlier_ones_and_each_is_handed_on_once() -> None:
    pool = ImagePool(20)
    given = _run(pool, 500)
    earlier = [one < number for number, one in enumerate(given)]
    assert not any(earlier[:20])
    assert 0.45 < sum(earlier[20:]) / 980 < 0.55
    kept = [int(image[0, 0, 0]) for image in pool.images]
    assert sorted(given[20:] + kept) == list(range(1000))
    assert max(number - one for number, one in enumerate(given)) > 40


def test_what_was_handed_on_is_replaced_by_what_came() -> None:
    pool = ImagePool(3)
    _run(pool, 2)
    for number in range(100, 160):
        before = {int(image[0, 0, 0]) for image in pool.images}
        given = int(pool(_numbered(number, 1))[0, 0, 0, 0])
        after = {int(image[0, 0, 0]) for image in pool.images}
        assert after == (before if given == number else before - {given} | {number})


def test_a_pool_of_size_0_hands_through() -> None:
    images = _numbered(0).requires_grad_()
    handed = ImagePool(0)(images)
    assert torch.equal(handed, images)
    assert not handed.requires_grad


def test_no_gradient_and_no_later_change_reaches_what_is_kept() -> None:
    pool = ImagePool(2)
    images = _numbered(0).requires_grad_()
    assert not pool(images).requires_grad
    with torch.no_grad():
        images += 100
    assert [int(image[0, 0, 0]) for image in pool.images] == [0, 1]


def test_the_seed_decides_and_the_global_generator_does_not() -> None:
    torch.manual_seed(1)
    one = _run(ImagePool(4, seed=3), 20)
    torch.manual_seed(2)
    before = torch.get_rng_state()
    assert _run(ImagePool(4, seed=3), 20) == one
    assert torch.equal(torch.get_rng_state(), before)
    assert _run(ImagePool(4, seed=4), 20) != one


def test_a_pool_from_a_checkpoint_goes_on_as_if_nothing_had_happened() -> None:
    pool = ImagePool(4, seed=5)
    _run(pool, 9)
    file = io.BytesIO()
    torch.save(pool.state_dict(), file)
    going_on = _run(pool, 20, first=100)
    file.seek(0)
    resumed = ImagePool(4, seed=6)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    assert _run(resumed, 20, first=100) == going_on


def test_a_state_is_a_snapshot() -> None:
    pool = ImagePool(2)
    state = pool.state_dict()
    _run(pool, 5)
    assert state["_extra_state"]["images"] == []


def test_a_smaller_pool_takes_over_no_more_than_it_holds() -> None:
    large, small = ImagePool(6), ImagePool(2)
    _run(large, 3)
    small.load_state_dict(large.state_dict())
    assert len(small.images) == 2


def test_pictures_of_another_size_are_replaced_and_not_handed_on() -> None:
    pool = ImagePool(2)
    _run(pool, 1)
    for number in range(10, 40):
        assert pool(_numbered(number, 3, side=6)).shape == (3, 3, 6, 6)
    assert {image.shape[-1] for image in pool.images} == {6}


def test_it_can_be_copied_and_pickled() -> None:
    pool = ImagePool(3)
    _run(pool, 3)
    copy = pickle.loads(pickle.dumps(pool))
    assert _run(copy, 9, first=50) == _run(pool, 9, first=50)


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ValueError, match="size must be at least 0, got -1"):
        ImagePool(-1)
