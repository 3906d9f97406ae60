"""What tasks share that step several optimizers by hand, as those of GANs do."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lightning.pytorch import Callback, LightningModule
from torch import Tensor
from torch.optim import Optimizer

from lit_restore.tasks._common import keep_new_schedule
from lit_restore.tasks._forensics import FiniteGuard
from lit_restore.tasks._rates import clip_gradients, follow_layout, laid_out

_PENDING = "pending_gradients"


class ManualTask(LightningModule):
    """Steps several optimizers by hand; a batch is one step of the Trainer.

    Lightning would count each optimizer's step. Here ``max_steps``, ``every_n_train_steps``,
    ``global_step`` and schedules count batches, however many optimizers step, and if gradients are
    accumulated, too. A checkpoint amid an accumulation has the gradients so far.

    Args:
        gradient_clip_val: Largest norm of each optimizer's gradients; None does not clip.
        accumulate: Batches whose mean gradient makes a step of the optimizers.

    Raises:
        ValueError: If ``accumulate`` is below 1 or ``gradient_clip_val`` is not positive; when
            training starts, if the Trainer is to clip or accumulate itself, or scales losses.
    """

    def __init__(self, gradient_clip_val: float | None = None, accumulate: int = 1) -> None:
        if accumulate < 1:
            raise ValueError(f"accumulate must be at least 1 batch, got {accumulate}")
        if gradient_clip_val is not None and not gradient_clip_val > 0:
            raise ValueError(f"gradient_clip_val must be above 0, got {gradient_clip_val}")
        super().__init__()
        self.automatic_optimization = False
        self.gradient_clip_val = gradient_clip_val
        self.accumulate = accumulate
        self.guard = FiniteGuard()
        self.resumed = False
        self._pending: dict[str, Tensor] = {}

    def configure_callbacks(self) -> Sequence[Callback]:
        """Refuse what the Trainer cannot do here, before it does so without naming a way out."""
        trainer = self.trainer
        for option, value, unset in (
            ("gradient_clip_val", trainer.gradient_clip_val, (None, 0)),
            ("accumulate_grad_batches", trainer.accumulate_grad_batches, (1,)),
        ):
            if value not in unset:
                ours = "accumulate" if option.startswith("accumulate") else option
                raise ValueError(
                    f"{type(self).__name__} steps its optimizers itself: expected no "
                    f"trainer.{option}, got {value}; give the task {ours} = {value} instead"
                )
        if getattr(trainer.precision_plugin, "scaler", None) is not None:
            raise ValueError(
                f"{type(self).__name__} expected trainer.precision 32-true or bf16-mixed, got "
                "16-mixed, whose one scale of losses cannot serve two optimizers"
            )
        return []

    def on_train_start(self) -> None:
        """Begin with the gradients of the checkpoint, or none, whatever an earlier fit met."""
        self.guard = FiniteGuard(self.guard.late)
        pending, self._pending = self._pending, {}
        for name, parameter in self.named_parameters():
            value = pending.get(name)
            parameter.grad = None if value is None else laid_out(value, parameter)
        follow_layout(self.trainer.optimizers)

    def on_validation_model_zero_grad(self) -> None:
        """Keep accumulated gradients, which Lightning would drop before a validation."""

    def descend(
        self,
        batch: Mapping[str, Any],
        terms: Mapping[str, Tensor],
        total: Tensor,
        again: Callable[[], Tensor],
        optimizers: Sequence[Optimizer],
    ) -> bool:
        """Take a step: backward, check, then step each optimizer if it is its turn.

        Args:
            batch: The batch, for the report if something is not finite.
            terms: The named loss terms, which are checked.
            total: Whose gradients are taken.
            again: Computes ``total`` anew.
            optimizers: Those that step.

        Returns:
            Whether the weights changed.

        Raises:
            NonFiniteError: If a term or a gradient is not finite.
        """
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        self.manual_backward(total / self.accumulate, inputs=trained)
        self.guard.check(self, terms, batch, again)
        due = self._is_due()
        if due:
            for optimizer in optimizers:
                self._step(optimizer)
        self._finish_batch()
        return due

    def on_train_end(self) -> None:
        """Read the last step's verdict."""
        self.guard.settle(self)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep accumulated gradients; write nothing if a step went wrong."""
        self.guard.settle(self)
        pending = {
            name: parameter.grad
            for name, parameter in self.named_parameters()
            if parameter.grad is not None
        }
        if pending:
            checkpoint[_PENDING] = pending

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Follow this run's schedule, and go on with accumulated gradients."""
        keep_new_schedule(checkpoint)
        self.resumed = True
        self._pending = checkpoint.get(_PENDING, {})

    def _is_due(self) -> bool:
        return (self.trainer.global_step + 1) % self.accumulate == 0

    def _finish_batch(self) -> None:
        self._follow_schedules()
        self._count_batch()

    def _step(self, optimizer: Optimizer) -> None:
        """Clip and step; by the strategy, where Lightning does not count."""
        if self.gradient_clip_val is not None:
            clip_gradients(self, optimizer, self.gradient_clip_val, "norm")
        self.trainer.strategy.optimizer_step(optimizer, lambda: None)
        optimizer.zero_grad()

    def _follow_schedules(self) -> None:
        with warnings.catch_warnings():  # schedules count batches, with or without a step
            warnings.filterwarnings("ignore", "Detected call of `lr_scheduler.step")
            for config in self.trainer.lr_scheduler_configs:
                config.scheduler.step()  # type: ignore[call-arg]

    def _count_batch(self) -> None:
        progress = self.trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
        progress.increment_ready()
        progress.increment_completed()
