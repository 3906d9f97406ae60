"""Tests of lit_restore.losses.probability."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lit_restore.losses import ProbabilityBCELoss, probability_bce_loss


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    prediction, target = torch.rand(2, 3, 2, 4, 5, generator=generator, dtype=torch.float64)
    return prediction * 0.9 + 0.05, target.round()


def test_it_is_the_cross_entropy_of_each_picture(pair: tuple[Tensor, Tensor]) -> None:
    each = F.binary_cross_entropy(*pair, reduction="none").mean(dim=(1, 2, 3))
    torch.testing.assert_close(probability_bce_loss(*pair), each)
    torch.testing.assert_close(ProbabilityBCELoss()(*pair), each.mean())


@pytest.mark.parametrize("epsilon", [1e-7, 1e-3])
def test_certain_errors_cost_the_logarithm_of_epsilon_and_have_no_gradient(epsilon: float) -> None:
    prediction = torch.tensor([[[[0.0, 1.0, 0.5]]]], dtype=torch.float64, requires_grad=True)
    loss = ProbabilityBCELoss(epsilon)(prediction, 1 - prediction.detach())
    loss.backward()
    assert loss.item() == pytest.approx((-2 * math.log(epsilon) - math.log(0.5)) / 3, rel=1e-8)
    assert prediction.grad.flatten().tolist() == pytest.approx([0, 0, 0], abs=1e-12)


def test_the_gradient_is_that_of_finite_differences(pair: tuple[Tensor, Tensor]) -> None:
    prediction = pair[0].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: probability_bce_loss(x, pair[1]), prediction)


def test_a_target_that_would_be_broadcast_is_refused() -> None:
    with pytest.raises(ValueError, match=r"got \(2, 3, 4, 4\) and \(2, 1, 4, 4\)"):
        probability_bce_loss(torch.rand(2, 3, 4, 4), torch.rand(2, 1, 4, 4))
