"""Optimizers: how far 60 steps move a parameter, whose scale does not enter."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from lit_restore.optim import KerasAdam
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors

_STEPS = 60
_LATER = 0.1
_SHAPE = (3, 5)

Make = Callable[[list[nn.Parameter]], Optimizer]
Retune = Callable[[Optimizer, float], None]


def set_rate(optimizer: Optimizer, factor: float) -> None:
    """Multiply the learning rate."""
    for group in optimizer.param_groups:
        group["lr"] *= factor


def set_rate_and_rescale(optimizer: Optimizer, factor: float) -> None:
    """Multiply the learning rate, and let the velocity be what it was."""
    set_rate(optimizer, factor)
    for state in optimizer.state.values():
        state["momentum_buffer"] /= factor


def displacement(t: Tensors, make: Make, later: float = 1.0, retune: Retune = set_rate) -> Tensors:
    """Where the parameter is after half of the gradients, and after all, from its start."""
    start = t["start"]
    parameter = nn.Parameter(start.clone())
    optimizer = make([parameter])
    places: list[Tensor] = []
    for step, gradient in enumerate(t["gradients"]):
        if step == _STEPS // 2:
            retune(optimizer, later)
        parameter.grad = gradient
        optimizer.step()
        places.append(parameter.detach() - start)
    return {"middle": places[_STEPS // 2 - 1], "output": places[-1]}


class DoubleBetas(KerasAdam):
    """KerasAdam with the powers of betas that are not rounded to float32."""

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Change the parameters, at a rate that makes up for the rounding."""
        group = self.param_groups[0]
        lr = group["lr"]
        group["lr"] *= self._ratio(group["iterations"] + 1)
        super().step()
        group["lr"] = lr

    def _ratio(self, step: int) -> float:
        ratio = 1.0
        for beta, power in zip(self.param_groups[0]["betas"], (-1.0, 0.5), strict=True):
            rounded = float(torch.tensor(beta))
            ratio *= ((1 - beta**step) / (1 - rounded**step)) ** power
        return ratio


def _draws(scale: float) -> dict[str, Draw]:
    return {
        "start": Draw(_SHAPE, -1e-4, 1e-4, kind="constant"),
        "gradients": Draw((_STEPS, *_SHAPE), -scale, scale, kind="constant"),
    }


def _adam_case(name: str, scale: float, beta: float = 0.9, later: float = 1.0) -> Case:
    betas = (beta, 0.999)

    def moved(make: Callable[..., Optimizer], eps: float = 1e-7, first: float = beta) -> Ours:
        build = partial(make, betas=(first, 0.999), eps=eps)
        return partial(displacement, make=build, later=later)

    wrong: dict[str, Ours] = {
        "torch's Adam, Keras's epsilon": moved(Adam),
        "torch's Adam": moved(Adam, eps=1e-8),
    }
    if beta != 0.9:
        wrong["the usual betas"] = moved(KerasAdam, first=0.9)
    if later != 1.0:
        wrong["the rate unchanged"] = partial(displacement, make=partial(KerasAdam, betas=betas))
    return Case(
        name=f"optimizer/adam/{name}",
        inputs=_draws(scale),
        ours=moved(KerasAdam),
        reference="optimizers.adam",
        settings={"beta": beta, "later": later},
        wrong=wrong,
        terms=_STEPS,
        depth=2,
    )


def _sgd_case(name: str, momentum: float, nesterov: bool = False, later: float = 1.0) -> Case:
    def moved(share: float, nesterov: bool, retune: Retune = set_rate) -> Ours:
        make = partial(SGD, lr=0.01, momentum=share, nesterov=nesterov)
        return partial(displacement, make=make, later=later, retune=retune)

    folded = bool(momentum) and later != 1.0
    retune = set_rate_and_rescale if folded else set_rate
    wrong = {"another momentum": moved(0.5, False)}
    if momentum:
        wrong["the other kind of momentum"] = moved(momentum, not nesterov)
    if folded:
        wrong["torch's velocity"] = moved(momentum, nesterov)
    rounded = float(torch.tensor(momentum))  # as Keras does in float64, too
    return Case(
        name=f"optimizer/sgd/{name}",
        inputs=_draws(1.0),
        ours=moved(rounded, nesterov, retune),
        reference="optimizers.sgd",
        settings={"momentum": momentum, "nesterov": nesterov, "later": later},
        wrong=wrong,
        terms=_STEPS,
        depth=2,
        accepted="Keras multiplies gradients by the rate before they enter the velocity, PyTorch "
        "the velocity: after a change of the rate, torch.optim.SGD agrees if its momentum_buffer "
        "is divided by the same factor"
        if folded
        else "",
    )


CASES = (
    *(_adam_case(f"gradients_{scale:.0e}", scale) for scale in (1.0, 1e-2, 1e-4, 1e-6, 1e-8)),
    _adam_case("beta_0.5", 1e-4, beta=0.5),
    _adam_case("rate_changed", 1e-2, later=_LATER),
    Case(
        name="optimizer/adam/betas_of_float32",
        inputs=_draws(1.0),
        ours=partial(displacement, make=KerasAdam),
        reference="optimizers.adam",
        settings={"beta": 0.9, "later": 1.0},
        wrong={"betas not rounded": partial(displacement, make=DoubleBetas)},
        terms=_STEPS,
        depth=2,
        gates32=("output",),
    ),
    _sgd_case("plain", 0.0),
    _sgd_case("plain_rate_changed", 0.0, later=_LATER),
    _sgd_case("momentum", 0.9),
    _sgd_case("nesterov", 0.9, nesterov=True),
    _sgd_case("momentum_rate_changed", 0.9, later=_LATER),
)
