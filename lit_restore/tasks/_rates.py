"""Learning rates that differ from parameter to parameter, and clipping that follows them."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.plugins.precision import MixedPrecision, Precision
from lightning.pytorch.utilities import GradClipAlgorithmType
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

OptimizerFactory = Callable[[Iterable[nn.Parameter]], Optimizer]
SchedulerFactory = Callable[[Optimizer], LRScheduler]

_SCALE = "rate_scale"


def make_optimizer(
    make: Callable[..., Optimizer], network: nn.Module, scales: Mapping[str, float]
) -> Optimizer:
    """Build an optimizer whose rates are scaled by the names of parameters.

    Args:
        make: Gets the parameters, or if there are scales a group of them for each.
        network: Whose parameters are optimised.
        scales: Factors by the beginning of parameters' names; the others have 1.

    Raises:
        ValueError: If no parameter begins with one of the names.
    """
    if not scales:
        return make(network.parameters())
    optimizer = make(_groups(network, scales))
    _scale(optimizer, "lr")
    return optimizer


def make_scheduler(make: Callable[..., LRScheduler], optimizer: Optimizer) -> LRScheduler:
    """Build a schedule that keeps to the scales of an optimizer of ``make_optimizer``.

    Args:
        make: Gets the optimizer.
        optimizer: Whose rates follow the schedule.

    Raises:
        ValueError: If it is one that gives all parameters the same rate, whatever theirs was.
    """
    scheduler = make(optimizer)
    groups = optimizer.param_groups
    if _SCALE not in groups[0]:
        return scheduler
    if "max_lr" in groups[0]:  # as OneCycleLR keeps its rates, which are all alike
        _scale(optimizer, "lr", "initial_lr", "max_lr", "min_lr")
    pairs = [(float(group["lr"]), float(group[_SCALE])) for group in groups]
    first, scale = pairs[0]
    if not all(math.isclose(rate * scale, first * own, abs_tol=1e-30) for rate, own in pairs):
        raise ValueError(
            f"rate_scales expected a schedule that keeps the ratio of rates, got "
            f"{type(scheduler).__name__}, which sets all of them"
        )
    return scheduler


def clip_by_rate(optimizer: Optimizer, value: float) -> None:
    """Clip each gradient to plus or minus ``value`` over its rate; at a rate of 0 not at all."""
    for group in optimizer.param_groups:
        rate = float(group["lr"])
        if rate > 0:
            nn.utils.clip_grad_value_(group["params"], value / rate)


def clip_gradients(
    task: LightningModule, optimizer: Optimizer, value: float | None, algorithm: str | None
) -> None:
    """Clip as Lightning does, and in bf16 those of fused optimizers, too.

    Lightning refuses a fused optimizer in every mixed precision, since some scale the gradients;
    bf16-mixed does not.
    """
    plugin = task.trainer.precision_plugin
    if isinstance(plugin, MixedPrecision) and plugin.scaler is None:
        kind = GradClipAlgorithmType(algorithm or "norm")
        Precision.clip_gradients(plugin, optimizer, value or 0.0, kind)
    else:
        task.clip_gradients(optimizer, value, algorithm)


def check_clip(value: float | None) -> None:
    """Refuse to clip to nothing or less."""
    if value is not None and not value > 0:
        raise ValueError(f"clip_by_rate must be above 0, got {value}")


def check_clipping(trainer: Trainer) -> None:
    """Refuse what clipping by the rate cannot go together with.

    Raises:
        ValueError: If the Trainer clips, too, or gradients are scaled when they are clipped.
    """
    if trainer.gradient_clip_val:
        raise ValueError(
            "clip_by_rate expected no trainer.gradient_clip_val, got "
            f"{trainer.gradient_clip_val}: choose one of them"
        )
    if getattr(trainer.precision_plugin, "scaler", None) is None:
        return
    for optimizer in trainer.optimizers:
        if getattr(optimizer, "_step_supports_amp_scaling", False):
            raise ValueError(
                f"clip_by_rate expected an optimizer with fused false in 16-mixed, got a fused "
                f"{type(optimizer).__name__}, which gets the gradients scaled"
            )


def follow_layout(optimizers: Iterable[Optimizer]) -> None:
    """Bring resumed states into their parameters' order in memory, which fused kernels rely on.

    It is another one where a checkpoint was written with another ``channels_last``.
    """
    for optimizer in optimizers:
        for parameter, state in optimizer.state.items():
            for name, value in state.items():
                if isinstance(value, Tensor) and value.shape == parameter.shape:
                    state[name] = laid_out(value, parameter)


def laid_out(value: Tensor, like: Tensor) -> Tensor:
    """Give a tensor another's order in memory and device; itself if it has them."""
    if value.stride() == like.stride():
        return value.to(like.device)
    return torch.empty_like(like, dtype=value.dtype).copy_(value)


def _groups(network: nn.Module, scales: Mapping[str, float]) -> list[dict[str, Any]]:
    """Group a network's parameters by the factor of their learning rate."""
    groups: dict[float, list[nn.Parameter]] = {}
    unused: set[str | None] = set(scales)
    for name, parameter in network.named_parameters():
        prefix = next((one for one in scales if name.startswith(one)), None)
        unused -= {prefix}
        groups.setdefault(scales[prefix] if prefix else 1.0, []).append(parameter)
    if unused:
        raise ValueError(f"no parameter of the network begins with {sorted(map(str, unused))}")
    return [{"params": params, _SCALE: scale} for scale, params in groups.items()]


def _scale(optimizer: Optimizer, *keys: str) -> None:
    """Multiply rates by each group's scale, where the group has such a rate."""
    for group in optimizer.param_groups:
        for key in keys:
            if key in group:  # not in place: groups may share a tensor
                group[key] = group[key] * group[_SCALE]
