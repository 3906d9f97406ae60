"""Tests of parity.mutants and parity.mutate."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import nn

import parity.__main__ as command
from lit_restore import models
from parity import stored
from parity.case import Case, compute
from parity.cases import CASES
from parity.judge import Reference, distances
from parity.mutants import KINDS, mutants
from parity.mutate import Kill, matrix, mutate
from parity.network import Network, network_case


class Joining(nn.Module):
    """A network with everything that a mutant can damage."""

    in_channels = 3

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4, eps=1e-3)
        self.two = nn.Conv2d(7, 2, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.two(torch.cat([self.norm(self.one(image)), image], dim=1))


NETWORK = Network(Joining, (2, 5, 6))
CASE = network_case("joining", NETWORK, "models.joining", {})
NAMES = {
    *(f"parameter {layer}/{name}" for layer in ("one", "two") for name in ("kernel", "bias")),
    *(f"parameter norm/{name}" for name in ("gamma", "beta", "moving_mean", "moving_variance")),
    *("bias one/bias", "bias norm/beta", "bias two/bias", "concatenation 1", "mode norm"),
}


def right(case: Case = CASE) -> Reference:
    return Reference(compute(case, case.ours, "float64"))


def test_every_part_of_a_network_has_its_mutants() -> None:
    assert mutants(NETWORK).keys() == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_mutant_differs_from_the_network(name: str) -> None:
    arrays = compute(CASE, mutants(NETWORK)[name], "float64")
    assert max(distances(CASE, arrays, right()).values()) > 1e-6


def test_joining_backwards_turns_the_order_and_nothing_else() -> None:
    t = {name: torch.tensor(array) for name, array in CASE.arrays("float64").items()}
    other = mutants(NETWORK)["concatenation 1"](t)
    kernel = t["two/kernel"].roll(-3, dims=2)  # the image's three channels come first instead
    torch.testing.assert_close(other["output"], NETWORK(t | {"two/kernel": kernel})["output"])


def test_a_comparison_that_is_right_notices_them_all() -> None:
    kills = list(mutate([CASE], right))
    assert len(kills) == len(NAMES)
    assert all(kill.noticed and kill.passed for kill in kills)
    assert (
        matrix(kills).splitlines()[-1]
        == f"{len(NAMES)} of {len(NAMES)} mutants of networks are noticed"
    )


def test_a_comparison_of_the_output_s_mean_alone_lets_some_survive() -> None:
    def blunt(case: Case) -> Case:
        def mean(t: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            return {"output": NETWORK(t)["output"].mean().detach().round(decimals=1)}

        return replace(case, ours=mean, inputs=held(case), mutants=lambda: {"parameter x": mean})

    kills = list(mutate([blunt(CASE)], lambda case: right(case)))
    assert not any(kill.passed for kill in kills)
    assert "SURVIVED  model/joining: parameter x (float64)" in matrix(kills)


def held(case: Case) -> Mapping[str, object]:
    return {name: replace(one, kind="constant") for name, one in case.inputs.items()}


def test_an_equivalent_mutant_must_survive() -> None:
    same = replace(
        CASE, mutants=lambda: {"bias one/bias": NETWORK}, equivalent={"bias one/bias": "no effect"}
    )
    kills = list(mutate([same], right))
    assert [kill.passed for kill in kills] == [True]
    assert "equivalent  model/joining: bias one/bias (float64): no effect" in matrix(kills)
    assert "1 mutants are equivalent" in matrix(kills)
    lie = replace(CASE, equivalent={"bias one/bias": "it is not"})
    kills = list(mutate([lie], right))
    assert [kill.name for kill in kills if not kill.passed] == ["one/bias"]
    assert "WRONG ABOUT EQUIVALENCE  model/joining: bias one/bias (float64)" in matrix(kills)


def test_what_a_network_has_none_of_is_said() -> None:
    kills = [Kill("model/plain", kind, "x", "float64", True) for kind in ("parameter", "bias")]
    lines = matrix(kills).splitlines()
    assert "no concatenation in model/plain: it joins nothing" in lines
    assert any(line.startswith("no mode in model/plain: it has no layer") for line in lines)


def test_the_command_ends_with_1_if_a_wrong_variant_survives(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = next(case for case in CASES if case.name == "loss/absolute")
    monkeypatch.setattr(command, "CASES", (case,))
    assert command.main(["mutate"]) == 0
    assert "4 of 4 wrong variants are noticed" in capsys.readouterr().out
    survivor = replace(case, wrong={"nothing wrong": case.ours})
    monkeypatch.setattr(command, "CASES", (survivor,))
    assert command.main(["mutate"]) == 1
    assert "SURVIVED  loss/absolute: variant nothing wrong" in capsys.readouterr().out


MODELS = {case.name: case for case in CASES if isinstance(case.ours, Network)}


@pytest.mark.parametrize("name", MODELS)
def test_every_damage_to_a_network_of_the_library_is_noticed(name: str) -> None:
    kills = [kill for kill in mutate([MODELS[name]], stored.read) if kill.kind in KINDS]
    assert kills
    assert [kill for kill in kills if not kill.passed] == []


def test_every_network_of_the_library_has_a_case() -> None:
    """Networks under test, by what their cases build."""
    built = {type(case.ours.module).__name__ for case in MODELS.values()}  # type: ignore[attr-defined]
    assert built >= set(models.__all__)
