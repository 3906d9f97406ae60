"""An optimizer and a schedule that PyTorch lacks."""

import math
from collections.abc import Callable, Iterable
from typing import Any, overload

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.adam import adam
from torch.optim.lr_scheduler import LRScheduler


class KerasAdam(Optimizer):
    """Adam whose epsilon stands beside the second moment before its bias is corrected.

    A step is ``alpha * m / (sqrt(v) + eps)`` with ``alpha = lr * sqrt(1 - b2**t) / (1 - b1**t)``.
    ``torch.optim.Adam`` adds its epsilon to the corrected root, so no epsilon of it does the same
    at more than one step: at gradients of 1e-6 the two are 40 % apart. As in Keras, the powers are
    of betas rounded to float32, and a parameter without a gradient misses its step while ``t``
    goes on. The state of a parameter is called what it is in ``torch.optim.Adam`` (``exp_avg``,
    ``exp_avg_sq``); ``t`` lies in the group as ``iterations``.

    Args:
        params: Parameters, or groups of them, as for every optimizer of PyTorch.
        lr: Step size, in units of the parameters.
        betas: How much of the first and second moments stays at each step, 0 .. 1.
        eps: What is added to the root of the second moment, in units of the gradients.
        fused: Whether one kernel does the whole step, 3 times as fast on a CPU; False where the
            device has none.

    Raises:
        ValueError: If ``lr`` or ``eps`` is negative, or a beta is outside 0 <= beta < 1, or
            rounds to 1 in float32.

    Source:
        ``keras.optimizers.Adam``; Kingma and Ba, "Adam", ICLR 2015,
        https://arxiv.org/abs/1412.6980, the end of section 2.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-7,
        fused: bool = True,
    ) -> None:
        if lr < 0 or eps < 0:
            raise ValueError(f"lr and eps must not be negative, got {lr} and {eps}")
        if not all(beta >= 0 and _as_float32(beta) < 1 for beta in betas):
            raise ValueError(f"betas must be at least 0 and below 1, got {betas}")
        defaults = {"lr": lr, "betas": betas, "eps": eps, "fused": fused, "iterations": 0}
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a state, as ``load_state_dict`` and unpickling do.

        Raises:
            ValueError: If it is the state of another optimizer, such as ``torch.optim.Adam``.
        """
        if not all("iterations" in group for group in state["param_groups"]):
            raise ValueError("expected the state of a KerasAdam, got one without iterations")
        super().__setstate__(state)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Change every parameter that has a gradient.

        Args:
            closure: Computes the loss and the gradients anew.

        Returns:
            The closure's loss, if there is a closure.

        Raises:
            RuntimeError: If a gradient is sparse.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            group["iterations"] += 1
            parameters = [one for one in group["params"] if one.grad is not None]
            if parameters:
                self._update(group, parameters)
        return loss

    def _update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        if any(parameter.grad.is_sparse for parameter in parameters if parameter.grad is not None):
            raise RuntimeError("KerasAdam expects dense gradients, got a sparse one")
        states = [self._state(parameter) for parameter in parameters]
        adam(
            parameters,
            [_laid_out(parameter.grad, parameter) for parameter in parameters],  # type: ignore[arg-type]
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            _forever(parameters, group["fused"]),
            foreach=not group["fused"],
            fused=group["fused"],
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=_step_size(float(group["lr"]), group["betas"], group["iterations"]),
            weight_decay=0.0,
            eps=group["eps"],
            maximize=False,
        )

    def _state(self, parameter: Tensor) -> dict[str, Tensor]:
        state = self.state[parameter]
        if not state:
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        for name in ("exp_avg", "exp_avg_sq"):  # a loaded one may lie otherwise
            state[name] = _laid_out(state[name], parameter)
        return state


class ConstantThenLinear(LRScheduler):
    """Keeps the rate for a part of the training, then lowers it linearly to 0.

    Args:
        optimizer: Whose rates follow.
        total_steps: After how many steps the rate is 0; from the command line this follows
            ``trainer.max_steps``.
        constant: Part of the steps that keep the rate, 0 .. 1; the papers' half.
        last_epoch: As of every schedule of PyTorch.

    Raises:
        ValueError: If ``total_steps`` is below 1, or ``constant`` outside of 0 .. 1.

    Source:
        Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
        Networks", ICCV 2017, https://arxiv.org/abs/1703.10593, section 4.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_steps: int,
        constant: float = 0.5,
        last_epoch: int = -1,
    ) -> None:
        if total_steps < 1:
            raise ValueError(f"total_steps must be at least 1, got {total_steps}")
        if not 0 <= constant <= 1:
            raise ValueError(f"constant must be a part of the steps, 0 .. 1, got {constant}")
        self.total_steps = total_steps
        self.constant = constant
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float | Tensor]:
        """Compute the rates of the step that comes, from the first ones alone."""
        begin = self.constant * self.total_steps
        falling = max(self.total_steps - begin, 1e-9)
        factor = min(max((self.total_steps - self.last_epoch) / falling, 0.0), 1.0)
        return [factor * rate for rate in self.base_lrs]


def _laid_out(value: Tensor, parameter: Tensor) -> Tensor:
    """Give a tensor its parameter's order in memory, which the fused kernel takes for granted."""
    if value.stride() == parameter.stride():
        return value
    return torch.empty_like(parameter).copy_(value)


def _forever(parameters: list[Tensor], on_device: bool) -> list[Tensor]:
    """Say that infinitely many steps were done: then PyTorch's own correction does nothing."""
    devices = {parameter.device for parameter in parameters} if on_device else set()
    steps = {device: torch.tensor(math.inf, device=device) for device in devices}
    on_cpu = torch.tensor(math.inf)
    return [steps.get(parameter.device, on_cpu) for parameter in parameters]


def _step_size(lr: float, betas: tuple[float, float], iterations: int) -> float:
    """Correct the step size for moments that began at 0."""
    first, second = (1 - _as_float32(beta) ** iterations for beta in betas)
    return lr * math.sqrt(second) / first


def _as_float32(value: float) -> float:
    return float(torch.tensor(value, dtype=torch.float32))
