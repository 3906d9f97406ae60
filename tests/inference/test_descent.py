"""Tests of lit_restore.inference.descent."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import LBFGS, Adam

from lit_restore.inference import Descent
from lit_restore.inference.descent import evaluations, lbfgs


def bowl(image: Tensor) -> dict[str, Tensor]:
    """A badly conditioned, curved valley, with its floor at 1."""
    scales = torch.arange(1, image.numel() + 1, dtype=image.dtype).view_as(image)
    distance = image - 1
    return {"near": (scales * distance.square()).sum(), "steep": distance.pow(4).sum()}


class Counted:
    """Counts what it evaluates."""

    def __init__(self) -> None:
        self.count = 0
        self.images: list[Tensor] = []

    def __call__(self, image: Tensor) -> dict[str, Tensor]:
        self.count += 1
        self.images.append(image.detach().clone())
        return bowl(image)


@pytest.fixture
def image() -> nn.Parameter:
    generator = torch.Generator().manual_seed(0)
    return nn.Parameter(torch.rand(1, 3, 4, 5, generator=generator, dtype=torch.float64) * 9)


def steps(image: nn.Parameter, count: int, **options: Any) -> Iterator[Tensor]:
    descent, optimizer = Descent(image, bowl, **options), lbfgs([image])
    for _ in range(count):
        descent.step(optimizer)
        yield image.detach().clone()


def test_steps_of_one_iteration_are_the_iterations_of_torch(image: nn.Parameter) -> None:
    other = nn.Parameter(image.detach().clone())
    whole = LBFGS([other], max_iter=12, max_eval=1000, history_size=10,
                  tolerance_grad=0, tolerance_change=0, line_search_fn="strong_wolfe")  # fmt: skip

    def closure() -> Tensor:
        whole.zero_grad()
        value = sum(bowl(other).values(), start=torch.zeros(()))
        value.backward()  # type: ignore[no-untyped-call]
        return value

    whole.step(closure)  # type: ignore[arg-type]
    *_, last = steps(image, 12)
    torch.testing.assert_close(last, other.detach(), rtol=1e-12, atol=1e-12)


def test_no_picture_is_evaluated_twice(image: nn.Parameter) -> None:
    loss = Counted()
    descent, optimizer = Descent(image, loss), lbfgs([image])
    for _ in range(8):
        descent.step(optimizer)
        descent.evaluate()
    pairs = [(i, j) for i in range(loss.count) for j in range(i)]
    assert not any(torch.equal(loss.images[i], loss.images[j]) for i, j in pairs)
    assert loss.count == evaluations(optimizer)
    assert loss.count < 8 * 3


def test_a_step_gives_the_terms_of_before_and_evaluating_those_of_now(image: nn.Parameter) -> None:
    descent, optimizer = Descent(image, bowl), lbfgs([image])
    for _ in range(3):
        before = bowl(image.detach().clone())
        terms = descent.step(optimizer)
        assert terms == before
        assert descent.evaluate() == bowl(image.detach())
        assert torch.equal(image.grad, torch.autograd.grad(sum(bowl(image).values()), image)[0])


def test_adam_steps_as_it_does_by_itself(image: nn.Parameter) -> None:
    other = nn.Parameter(image.detach().clone())
    optimizer, plain = Adam([image], lr=0.1), Adam([other], lr=0.1)
    descent = Descent(image, bowl)
    for _ in range(5):
        descent.step(optimizer)
        plain.zero_grad()
        sum(bowl(other).values()).backward()  # type: ignore[union-attr]
        plain.step()
        torch.testing.assert_close(image, other)
    assert evaluations(optimizer) == 0


def test_a_restart_forgets_the_history_alone(image: nn.Parameter) -> None:
    loss, seen = Counted(), []
    descent, optimizer = Descent(image, loss, restart_every=7), lbfgs([image])
    for _ in range(9):
        before = loss.count
        descent.step(optimizer)
        seen.append((loss.count - before, evaluations(optimizer)))
    restarts = [index for index, (_, since) in enumerate(seen) if since == 0]
    assert restarts
    first = restarts[0]
    assert sum(count for count, _ in seen[: first + 1]) >= 7
    assert all(since < 7 for _, since in seen)
    free = torch.stack(list(steps(nn.Parameter(loss.images[0].clone()), 9)))
    bound = torch.stack(list(steps(nn.Parameter(loss.images[0].clone()), 9, restart_every=7)))
    assert torch.equal(free[: first + 1], bound[: first + 1])
    assert not torch.allclose(free[first + 1], bound[first + 1], rtol=1e-6)


def test_a_vain_search_begins_anew(image: nn.Parameter) -> None:
    """A state in which nothing moves would otherwise be one for ever."""
    descent, optimizer = Descent(image, bowl), lbfgs([image])
    for _ in range(3):
        descent.step(optimizer)
    state = optimizer.state[image]
    state["old_dirs"], state["old_stps"], state["ro"] = [], [], []
    state["H_diag"] = 1e-30
    state["d"] = torch.zeros_like(state["d"])  # so that the history is not filled again
    before = image.detach().clone()
    descent.step(optimizer)
    assert torch.equal(image, before)
    assert not optimizer.state
    descent.step(optimizer)
    assert not torch.equal(image, before)


def test_a_valley_is_found(image: nn.Parameter) -> None:
    *_, last = steps(image, 60)
    torch.testing.assert_close(last, torch.ones_like(last), atol=1e-5, rtol=0)


@pytest.mark.parametrize("wall", [float("nan"), float("inf")])
def test_a_line_search_turns_back_from_what_is_not_finite(wall: float) -> None:
    """Far from the wall at 3 the slope hardly changes, so that the first guess lies behind it."""
    image = nn.Parameter(torch.tensor([[[[-50.0, -60.0]]]], dtype=torch.float64))
    seen: list[float] = []

    def pond(x: Tensor) -> dict[str, Tensor]:
        left = (3 - x).clamp(min=1e-9)
        value = torch.where(x < 3, -x - left.log(), wall).sum()
        seen.append(value.item())
        return {"one": value}

    descent, optimizer = Descent(image, pond), lbfgs([image])
    for _ in range(40):
        descent.step(optimizer)
    torch.testing.assert_close(image.detach(), torch.full_like(image, 2.0), atol=1e-3, rtol=0)
    assert not all(map(math.isfinite, seen))


def test_a_restart_after_nothing_is_refused(image: nn.Parameter) -> None:
    with pytest.raises(ValueError, match="restart_every must be at least 1 evaluation, got 0"):
        Descent(image, bowl, restart_every=0)
