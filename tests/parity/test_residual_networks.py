"""Tests of parity.cases.residual_networks."""

import pytest

import parity.__main__ as command
from parity.cases import CASES, live


def test_the_whole_resnet50_is_that_of_keras_and_is_only_compared_live(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (case,) = live()
    assert case.name not in {one.name for one in CASES}
    assert (case.settings or {})["model"] == "residual_networks.application"
    assert (case.settings or {})["depths"] == [3, 4, 6, 3]
    weights = sum(name.endswith("/kernel") for name in case.inputs)
    assert weights == 53 + 1
    assert command.select(["model/resnet/resnet50"], [case]) == [case]
    assert command.main(["model/resnet/resnet50"]) == 2
    assert "no case has" in capsys.readouterr().err
    assert case.wrong
    assert "conv1/kernel" in case.variables
