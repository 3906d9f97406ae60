"""Tests of lit_restore.nn.switch_batch_norm."""

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lit_restore.nn import SwitchBatchNorm2d, recalibrate, set_norm_mode


@pytest.fixture
def batches() -> list[Tensor]:
    torch.manual_seed(0)
    return [torch.randn(3, 4, 5, 6, dtype=torch.float64) * scale + 1 for scale in (1, 2, 5)]


def network() -> nn.Sequential:
    """A convolution of known weights, BatchNorm, dropout, and another of both."""
    torch.manual_seed(1)
    layers = [nn.Conv2d(4, 4, 1), SwitchBatchNorm2d(4), nn.Dropout(0.5), SwitchBatchNorm2d(4)]
    return nn.Sequential(*layers).double()


def test_in_mode_batch_evaluation_normalises_as_training_does(batches: list[Tensor]) -> None:
    layer = SwitchBatchNorm2d(4).double()
    nn.init.uniform_(layer.weight)
    expected = layer(batches[1])
    set_norm_mode(layer.eval(), "batch")
    before = copy.deepcopy(layer.state_dict())
    assert torch.equal(layer(batches[1]), expected)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())
    set_norm_mode(layer, "running")
    assert (layer(batches[1]) - expected).abs().max() > 0.1


@pytest.mark.parametrize("mode", ["running", "batch", "recalibrated"])
def test_only_in_mode_batch_a_picture_s_result_depends_on_the_others(
    mode: Any, batches: list[Tensor]
) -> None:
    layer = SwitchBatchNorm2d(4).double().eval()
    set_norm_mode(layer, mode)
    with_one, with_other = (
        layer(torch.cat([batches[0][:1], other[1:]])) for other in (batches[1], batches[2])
    )
    assert torch.equal(with_one[0], with_other[0]) == (mode != "batch")


def test_the_mode_does_not_matter_in_training(batches: list[Tensor]) -> None:
    layers = [SwitchBatchNorm2d(4).double() for _ in range(2)]
    set_norm_mode(layers[0], "batch")
    outputs = [layer(batches[0]) for layer in layers]
    assert torch.equal(outputs[0], outputs[1])
    assert torch.equal(layers[0].running_var, layers[1].running_var)
    assert (layers[0].running_var - 1).abs().min() > 0


def test_the_mode_is_set_in_every_layer_and_said_by_the_network() -> None:
    model = network()
    set_norm_mode(model, "batch")
    assert [model.norm_mode, model[1].norm_mode, model[3].norm_mode] == ["batch"] * 3
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert [copied.norm_mode, copied[1].norm_mode] == ["batch"] * 2
    assert "norm_mode" not in "".join(model.state_dict())


def test_an_unknown_mode_is_refused() -> None:
    model, wrong = network(), "frozen"
    with pytest.raises(ValueError, match=r"'running', 'batch' or 'recalibrated', got 'frozen'"):
        set_norm_mode(model, wrong)  # type: ignore[arg-type]
    assert model[1].norm_mode == "running"


@pytest.mark.parametrize(("training", "mode"), [(True, "running"), (False, "batch")])
def test_a_single_value_is_refused_where_it_would_have_to_be_its_own_mean(
    training: bool, mode: Any
) -> None:
    layer = SwitchBatchNorm2d(4).train(training)
    set_norm_mode(layer, mode)
    with pytest.raises(ValueError, match=r"one value of a channel.*got shape \(1, 4, 1, 1\)"):
        layer(torch.zeros(1, 4, 1, 1))
    set_norm_mode(layer.eval(), "running")
    assert layer(torch.zeros(1, 4, 1, 1)).shape == (1, 4, 1, 1)


def test_what_is_no_batch_of_images_is_refused() -> None:
    layer = SwitchBatchNorm2d(4).eval()
    set_norm_mode(layer, "batch")
    with pytest.raises(ValueError, match="expected 4D input"):
        layer(torch.zeros(2, 4, 5))


def test_recalibrated_statistics_are_the_mean_over_the_batches(batches: list[Tensor]) -> None:
    model = network()
    for _ in range(3):  # statistics of before must be forgotten
        model(9 * batches[0])
    recalibrate(model, batches)
    found = [model[0](batch) for batch in batches]
    mean = torch.stack([one.mean((0, 2, 3)) for one in found]).mean(0)
    variance = torch.stack([one.var((0, 2, 3), correction=0) for one in found]).mean(0)
    torch.testing.assert_close(model[1].running_mean, mean)
    torch.testing.assert_close(model[1].running_var, variance)
    # The second reads what the first one makes in training, with no dropout between.
    torch.testing.assert_close(model[3].running_mean, torch.zeros(4, dtype=torch.float64))
    narrowed = [one.var((0, 2, 3), correction=0) for one in found]
    expected = torch.stack([one / (one + 1e-3) for one in narrowed]).mean(0)
    torch.testing.assert_close(model[3].running_var, expected)


def test_recalibration_leaves_all_else_as_it_was(batches: list[Tensor]) -> None:
    model = network()
    model[2].eval()
    model[3].momentum = None
    model.norm_mode = "batch"
    weights = {name: value.clone() for name, value in model.named_parameters()}
    recalibrate(model, batches)
    assert [module.training for module in model.modules()] == [True, True, True, False, True]
    assert [model[1].momentum, model[3].momentum] == [0.01, None]
    assert model.norm_mode == "batch"
    assert all(torch.equal(weights[name], value) for name, value in model.named_parameters())
    assert all(value.grad is None for value in model.parameters())


def broken(batches: list[Tensor]) -> Iterator[Tensor]:
    """A batch, and then an error."""
    yield batches[0]
    raise OSError("the disk is gone")


def test_what_goes_wrong_leaves_the_old_statistics(batches: list[Tensor]) -> None:
    model = network()
    model(batches[0])
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match="at least one batch"):
        recalibrate(model, [])
    with pytest.raises(OSError, match="disk"):
        recalibrate(model, broken(batches))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(module.training for module in model.modules())
    assert model[1].momentum == 0.01


def test_without_batch_norm_there_is_nothing_to_recalibrate() -> None:
    recalibrate(nn.Sequential(nn.Conv2d(4, 4, 1)), [])
