"""Tests of parity.judge."""

import math
from typing import Literal

import numpy as np
import pytest

from parity.arrays import Array, Draw, probe, sketch
from parity.case import Case
from parity.judge import OWN, SLACK, Reference, Result, bound, distances

EPS32 = 2.0**-23
EPS64 = 2.0**-52


def case(
    terms: int = 100,
    depth: int = 3,
    null: tuple[str, ...] = (),
    precision: Literal["given", "float32", "exact"] = "given",
) -> Case:
    inputs = {"x": Draw((2, 3))}
    return Case("layer/x", inputs, dict, "layers.x", {}, None, terms, depth, null, precision)


def test_the_bound_grows_with_the_root_of_the_terms_and_with_the_depth() -> None:
    assert bound(case(), "float64") == pytest.approx(SLACK * EPS64 * 10 * 3)
    assert bound(case(), "float32") == pytest.approx(SLACK * EPS32 * 10 * 3)


def test_in_float32_keras_own_error_tightens_the_bound_but_never_below_a_few_units() -> None:
    assert bound(case(10**6), "float32", own=1e-5) == pytest.approx(OWN * 1e-5)
    assert bound(case(10**6), "float32", own=0.0) == pytest.approx(OWN * 4 * EPS32)
    assert bound(case(10**6), "float32", own=1.0) == pytest.approx(SLACK * EPS32 * 1000 * 3)
    assert bound(case(), "float64", own=0.0) == pytest.approx(SLACK * EPS64 * 10 * 3)


def test_what_keras_computes_in_float32_has_its_bound_whatever_the_type() -> None:
    for dtype in ("float32", "float64"):
        expected = pytest.approx(SLACK * EPS32 * 10 * 3)
        assert bound(case(precision="float32"), dtype, own=0.0) == expected


def test_what_must_be_exact_may_not_differ_at_all() -> None:
    assert bound(case(precision="exact"), "uint8") == 0


def errors(array: Array, reference: Array) -> dict[str, float]:
    expected = Reference({"output": np.ones(2), "d x": reference})
    return distances(case(), {"output": np.ones(2), "d x": array}, expected)


def test_an_error_is_a_share_of_the_largest_value() -> None:
    assert errors(np.array([1.0, 4.5]), np.array([1.0, 5.0])) == {"output": 0, "d x": 0.1}


@pytest.mark.parametrize("bad", [[math.nan, 5.0], [math.inf, 5.0], [1.0, 5.0, 5.0], [[1.0, 5.0]]])
def test_nan_infinity_and_another_shape_are_infinitely_far(bad: list[float]) -> None:
    assert errors(np.array(bad), np.array([1.0, 5.0]))["d x"] == math.inf


def test_a_large_array_of_another_shape_is_infinitely_far_from_a_sketch() -> None:
    array = probe((20, 30))
    reference = Reference({"output": sketch(array)}, shapes={"output": (20, 30)})
    assert distances(case(), {"output": array}, reference)["output"] == 0
    assert distances(case(), {"output": array.reshape(30, 20)}, reference)["output"] == math.inf


def test_beside_zeros_only_zeros_agree() -> None:
    assert errors(np.zeros(2), np.zeros(2))["d x"] == 0
    assert errors(np.array([0.0, 1e-300]), np.zeros(2))["d x"] == math.inf


def test_a_null_gradient_is_measured_against_the_largest_gradient() -> None:
    arrays = {"d weight": np.array([-8.0, 2.0]), "d x": np.array([1e-16, 0.0])}
    reference = Reference({"d weight": np.array([-8.0, 2.0]), "d x": np.array([3e-16, 0.0])})
    assert distances(case(null=("x",)), arrays, reference)["d x"] == pytest.approx(2e-16 / 8)
    assert distances(case(), arrays, reference)["d x"] == pytest.approx(2 / 3)


def test_other_names_are_refused() -> None:
    with pytest.raises(ValueError, match="layer/x: expected the arrays output, got result"):
        distances(case(), {"result": np.ones(2)}, Reference({"output": np.ones(2)}))


def test_a_result_names_the_first_array_outside_the_bound_or_else_the_worst() -> None:
    errors = {"first": 0.5, "second": 0.9, "third": 0.1}
    assert Result("x", "float64", errors, bound=0.2).where == "first"
    assert Result("x", "float64", errors, bound=1.0).where == "second"


def test_a_wrong_variant_passes_by_not_agreeing() -> None:
    assert Result("x", "float64", {"output": 0.5}, bound=0.2, variant="wrong").passed
    assert not Result("x", "float64", {"output": 0.1}, bound=0.2, variant="wrong").passed
    assert Result("x", "float64", {"output": 0.1}, bound=0.2).passed
    assert not Result("x", "float64", {"output": math.nan}, bound=0.2).passed
