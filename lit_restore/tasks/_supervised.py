"""What tasks share that train one network by one loss."""

from pathlib import Path
from typing import Any, Literal

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer

from lit_restore import checkpoints
from lit_restore.inference.descent import total
from lit_restore.tasks import _common, _rates
from lit_restore.tasks._begin import begin_with
from lit_restore.tasks._forensics import FiniteGuard
from lit_restore.tasks._rates import OptimizerFactory, SchedulerFactory


class SupervisedTask(LightningModule):
    """Trains one network by the terms that a subclass computes of a batch, in ``terms``.

    Logs their sum as ``train/loss``, and each of several as ``train/<term>``. What is not finite
    stops the run; checkpoints describe the network; a resumed run follows its own schedule.

    Args:
        network: What is trained.
        optimizer: Builds the optimizer from the network's parameters.
        scheduler: Builds the learning rate's schedule from the optimizer; None keeps it.
        schedule_by: Whether the schedule counts batches (``"step"``) or epochs.
        channels_last: Whether to keep maps in the order that convolutions run fastest with.
        initial_weights: A file of ours with weights to begin with, or the name of shipped ones; a
            run that is resumed does not read it.
    """

    def __init__(
        self,
        network: nn.Module,
        optimizer: OptimizerFactory,
        scheduler: SchedulerFactory | None,
        schedule_by: Literal["step", "epoch"],
        channels_last: bool,
        initial_weights: str | Path | None,
    ) -> None:
        super().__init__()
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.network = network.to(memory_format=self.memory_format)
        self.optimizer = _common.Shared(optimizer)
        self.scheduler = _common.Shared(scheduler) if scheduler else None
        self.schedule_by = schedule_by
        self.initial_weights = initial_weights
        self.resumed = False
        self.guard = FiniteGuard()
        self._step: tuple[dict[str, Any], dict[str, Tensor]] = {}, {}

    def terms(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Compute the named terms of a batch, scalars; what is descended is their sum."""
        raise NotImplementedError

    def on_fit_start(self) -> None:
        """Begin with the given weights, unless a checkpoint is resumed."""
        if self.initial_weights is not None and not self.resumed:
            begin_with(self.network, self.initial_weights, "initial_weights")

    def on_train_start(self) -> None:
        """Begin anew, whatever an earlier fit met."""
        self.guard = FiniteGuard(self.guard.late)
        _rates.follow_layout(self.trainer.optimizers)

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Return the sum of the terms."""
        terms = self.terms(batch)
        self._step = batch, {name: term.detach() for name, term in terms.items()}
        size, loss = len(batch["input"]), total(terms)
        if len(terms) > 1:
            self.log_dict({f"train/{name}": term for name, term in terms.items()}, batch_size=size)
        self.log("train/loss", loss, prog_bar=True, batch_size=size)
        return loss

    def on_after_backward(self) -> None:
        """Stop at what is not finite, and say where it came from.

        Raises:
            NonFiniteError: If a term or a gradient is NaN or infinite.
        """
        batch, terms = self._step
        self.guard.check(self, terms, batch, lambda: total(self.terms(batch)))

    def configure_optimizers(self) -> Any:
        """Optimise every parameter of the network."""
        optimizer = _rates.make_optimizer(self.optimizer, self.network, {})
        return self.with_schedule(optimizer)

    def with_schedule(self, optimizer: Optimizer) -> Any:
        """Join an optimizer with the schedule, as Lightning wants it."""
        if self.scheduler is None:
            return optimizer
        scheduler = _rates.make_scheduler(self.scheduler, optimizer)
        timed = {"scheduler": scheduler, "interval": self.schedule_by}
        return {"optimizer": optimizer, "lr_scheduler": timed}

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip as the Trainer says."""
        _rates.clip_gradients(self, optimizer, gradient_clip_val, gradient_clip_algorithm)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Describe the network, so that ``load_network`` needs nothing but the file."""
        self.guard.settle(self)
        checkpoint[checkpoints.KEY] = _common.describe_task(self, network=self.network)

    def on_train_end(self) -> None:
        """Read the last step's verdict."""
        self.guard.settle(self)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Follow the schedule of this run, which may be longer than the checkpoint's."""
        self.resumed = True
        _common.keep_new_schedule(checkpoint)
