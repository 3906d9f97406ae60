"""Tests of parity.trajectory."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from parity import stored
from parity.case import compute
from parity.cases import CASES
from parity.judge import Reference, judge, measure
from parity.network import Network
from parity.trajectory import Training, of_classes, of_squashed, trajectory_case


class Plain(nn.Module):
    """A convolution and a BatchNorm."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.norm(self.conv(image))


NETWORK = Network(Plain, (2, 5, 6))
CASE = trajectory_case("plain", NETWORK, "models.plain", settings={"width": 3}, optimizer="SGD")
TRAININGS = {case.name: case for case in CASES if isinstance(case.ours, Training)}


def test_a_training_is_the_loss_before_each_step_and_all_that_was_learned() -> None:
    arrays = compute(CASE, CASE.ours, "float64")
    assert arrays["output"].shape == (20,)
    assert arrays["output"][-1] < arrays["output"][0]
    assert arrays.keys() == {"output", *(f"after {name}" for name in NETWORK.weights())}


def test_a_training_is_that_of_a_plain_loop() -> None:
    arrays = CASE.arrays("float64")
    image, target = (torch.tensor(arrays[key]).permute(0, 3, 1, 2) for key in ("image", "target"))
    module = Plain().double()
    module.conv.weight.data = torch.tensor(arrays["conv/kernel"]).permute(3, 2, 0, 1).contiguous()
    module.conv.bias.data = torch.tensor(arrays["conv/bias"])  # type: ignore[union-attr]
    module.norm.weight.data = torch.tensor(arrays["norm/gamma"])
    module.norm.bias.data = torch.tensor(arrays["norm/beta"])
    module.norm.running_var = torch.tensor(arrays["norm/moving_variance"])
    optimizer = torch.optim.SGD(module.parameters(), lr=0.01)
    for _ in range(20):
        optimizer.zero_grad()
        (module(image) - target).square().mean().backward()
        optimizer.step()
    after = compute(CASE, CASE.ours, "float64")
    kernel = torch.tensor(after["after conv/kernel"]).permute(3, 2, 0, 1)
    torch.testing.assert_close(module.conv.weight.data, kernel)
    torch.testing.assert_close(
        module.norm.running_var, torch.tensor(after["after norm/moving_variance"])
    )


def test_the_settings_tell_keras_all_of_it() -> None:
    assert CASE.settings == {
        "model": "models.plain",
        "loss": "MeanSquaredError",
        "optimizer": "SGD",
        "steps": 20,
        "width": 3,
    }


def test_classes_are_the_target_of_cross_entropies() -> None:
    binary = trajectory_case("x", NETWORK, "models.plain", "BinaryCrossentropy").inputs["target"]
    assert (binary.shape, binary.kind) == ((2, 5, 6, 3), "mask")
    case = trajectory_case("x", NETWORK, "models.plain", "SparseCategoricalCrossentropy")
    target = case.arrays("float64")["target"]
    assert target.shape == (2, 5, 6, 1)
    assert set(np.floor(target).flatten()) == {0, 1, 2}


def test_a_cross_entropy_is_that_of_logits_and_no_squashing_passes_for_it() -> None:
    logits = torch.linspace(-3, 3, 12).reshape(1, 3, 2, 2)
    target = torch.tensor([[[[0.9, 1.2], [2.7, 0.0]]]])
    expected = F.cross_entropy(logits, torch.tensor([[[0, 1], [2, 0]]]))
    assert torch.allclose(of_classes(logits, target), expected)
    assert not torch.allclose(of_squashed(logits, target), expected)
    one, ones = logits[:, :1], (target >= 1).float()
    expected = F.binary_cross_entropy_with_logits(one, ones)
    assert torch.allclose(of_classes(one, ones), expected)
    assert not torch.allclose(of_squashed(one, ones), expected)


def test_momentum_is_told_to_keras_and_rounded_as_keras_rounds_it() -> None:
    case = trajectory_case("x", NETWORK, "models.plain", optimizer="SGD", momentum=0.9)
    assert (case.settings or {})["momentum"] == 0.9
    assert isinstance(case.ours, Training)
    (group,) = case.ours.optimizer([nn.Parameter(torch.zeros(1))]).param_groups
    assert group["momentum"] == float(torch.tensor(0.9)) != 0.9
    assert {"no momentum", "dampened momentum"} <= case.wrong.keys()


def test_float64_gates_everything_and_float32_the_loss_curve() -> None:
    reference = Reference(compute(CASE, CASE.ours, "float64"))
    off = dict(reference.arrays, **{"after conv/kernel": reference.arrays["after conv/kernel"] * 2})
    both = [one for one in judge(CASE, Reference(off)) if not one.variant]
    assert [(one.dtype, one.agrees, list(one.errors)) for one in both] == [
        ("float64", False, list(reference.arrays)),
        ("float32", True, ["output"]),
    ]


@pytest.mark.parametrize("name", TRAININGS)
def test_a_step_too_few_or_too_many_is_noticed(name: str) -> None:
    case = TRAININGS[name]
    assert isinstance(case.ours, Training)
    held = replace(case.ours, optimizer=lambda p: torch.optim.SGD(p, lr=0.0))
    assert not measure(case, stored.read(case), held, "float64", "nothing learned").agrees
    shorter = replace(case.ours, steps=19)
    assert not measure(case, stored.read(case), shorter, "float64", "19 steps").agrees


def test_the_adam_of_pytorch_is_noticed_where_it_is_nearest() -> None:
    case = TRAININGS["trajectory/small_mosaic_unet/adam"]
    variant = case.wrong["torch's Adam"]
    result = measure(case, stored.read(case), variant, "float64", "torch's Adam")
    assert not result.agrees
    assert result.errors["output"] > 1e3 * result.bound
