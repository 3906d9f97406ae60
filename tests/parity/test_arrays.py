"""Tests of parity.arrays."""

import numpy as np
import pytest

from parity.arrays import LIMIT, Draw, cast, digest, draw, probe, sketch

DRAWS = {"image": Draw((2, 3, 5)), "codes": Draw((2, 12, 13), kind="codes")}


def test_the_same_seed_draws_the_same_numbers_and_another_one_others() -> None:
    first, again, other = draw(DRAWS, "a"), draw(DRAWS, "a"), draw(DRAWS, "b")
    for name in DRAWS:
        np.testing.assert_array_equal(first[name], again[name])
        assert (first[name] != other[name]).any()


def test_floats_are_in_their_range_and_survive_float32() -> None:
    array = draw({"x": Draw((50, 40), 0.3, 0.7)}, "a")["x"]
    assert array.dtype == np.float64
    assert 0.3 <= array.min() < 0.31
    assert 0.69 < array.max() <= 0.7
    np.testing.assert_array_equal(cast(array, "float32").astype(np.float64), array)


def test_codes_are_all_there_and_stay_codes() -> None:
    codes = draw(DRAWS, "a")["codes"]
    assert cast(codes, "float32").dtype == np.uint8
    assert set(codes.ravel().tolist()) == set(range(256))


def test_products_of_drawn_numbers_sum_exactly_in_any_order() -> None:
    x, y = draw({"x": Draw((500,)), "y": Draw((500,))}, "a").values()
    products = (x * y).tolist()
    assert sum(products) == sum(reversed(products)) == sum(sorted(products))


def test_a_probe_follows_from_the_shape() -> None:
    np.testing.assert_array_equal(probe((2, 3)), probe((2, 3)))
    assert (probe((2, 3)) != probe((3, 2)).T).any()


def test_a_small_array_is_its_own_sketch() -> None:
    array = probe((2, 5, 7))
    np.testing.assert_array_equal(sketch(array), array)


@pytest.mark.parametrize("size", [LIMIT + 1, 3 * LIMIT, 10 * LIMIT - 1])
def test_a_sketch_shows_a_change_of_any_value_and_any_swap(size: int) -> None:
    array = probe((size,))
    before = sketch(array)
    assert before.shape == (LIMIT,)
    for place in (0, LIMIT // 2, LIMIT, size - 1):
        changed = array.copy()
        changed[place] += 1e-9
        assert np.abs(sketch(changed) - before).max() > 1e-10
        swapped = array.copy()
        swapped[[place, place - 1]] = swapped[[place - 1, place]]
        assert np.abs(sketch(swapped) - before).max() > 1e-9


def test_a_digest_depends_on_values_names_shapes_types_and_settings() -> None:
    array = np.zeros((2, 3))
    digests = [
        digest({"x": array}, 1),
        digest({"x": array}, 2),
        digest({"y": array}, 1),
        digest({"x": array.T}, 1),
        digest({"x": array.astype(np.float32)}, 1),
        digest({"x": array + 1}, 1),
    ]
    assert len(set(digests)) == len(digests)
    assert digest({"x": np.zeros((2, 3))}, 1) == digests[0]


def test_a_mask_is_of_ones_and_zeros_in_blocks_and_alone() -> None:
    mask = draw({"mask": Draw((2, 12, 15, 1), kind="mask")}, "some seed")["mask"]
    assert mask.shape == (2, 12, 15, 1)
    assert set(np.unique(mask)) == {0.0, 1.0}
    assert not mask[:, 4:8, 5:10].any()  # the middle one of nine blocks
    assert 0 < mask[:, :4, :5].mean() < 1  # the first one, with holes of single pixels
    assert not np.array_equal(mask[0], mask[1])
