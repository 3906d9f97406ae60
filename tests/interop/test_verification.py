"""Tests of lit_restore.interop.verification: what agrees passes, and what doesn't fails."""

from typing import Any

import numpy as np
import pytest
import torch

from lit_restore.interop._samples import picture_samples, random_samples
from lit_restore.interop.graph import GraphNetwork
from lit_restore.interop.verification import Verification, compare

Array = np.ndarray[Any, Any]


def outputs(error: float = 0.0, rounding: float = 0.0) -> tuple[list[Array], ...]:
    """Keras's output with 100 as its largest value, ours with an error, and the exact one."""
    theirs = np.linspace(-100, 40, 60, dtype=np.float64).reshape(1, 4, 5, 3)
    ours = theirs.copy()
    ours[0, 1, 1, 1] += 100 * error
    return [theirs], [ours], [ours + 100 * rounding]


@pytest.mark.parametrize(
    ("error", "rounding", "passed"),
    [
        (0.0, 0.0, True),
        (0.9e-5, 0.0, True),
        (1.1e-5, 0.0, False),
        (1.1e-5, 0.2e-5, True),  # within 8 times the rounding of the network itself
        (1.7e-5, 0.2e-5, False),
        (1.1e-3, 1.0, False),  # which may not grow without end
    ],
)
def test_the_bound_is_of_keras_scale_or_of_the_rounding(
    error: float, rounding: float, passed: bool
) -> None:
    (found,) = compare("s", *outputs(error, rounding))

    assert found.error == pytest.approx(error, rel=1e-6, abs=1e-12)
    assert found.passed is passed
    assert Verification((found,), {}).passed is passed


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_only_one_side_has_fail(value: float) -> None:
    theirs, ours, exact = outputs()
    ours[0][0, 0, 0, 0] = value
    (found,) = compare("s", theirs, ours, exact)
    assert not found.passed

    theirs[0][0, 0, 0, 0] = value
    (found,) = compare("s", theirs, ours, exact)
    assert found.passed


def test_other_shapes_other_counts_and_nothing_at_all_fail() -> None:
    theirs, ours, exact = outputs()

    assert not compare("s", theirs, [ours[0][:, :3]], exact)[0].passed
    assert not compare("s", theirs * 2, ours, exact)[0].passed
    assert not Verification((), {}).passed


def network(shape: list[int | None] | None) -> GraphNetwork:
    pool = {"name": "p", "layer": "MaxPooling2D", "inputs": ["i"], "arguments": {}}
    return GraphNetwork(
        {"inputs": [{"name": "i", "shape": shape}], "outputs": ["p"], "nodes": [pool]}
    )


def test_samples_fit_the_network_and_depend_on_the_seed_alone() -> None:
    open_size = network([3, None, None])
    found, again = random_samples(open_size, 0), random_samples(open_size, 0)

    unit, signed = (sample[0] for sample in found.values())
    assert unit.shape[1] == 3
    assert all(side % open_size.multiple_of == 0 for side in unit.shape[-2:])
    assert unit.shape[-2] != unit.shape[-1]
    assert 0 <= unit.min() < 0.1
    assert -1 <= signed.min() < -0.8
    assert torch.equal(unit, again["random, 0 to 1"][0])
    assert not torch.equal(unit, random_samples(open_size, 1)["random, 0 to 1"][0])
    assert random_samples(network([1, 30, 22]), 0)["random, 0 to 1"][0].shape == (1, 1, 30, 22)


def test_pictures_are_cropped_or_resized_to_the_network() -> None:
    picture = {"p": torch.rand(3, 61, 300)}

    (cropped,) = picture_samples(network([3, None, None]), picture)["p"]
    (resized,) = picture_samples(network([1, 30, 22]), picture)["p"]

    assert cropped.shape == (1, 3, 60, 256)
    assert torch.equal(cropped[0], picture["p"][:, :60, :256])
    assert resized.shape == (1, 1, 30, 22)
    assert picture_samples(network([7, None, None]), picture) == {}
    assert picture_samples(network([3, None, None]), {"p": torch.rand(3, 1, 9)}) == {}
