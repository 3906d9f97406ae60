"""Restoration by one network and one loss: mosaic removal, denoising, colourisation."""

from typing import Any, Literal

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from lit_restore import checkpoints
from lit_restore.losses import L1Loss
from lit_restore.metrics import PSNR
from lit_restore.tasks._common import (
    OptimizerFactory,
    SchedulerFactory,
    Shared,
    describe_task,
    image_metrics,
    keep_new_schedule,
)


class RestorationTask(LightningModule):
    """Train a network to map a degraded image to the clean one.

    Batches: ``input`` and ``target``, shape (N, 3, H, W) in unit range (the input may be smaller
    for super-resolution). Logs ``train/loss``, ``val/loss``, ``val/psnr`` (dB) and ``val/ssim``,
    the last two for ``test/`` as well, and ``test/input_psnr``, that of the input itself where it
    has the target's size, to tell what was gained. Checkpoints describe the network in plain
    values.

    Args:
        network: Maps ``input`` to a prediction of ``target``.
        loss: Called as ``loss(prediction, target)``; ``None`` for the mean absolute error.
        optimizer: Builds the optimizer from the network's parameters.
        scheduler: Builds the learning rate's schedule from the optimizer; ``None`` keeps it.
        schedule_by: Whether the schedule counts batches (``"step"``) or epochs.
        channels_last: Whether to keep maps in the order that convolutions run fastest with.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: nn.Module | None = None,
        optimizer: OptimizerFactory = torch.optim.Adam,
        scheduler: SchedulerFactory | None = None,
        schedule_by: Literal["step", "epoch"] = "step",
        channels_last: bool = True,
    ) -> None:
        super().__init__()
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.network = network.to(memory_format=self.memory_format)
        self.loss = loss or L1Loss()
        self.optimizer = Shared(optimizer)
        self.scheduler = Shared(scheduler) if scheduler else None
        self.schedule_by = schedule_by
        self.val_metrics = image_metrics("val/")
        self.test_metrics = image_metrics("test/")
        self.input_psnr = PSNR()

    def forward(self, image: Tensor) -> Tensor:
        """Restore a batch of images; the result is clipped to unit range."""
        return self._predict(image).clamp(0, 1)

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Return the loss of the unclipped prediction."""
        loss = self.loss(self._predict(batch["input"]), batch["target"])
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch["input"]))
        return loss

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Log the loss and the image metrics."""
        size = len(batch["input"])
        prediction = self._predict(batch["input"])
        loss = self.loss(prediction, batch["target"])
        self.log("val/loss", loss, batch_size=size, sync_dist=True)
        self.val_metrics.update(prediction.clamp(0, 1), batch["target"])
        self.log_dict(self.val_metrics, prog_bar=True, batch_size=size)

    def test_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Log the image metrics, and the PSNR of the input."""
        degraded, target = batch["input"], batch["target"]
        self.test_metrics.update(self(degraded), target)
        self.log_dict(self.test_metrics, batch_size=len(degraded))
        if degraded.shape == target.shape:
            self.input_psnr.update(degraded, target)
            self.log("test/input_psnr", self.input_psnr, batch_size=len(degraded))

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Return the restored images, in unit range."""
        return self(batch["input"])

    def configure_optimizers(self) -> Any:
        """Optimise every parameter of the network."""
        optimizer = self.optimizer(self.network.parameters())
        if self.scheduler is None:
            return optimizer
        schedule = {"scheduler": self.scheduler(optimizer), "interval": self.schedule_by}
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Describe the network, so that ``load_network`` needs nothing but the file."""
        checkpoint[checkpoints.KEY] = describe_task(self, network=self.network)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Follow the schedule of this run, which may be longer than the checkpoint's."""
        keep_new_schedule(checkpoint)

    def _predict(self, image: Tensor) -> Tensor:
        return self.network(image.contiguous(memory_format=self.memory_format))
