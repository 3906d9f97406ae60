"""Tests of lit_restore.losses.pixel."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lit_restore.losses import (
    CharbonnierLoss,
    L1Loss,
    L2Loss,
    charbonnier_loss,
    l1_loss,
    l2_loss,
)

Loss = Callable[[Tensor, Tensor], Tensor]
NAIVE: list[tuple[Loss, nn.Module, Callable[[np.ndarray], np.ndarray]]] = [
    (l1_loss, L1Loss(), np.abs),
    (l2_loss, L2Loss(), np.square),
    (charbonnier_loss, CharbonnierLoss(), lambda x: np.sqrt(x * x + 1e-6)),
]
EACH = pytest.mark.parametrize(("function", "module", "naive"), NAIVE, ids=["l1", "l2", "charb"])


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    prediction, target = torch.rand(2, 3, 2, 4, 5, generator=generator, dtype=torch.float64)
    return prediction, target


@EACH
def test_the_function_gives_one_value_a_picture_and_the_module_their_mean(
    function: Loss, module: nn.Module, naive: Callable, pair: tuple[Tensor, Tensor]
) -> None:
    per_picture = function(*pair).numpy()

    expected = [naive((p - t).numpy()).mean() for p, t in zip(*pair, strict=True)]
    np.testing.assert_allclose(per_picture, expected, rtol=1e-12)
    np.testing.assert_allclose(module(*pair).item(), np.mean(expected), rtol=1e-12)


@EACH
def test_the_gradient_is_that_of_finite_differences(
    function: Loss, module: nn.Module, naive: Callable, pair: tuple[Tensor, Tensor]
) -> None:
    prediction, target = (one.clone().requires_grad_() for one in pair)
    assert torch.autograd.gradcheck(module, (prediction, target))


@EACH
def test_equal_pictures_have_the_least_loss_and_a_finite_gradient(
    function: Loss, module: nn.Module, naive: Callable, pair: tuple[Tensor, Tensor]
) -> None:
    prediction = pair[0].clone().requires_grad_()
    loss = module(prediction, pair[0])
    loss.backward()
    assert loss.item() == pytest.approx(1e-3 if isinstance(module, CharbonnierLoss) else 0)
    assert prediction.grad.eq(0).all()


@EACH
def test_a_target_that_would_be_broadcast_is_refused(
    function: Loss, module: nn.Module, naive: Callable
) -> None:
    message = r"must have the same shape, got \(2, 3, 4, 4\) and \(2, 1, 4, 4\)"
    with pytest.raises(ValueError, match=message):
        module(torch.rand(2, 3, 4, 4), torch.rand(2, 1, 4, 4))


def test_epsilon_bends_the_charbonnier_loss() -> None:
    zero = torch.zeros(1, 1, 2, 2)
    assert CharbonnierLoss(epsilon=0.5)(zero, zero).item() == pytest.approx(0.5)
    assert CharbonnierLoss(epsilon=3)(zero + 4, zero).item() == pytest.approx(5)
