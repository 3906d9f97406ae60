"""Stop a training when it meets NaN or infinity, and say where that came from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

Again = Callable[[], Tensor]


class NonFiniteError(RuntimeError):
    """A loss term or a gradient is NaN or infinite; says which, in which layer, on which files."""


@dataclass
class _Step:
    """What is known of a step whose verdict was not read yet."""

    number: int
    names: list[str]
    values: Tensor
    finite: Tensor
    batch: Mapping[str, Any]
    again: Again
    event: torch.cuda.Event | None


class FiniteGuard:
    """Checks every step before its weights change, and every checkpoint before it is written.

    On CUDA the verdict is read a step late, when the next step is queued already, so that the
    device never waits; copies of the weights are kept for that long, to look for the cause in what
    the network was. Everywhere else it is read at once, which costs nothing there.

    Args:
        late: Whether to read verdicts a step late; None: on CUDA alone.
    """

    def __init__(self, late: bool | None = None) -> None:
        self.late = late
        self._step: _Step | None = None
        self._kept: list[Tensor] = []
        self._failure: NonFiniteError | None = None

    def check(
        self,
        task: LightningModule,
        terms: Mapping[str, Tensor],
        batch: Mapping[str, Any],
        again: Again,
    ) -> None:
        """Check a step: after its backward pass, before its weights change.

        Args:
            task: Whose modules are searched, and whose parameters have the gradients.
            terms: The loss terms by name, scalars.
            batch: With the files as ``"path"``.
            again: Computes the sum of the terms anew, to be watched while it does.

        Raises:
            NonFiniteError: If this step, or the one before if verdicts are late, is not finite.
        """
        self.settle(task)
        late = task.device.type == "cuda" if self.late is None else self.late
        self._step = _judged(task, terms, batch, again)
        if not late:
            self.settle(task)
        elif self._kept:
            for kept, parameter in zip(self._kept, task.parameters(), strict=True):
                kept.copy_(parameter.detach())
        else:
            self._kept = [parameter.detach().clone() for parameter in task.parameters()]

    def settle(self, task: LightningModule) -> None:
        """Read the verdict that is still open; to be called before a checkpoint is written.

        Raises:
            NonFiniteError: If that step was not finite, or a step before.
        """
        step, self._step = self._step, None
        if step is not None:
            if step.event is not None:
                step.event.synchronize()
            if not bool(step.finite):
                self._restore(task)
                self._failure = NonFiniteError(_report(task, step))
        if self._failure is not None:
            raise self._failure

    def _restore(self, task: LightningModule) -> None:
        with torch.no_grad():
            for kept, parameter in zip(self._kept, task.parameters(), strict=False):
                parameter.copy_(kept)


def find_culprit(task: nn.Module, batch: Mapping[str, Any], again: Again) -> str:
    """Compute a step anew, and name the first thing in it that is not finite.

    Args:
        task: Whose modules are watched.
        batch: What the step reads.
        again: Computes the sum of the step's loss terms.

    Returns:
        Words: an input, weights, the output of a module by its path, or a gradient.
    """
    for name, value in batch.items():
        if isinstance(value, Tensor) and not _is_finite(value):
            return f"the batch's {name}"
    for name, parameter in task.named_parameters():
        if not _is_finite(parameter):
            return f"the weights {name}, before this step"
    return _watch(task, again) or "nothing when the step was computed anew"


def _watch(task: nn.Module, again: Again) -> str | None:
    """Name the first output of a module that is not finite, or else the first gradient."""
    found: list[str] = []
    hooks = [
        module.register_forward_hook(partial(_see, found, f"{name} ({type(module).__name__})"))
        for name, module in task.named_modules()
        if name
    ]
    try:
        total = again()
    finally:
        for hook in hooks:
            hook.remove()
    named = [(name, one) for name, one in task.named_parameters() if one.requires_grad]
    gradients = torch.autograd.grad(total, [one for _, one in named], allow_unused=True)
    for (name, _), gradient in reversed(list(zip(named, gradients, strict=True))):
        if gradient is not None and not _is_finite(gradient):
            found.append(f"the gradient of {name}")
    return found[0] if found else None


def _see(found: list[str], label: str, _module: nn.Module, _inputs: Any, output: Any) -> None:
    """Note a module's output if it is not finite, and its gradient as soon as there is one.

    Of a layer that gives features and their mask the features are looked at.
    """
    output = output[0] if isinstance(output, tuple) else output
    if not isinstance(output, Tensor):
        return
    if not _is_finite(output):
        found.append(f"the output of {label}")

    def see_gradient(gradient: Tensor) -> None:
        if not _is_finite(gradient):
            found.append(f"the gradient of the output of {label}")

    if output.requires_grad:
        output.register_hook(see_gradient)  # type: ignore[no-untyped-call]


def _judged(
    task: LightningModule, terms: Mapping[str, Tensor], batch: Mapping[str, Any], again: Again
) -> _Step:
    """Judge terms and gradients on their device; the verdict is on its way to the host.

    The gradients of scaled losses (16-mixed) overflow now and then, which their scaler deals with.
    """
    values = torch.stack([term.detach().float() for term in terms.values()])
    finite = values.isfinite().all()
    if getattr(task.trainer.precision_plugin, "scaler", None) is None:
        gradients = [one.grad for one in task.parameters() if one.grad is not None]
        finite = finite & torch.nn.utils.get_total_norm(gradients).isfinite()
    event = None
    if finite.is_cuda:
        finite = finite.to("cpu", non_blocking=True)
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
    number = task.trainer.global_step + 1
    return _Step(number, list(terms), values, finite, batch, again, event)


def _report(task: LightningModule, step: _Step) -> str:
    pairs = zip(step.names, step.values.tolist(), strict=True)
    bad = [
        f"{name} is {value}"
        for (name, value), fine in zip(pairs, step.values.isfinite().tolist(), strict=True)
        if not fine
    ]
    what = ", ".join(bad) or "the loss terms are finite, but their gradients are not"
    with torch.enable_grad():
        culprit = find_culprit(task, step.batch, step.again)
    files = ", ".join(map(str, step.batch.get("path", ()))) or "unknown"
    return (
        f"training stopped at step {step.number}: {what}; first not finite: {culprit}; files of "
        f"the batch: {files}. The checkpoints of before are as they were"
    )


def _is_finite(value: Tensor) -> bool:
    return bool(value.detach().isfinite().all())
