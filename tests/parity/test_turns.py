"""Tests of parity.turns."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader

from lit_restore.models import UNetGenerator
from lit_restore.optim import KerasAdam
from parity.case import Case, compute
from parity.cases.translation import CASES
from parity.cases.translation_networks import in_keras
from parity.layout import to_torch
from parity.network import from_state, to_state
from parity.turns import Turns, both_ways, generator_first, judged_before, judges_swapped

BY_NAME = {case.name.removeprefix("trajectory/"): case for case in CASES}
ONE_STEP = [name for name in BY_NAME if name.endswith("one_step")]
STILL = partial(KerasAdam, lr=0.0)


def ours(name: str) -> Turns:
    function = BY_NAME[name].ours
    assert isinstance(function, Turns)
    return function


@cache
def right(name: str) -> dict[str, np.ndarray]:
    return compute(BY_NAME[name], ours(name), "float64")


def otherwise(name: str, take: Callable[..., Any] | None = None, **task: Any) -> Any:
    """What a training computes that takes its turns, or makes its task, in another way."""
    changed = replace(ours(name), task=partial(ours(name).task, **task))
    changed = replace(changed, take=take) if take else changed
    return compute(BY_NAME[name], changed, "float64")


def differing(arrays: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> set[str]:
    close = partial(np.allclose, rtol=1e-9, atol=1e-12)
    return {name for name, array in expected.items() if not close(arrays[name], array)}


def roles(names: set[str]) -> set[str]:
    return {name.removeprefix("after ").partition(".")[0] for name in names} - {"output"}


@pytest.mark.parametrize("name", ONE_STEP)
def test_a_step_is_a_loss_per_turn_and_all_that_the_networks_hold(name: str) -> None:
    arrays = right(name)
    turns = 3 if name.startswith("cyclegan/notes") else 2
    assert arrays["output"].shape == (1, turns)
    drawn = {f"after {one}" for one in BY_NAME[name].inputs if "/" in one}
    assert arrays.keys() == {"output", *drawn}
    moved = {one for one in drawn if not np.array_equal(arrays[one], given(BY_NAME[name], one))}
    assert moved == drawn  # nothing in any network is left as it was


def given(case: Case, name: str) -> np.ndarray:
    return case.arrays("float64")[name.removeprefix("after ")]


@pytest.mark.parametrize("name", ONE_STEP)
def test_the_turns_are_those_that_a_trainer_takes(name: str) -> None:
    case, training = BY_NAME[name], ours(name)
    arrays = {one: torch.tensor(array) for one, array in case.arrays("float64").items()}
    weights = {one: array for one, array in arrays.items() if "/" in one}
    batch: dict[str, Any] = {
        one: to_torch(array) if array.ndim == 4 else array
        for one, array in arrays.items()
        if one not in weights
    }
    count = len(next(iter(batch.values())))
    samples = [{one: array[i] for one, array in batch.items()} | {"path": ""} for i in range(count)]
    task = training.task().double()
    task.load_state_dict(to_state(weights), strict=False)
    trainer = Trainer(
        accelerator="cpu", max_steps=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(task, DataLoader(samples, batch_size=count))  # type: ignore[arg-type]
    after = from_state(task.state_dict(), weights)
    found = {f"after {one}": value.numpy() for one, value in after.items()}
    expected = {one: array for one, array in right(name).items() if one != "output"}
    assert differing(found, expected) == set()


def test_nothing_is_lost_on_the_way_to_float32() -> None:
    kernels = {name: one for name, one in right("cyclegan/paper/one_step").items() if "ker" in name}
    assert len(kernels) == 2 * (8 + 4)
    assert not any(np.array_equal(one, one.astype(np.float32)) for one in kernels.values())


@pytest.mark.parametrize("name", ONE_STEP)
def test_going_first_matters_to_no_discriminator_if_the_generator_stands_still(name: str) -> None:
    still = otherwise(name, g_optimizer=STILL)
    found = differing(otherwise(name, generator_first, g_optimizer=STILL), still)
    assert {one for one in found if "moving_" not in one} == {"output"}  # the generator's loss


def test_going_first_changes_both_sides() -> None:
    name = "pix2pix/notes/one_step"
    found = roles(differing(otherwise(name, generator_first), right(name)))
    assert found == {"generator", "discriminator"}


@pytest.mark.parametrize("name", ONE_STEP)
def test_learning_of_both_losses_changes_the_generators_alone(name: str) -> None:
    networks = roles(differing(otherwise(name, both_ways), right(name)))
    assert networks == ({"g_ab", "g_ba"} if name.startswith("cyclegan") else {"generator"})


@pytest.mark.parametrize("name", ["pix2pix/paper/one_step", "dcgan/one_step"])
def test_judging_once_more_moves_statistics_alone(name: str) -> None:
    arrays = right(name)
    found = differing(otherwise(name, judged_before), arrays)
    assert found == {one for one in arrays if "moving_" in one}


def test_swapped_discriminators_are_put_back() -> None:
    name = "cyclegan/paper/one_step"
    frozen = otherwise(name, judges_swapped, d_optimizer=STILL)
    weights = {one for one in frozen if one.startswith("after d_")}
    assert all(np.array_equal(frozen[one], given(BY_NAME[name], one)) for one in weights)
    assert roles(differing(otherwise(name, judges_swapped), right(name))) == {
        *("g_ab", "g_ba", "d_a", "d_b")
    }


def test_each_step_goes_on_from_the_one_before() -> None:
    losses = right("dcgan/5_steps")["output"]
    assert losses.shape == (5, 2)
    shorter = replace(ours("dcgan/5_steps"), steps=2)
    first = compute(BY_NAME["dcgan/5_steps"], shorter, "float64")["output"]
    assert np.array_equal(first, losses[:2])
    assert (np.abs(np.diff(losses, axis=0)) > 1e-4).all()


def test_keras_is_told_what_a_network_is_made_of() -> None:
    told = in_keras(UNetGenerator(widths=(2, 3), norm="std_instance", style="torch", slope=0.25))
    assert told == {
        "model": "translation_networks.unet_generator",
        "widths": [2, 3],
        "upsample": "transposed",
        "slope": 0.25,
        "edge_norms": False,
        "norm": "std_instance",
        "epsilon": 1e-5,
        "biased": False,
    }
    assert in_keras(UNetGenerator(widths=(2, 3), norm_mode="batch"))["statistics"] == "batch"
