"""A picture that is optimised, as a network's weights are in a training; torch only."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import LBFGS, Optimizer

Terms = Mapping[str, Tensor]

_MOST_EVALUATIONS = 21  # of a step; torch allows one by default, which no line search can do with


@dataclass(frozen=True)
class _Point:
    """A picture that was evaluated, its terms and its gradient."""

    image: Tensor
    terms: Terms
    gradient: Tensor


def lbfgs(parameters: Any, history_size: int = 10) -> Optimizer:
    """Make torch's L-BFGS for pictures: a step is one iteration with a strong-Wolfe line search.

    It stops at nothing but a gradient of 0, since the gradient of a pixel can be as small as you
    like while the picture still changes. Its state lives on from step to step.

    Args:
        parameters: The picture.
        history_size: Iterations that the curvature is estimated from; each keeps two pictures.
    """
    return LBFGS(
        parameters,
        max_iter=1,
        max_eval=_MOST_EVALUATIONS,
        tolerance_grad=0,
        tolerance_change=0,
        history_size=history_size,
        line_search_fn="strong_wolfe",
    )


class Descent:
    """Steps a picture down the sum of a loss's terms, and evaluates no picture twice.

    A line search ends at a picture that it has evaluated, where the next step begins; torch's
    optimizers evaluate it again, which would double the price of a step that is one iteration. All
    pictures of a step are remembered until it ends. An L-BFGS that did not move the picture begins
    anew, since it would repeat the same vain search for ever.

    Args:
        image: The picture; its ``grad`` is set by every evaluation.
        loss: Gives the terms of a picture, scalars.
        restart_every: Evaluations after which, at a step's end, an optimizer that has ``LBFGS``'s
            state forgets it, as ``fmin_l_bfgs_b(maxfun=20)`` in a loop does; None: never.

    Raises:
        ValueError: If ``restart_every`` is below 1.
    """

    def __init__(
        self,
        image: nn.Parameter,
        loss: Callable[[Tensor], Terms],
        restart_every: int | None = None,
    ) -> None:
        if restart_every is not None and restart_every < 1:
            raise ValueError(f"restart_every must be at least 1 evaluation, got {restart_every}")
        self.image = image
        self.loss = loss
        self.restart_every = restart_every
        self._seen: list[_Point] = []

    def evaluate(self) -> Terms:
        """Give the terms of the picture as it is, and set its gradient."""
        now = self.image.detach()
        point = next((one for one in self._seen if torch.equal(one.image, now)), None)
        if point is None:
            point = self._evaluated(now)
            self._seen.append(point)
        self.image.grad = point.gradient.clone()
        return point.terms

    def total(self) -> Tensor:
        """Sum the terms of the picture as it is, and set its gradient: a closure for optimizers.

        NaN counts as infinite: a line search turns back from infinity, but not from NaN.
        """
        return torch.nan_to_num(total(self.evaluate()), nan=math.inf, posinf=math.inf)

    def step(self, optimizer: Optimizer, by: Any = None) -> Terms:
        """Take a step.

        Args:
            optimizer: Of the picture.
            by: What steps it, as Lightning's wrapper does, which counts; None: it does so itself.

        Returns:
            The terms of the picture before the step.
        """
        terms, before = self.evaluate(), self.image.detach().clone()
        steps: Any = optimizer if by is None else by
        steps.step(self.total)
        now = self.image.detach()
        self._seen = [one for one in self._seen if torch.equal(one.image, now)]
        seen = evaluations(optimizer)
        if seen and (seen >= (self.restart_every or math.inf) or torch.equal(before, now)):
            optimizer.state.clear()
        return terms

    @torch.enable_grad()
    def _evaluated(self, now: Tensor) -> _Point:
        terms = self.loss(self.image)
        (gradient,) = torch.autograd.grad(total(terms), self.image)
        fixed = {name: term.detach() for name, term in terms.items()}
        return _Point(now.clone(), fixed, gradient.contiguous())  # as torch's L-BFGS wants it


def total(terms: Terms) -> Tensor:
    """Sum terms, scalars; what is descended, here and in trainings."""
    return torch.stack(list(terms.values())).sum()


def evaluations(optimizer: Optimizer) -> int:
    """Count the pictures that L-BFGS has seen since its state began; 0 for other optimizers.

    Torch counts that of each step's beginning once more, where the step before has ended.
    """
    states = [state for state in optimizer.state.values() if "func_evals" in state]
    return sum(int(state["func_evals"]) - int(state["n_iter"]) + 1 for state in states)
