"""Tests of benchmarks.segmentation_torch."""

from typing import Any

import pytest
import torch

from benchmarks import segmentation_torch
from benchmarks.segmentation_speed import SEGMENTATION
from benchmarks.segmentation_torch import Setting
from benchmarks.torch_side import NAIVE, OURS


@pytest.mark.parametrize("num_classes", [1, 3])
def test_the_convolutions_are_the_notes(num_classes: int) -> None:
    network = segmentation_torch.build("convs", num_classes)
    kernels = 9 * 32 * (3 + 5 * 32) + 32 * num_classes
    size = segmentation_torch.sizes(network, 7)
    assert size == {"trained": kernels + 6 * 3 * 32 + num_classes, "output": 7}


@pytest.mark.parametrize(("network", "num_classes"), [("convs", 1), ("unet", 3)])
def test_both_ways_take_the_same_step(
    network: Any, num_classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    layouts = {OURS: torch.channels_last, NAIVE: torch.contiguous_format}
    monkeypatch.setattr(segmentation_torch, "prepare", lambda _, recipe: layouts[recipe])
    small = dict.fromkeys(("convs", "unet"), Setting(2, 16, {"width": 4, "depth": 2}))
    small["unet"] = Setting(2, 16, {"widths": (4, 8), "norm": "batch"})
    monkeypatch.setattr(segmentation_torch, "SETTINGS", small)
    found, build = [], segmentation_torch.build
    for recipe in layouts:
        torch.manual_seed(0)
        model = build(network, num_classes)
        before = model.head.weight.detach().clone()
        monkeypatch.setattr(segmentation_torch, "build", lambda *_, model=model: model)
        work = segmentation_torch.training(1, recipe, network, num_classes)
        work()
        assert work.size["output"] == 2 * num_classes * 16 * 16
        change = model.head.weight.detach() - before
        assert float(change.abs().max()) == pytest.approx(1e-3, rel=1e-2)  # a step of Adam
        found.append(change)
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=1e-4)


def test_each_race_has_keras_to_be_held_against() -> None:
    assert [race.keras_target for race in SEGMENTATION] == [1.2, 1.2, 1.0, 1.0]
    assert all(len(race.keras) == 2 for race in SEGMENTATION)
    assert len({race.title for race in SEGMENTATION}) == 4
