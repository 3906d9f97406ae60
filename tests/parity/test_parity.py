"""Tests of the cases and of the command."""

import dataclasses
import json
from functools import lru_cache, partial
from pathlib import Path

import pytest

import parity.__main__ as command
from parity import stored
from parity.arrays import Draw
from parity.case import Case, Tensors, compute
from parity.cases import CASES
from parity.judge import Reference, Result, distances, judge

BY_NAME = {case.name: case for case in CASES}
CONV = BY_NAME["layer/conv/k3_s2_8x11"]


@lru_cache
def results(name: str) -> list[Result]:
    case = BY_NAME[name]
    return list(judge(case, stored.read(case)))


@pytest.mark.parametrize("name", BY_NAME)
def test_lit_restore_agrees_with_what_keras_computed(name: str) -> None:
    right = [one for one in results(name) if not one.variant]
    assert [one.dtype for one in right] == list(BY_NAME[name].dtypes)
    for one in right:
        assert one.agrees, f"{one.dtype} {one.where}: {one.worst} > {one.bound}"


@pytest.mark.parametrize("name", BY_NAME)
def test_every_wrong_variant_is_noticed_in_every_type(name: str) -> None:
    wrong = [one for one in results(name) if one.variant]
    case = BY_NAME[name]
    types = 1 if case.gates32 else len(case.dtypes)  # a training's are told apart in float64
    assert len(wrong) == len(case.wrong) * types > 0
    for one in wrong:
        assert not one.agrees, f"{one.dtype} {one.variant}: {one.worst} <= {one.bound}"


def test_every_variable_has_its_gradient_compared() -> None:
    for case in CASES:
        gradients = {f"d {name}" for name in case.variables}
        assert gradients <= stored.read(case).arrays.keys()


def test_no_network_is_so_dead_that_a_kernel_has_no_gradient() -> None:
    # Where ReLU makes all of a map 0, whatever stands before it agrees with anything.
    for case in CASES:
        if case.level == "model":
            arrays = stored.read(case).arrays
            kernels = [f"d {name}" for name in case.variables if len(case.inputs[name].shape) == 4]
            dead = [name for name in kernels if not arrays[name].any()]
            assert not dead, f"{case.name}: {dead}"


def test_names_are_unique_and_levels_known() -> None:
    assert len(BY_NAME) == len(CASES)
    assert {case.level for case in CASES} == {
        *("layer", "block", "model", "loss", "metric", "optimizer", "trajectory", "law", "picture")
    }


def test_every_deviation_is_accepted_for_a_reason() -> None:
    for case in CASES:
        deviates = case.precision in ("float32", "law") or bool(case.null)
        assert bool(case.accepted) >= deviates, case.name


def test_symmetric_padding_is_wrong_for_the_k3_s2_convolution_of_an_even_side() -> None:
    assert {"no bias", "rotated kernel", "symmetric padding"} == CONV.wrong.keys()


def test_what_is_stored_is_small() -> None:
    assert sum(path.stat().st_size for path in stored.FOLDER.glob("*.npz")) < 5_000_000


def test_a_run_that_agrees_ends_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["layer/conv/k3_s2", "loss/absolute"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["case", "level", "dtype", "where", "error", "bound", "verdict"]
    assert sum(line.endswith("agrees") for line in lines) == 2 * (2 + 1)
    assert lines[-2] == "6 of 6 comparisons agree"


def with_case(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    case = dataclasses.replace(CONV, **changes)  # type: ignore[arg-type]
    monkeypatch.setattr(command, "CASES", (case,))


def test_a_wrong_computation_ends_with_1_and_names_the_first_array_that_differs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_case(monkeypatch, ours=CONV.wrong["symmetric padding"])
    assert command.main([]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[1].split()[2:4] == ["float64", "output"]
    assert out[1].endswith("DIFFERS")


def test_a_wrong_variant_that_is_not_noticed_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_case(monkeypatch, wrong={"nothing wrong": CONV.ours})
    assert command.main([]) == 1
    out = capsys.readouterr().out
    assert "(nothing wrong)" in out
    assert "NOT NOTICED" in out


def test_an_error_in_a_gradient_alone_is_noticed() -> None:
    def held(t: Tensors) -> Tensors:
        return CONV.ours(t | {"bias": t["bias"].detach()})

    held_back = dataclasses.replace(CONV, ours=held, wrong={})
    (first, _) = command.compare([held_back])
    assert not first.agrees
    assert first.where == "d bias"


def test_a_word_that_is_in_no_name_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["conv", "deconvolution"]) == 2
    assert "no case has 'deconvolution' in its name." in capsys.readouterr().err
    assert command.main(["SRGEN"]) == 2
    assert "Did you mean 'srgan'?" in capsys.readouterr().err


def test_a_word_may_be_in_any_case() -> None:
    assert command.select(["Layer/CONV"]) == command.select(["layer/conv"]) != []


def test_the_help_names_all_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        command.main(["--help"])
    assert "golden, mutate, fuzz, readme" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "layer/conv/of_tomorrow"}, "layer/conv/of_tomorrow is not stored yet"),
        ({"name": "plan/conv"}, "plan/conv is not stored yet"),
        ({"settings": {"stride": 3}}, "layer/conv/k3_s2_8x11 has changed since it was stored"),
        ({"inputs": {**CONV.inputs, "bias": Draw((4,), 0.0)}}, "has changed since it was stored"),
    ],
)
def test_a_stale_reference_ends_with_2_and_says_what_to_run(
    changes: dict[str, object],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with_case(monkeypatch, **changes)
    assert command.main([]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "python -m parity golden" in err


def test_json_holds_the_error_of_every_array_and_null_for_another_shape(tmp_path: Path) -> None:
    file = tmp_path / "parity.json"
    assert command.main(["layer/conv/k4_s1_8x11", "--json", str(file)]) == 0
    content = json.loads(file.read_text())
    assert content["reference"] == "golden"
    right, *wrong = content["results"]
    assert list(right["errors"]) == ["output", "d image", "d kernel", "d bias"]
    assert right["case"] == "layer/conv/k4_s1_8x11"
    assert right["dtype"] == "float64"
    assert right["passed"] is True
    larger = next(one for one in wrong if one["variant"] == "symmetric padding")
    assert larger["errors"]["output"] is None


def test_what_is_written_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = compute(CONV, CONV.ours, "float64")
    before = Reference(arrays, {"output": 1.25e-7})
    monkeypatch.setattr(stored, "FOLDER", tmp_path / "golden")
    other = dataclasses.replace(CONV, name="layer/other")
    stored.write("layer", [(other, before), (CONV, before)], {"keras": "3"})
    for case in (CONV, other):
        after = stored.read(case)
        assert after.own == before.own
        assert after.shapes == {name: array.shape for name, array in arrays.items()}
        assert max(distances(case, arrays, after).values()) == 0
    assert distances(CONV, compute(CONV, CONV.wrong["no bias"], "float64"), after)["output"] > 0.1


def _doubled(case: Case, t: Tensors) -> Tensors:
    outputs = case.ours(t)
    return outputs | {"output": outputs["output"] * (1 + 1e-4)}


def test_an_error_of_a_ten_thousandth_is_noticed_in_float32_too() -> None:
    for name in ("layer/conv/k7_s1_8x11", "model/small_mosaic_unet", "block/conv_bn_relu/eval_d1"):
        case = BY_NAME[name]
        off = dataclasses.replace(case, ours=partial(_doubled, case), wrong={})
        assert not any(one.agrees for one in judge(off, stored.read(case)))
