"""Tests of benchmarks.precision."""

from typing import Any

import pytest
import torch

from benchmarks import precision


@pytest.mark.parametrize("network", precision.NETWORKS)
def test_both_contenders_train_the_same_network(
    monkeypatch: pytest.MonkeyPatch, network: str
) -> None:
    monkeypatch.setattr(precision, "prepare", lambda *_: torch.channels_last)
    seen: list[Any] = []
    works = [precision.training(1, network, mixed) for mixed in (False, True)]
    hook = torch.nn.modules.module.register_module_forward_hook
    with hook(lambda *call: seen.append(call[2])):
        for work, dtype in zip(works, (torch.float32, torch.bfloat16), strict=True):
            work()
            convolved = [each.dtype for each in seen if each.ndim == 4]
            assert dtype in convolved
            assert seen[-1].dtype == torch.float32  # the loss
            seen.clear()
    assert works[0].size == works[1].size
