"""Restoration by one network and one loss: mosaic removal, denoising, super-resolution."""

from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lit_restore.inference.luma import brightness_of, resized, restore_luma, trimmed, with_margin
from lit_restore.losses import L1Loss
from lit_restore.metrics import PSNR
from lit_restore.nn import to_unit
from lit_restore.tasks import _common, _rates
from lit_restore.tasks._common import image_metrics
from lit_restore.tasks._rates import OptimizerFactory, SchedulerFactory
from lit_restore.tasks._supervised import SupervisedTask


class RestorationTask(SupervisedTask):
    """Train a network to map a degraded image to the clean one.

    Batches: ``input`` and ``target``, shape (N, 3, H, W) in unit range (the input may be smaller
    for super-resolution). Logs ``train/loss``, ``val/loss``, ``val/psnr`` (dB) and ``val/ssim``,
    the last two for ``test/`` as well, and ``test/input_psnr``, that of the input itself where it
    has the target's size, to tell what was gained. A network with ``in_channels`` 1 is trained and
    measured on the brightness of both: luma in studio range if it is for super-resolution, else
    grey in full range; one with a ``margin`` on what it leaves of the target. What one of
    ``value_range`` ``"signed"`` makes is turned to unit range. A loss or gradient that is not
    finite stops the run with a ``NonFiniteError``. Checkpoints describe the network in plain
    values.

    Args:
        network: Maps ``input`` to a prediction of ``target``.
        loss: Called as ``loss(prediction, target)``; ``None`` for the mean absolute error.
        optimizer: Builds the optimizer from the network's parameters.
        scheduler: Builds the learning rate's schedule from the optimizer; ``None`` keeps it.
        schedule_by: Whether the schedule counts batches (``"step"``) or epochs.
        channels_last: Whether to keep maps in the order that convolutions run fastest with.
        rate_scales: Factors of the learning rate by the beginning of parameters' names: 0.1 for
            ``enlarge`` is FSRCNN's smaller rate of its transposed convolution.
        clip_by_rate: Clips each gradient to plus or minus this value over the learning rate, so
            that a step is bounded while the rate falls: VDSR's adjustable clipping. None: no clip.
        protocol: Name of the protocol that ``psnr`` and ``ssim`` are measured by, ``"y"`` or
            ``"rgb"``; its scale is the network's. None compares whole pictures as they are.
        initial_weights: A file of ours with weights to begin with, or the name of shipped ones, of
            another scale perhaps; a run that is resumed does not read it.

    Raises:
        ValueError: If there is no such protocol, or it is one for files (``"paper"``,
            ``"notes"``), or ``clip_by_rate`` is not above 0; when a run starts, if the data have
            another scale than the network, or the Trainer clips, too.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: nn.Module | None = None,
        optimizer: OptimizerFactory = torch.optim.Adam,
        scheduler: SchedulerFactory | None = None,
        schedule_by: Literal["step", "epoch"] = "step",
        channels_last: bool = True,
        rate_scales: dict[str, float] | None = None,
        clip_by_rate: float | None = None,
        protocol: str | None = None,
        initial_weights: str | Path | None = None,
    ) -> None:
        _rates.check_clip(clip_by_rate)
        super().__init__(network, optimizer, scheduler, schedule_by, channels_last, initial_weights)
        self.loss = loss or L1Loss()
        self.rate_scales = rate_scales or {}
        self.clip_by_rate = clip_by_rate
        self._brightness = brightness_of(network)
        self._margin = getattr(network, "margin", 0)
        self._signed = getattr(network, "value_range", "unit") == "signed"
        measured = _common.measured_by(protocol, network)
        self.val_metrics = image_metrics("val/", **measured)
        self.test_metrics = image_metrics("test/", **measured)
        self.input_psnr = PSNR(**measured)

    def setup(self, stage: str) -> None:
        """Refuse data of another scale than the network's."""
        _common.check_scale(self.network, getattr(self.trainer, "datamodule", None))

    def on_train_start(self) -> None:
        """Refuse to clip in two ways."""
        if self.clip_by_rate is not None:
            _rates.check_clipping(self.trainer)
        super().on_train_start()

    def forward(self, image: Tensor) -> Tensor:
        """Restore a batch of images; the result is clipped to unit range.

        What a network makes of the luma goes together with the image's own colours, and what it
        leaves out at the border stays as it was.
        """
        if self._brightness:
            return restore_luma(self.network, image).clamp(0, 1)
        around = resized(image, getattr(self.network, "scale", 1)) if self._margin else image
        return with_margin(self._predict(image), around, self._margin).clamp(0, 1)

    def terms(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Compute the loss of the unclipped prediction."""
        return {"loss": self.loss(*self._pair(batch))}

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Log the loss and the image metrics."""
        size = len(batch["input"])
        prediction, target = self._pair(batch)
        loss = self.loss(prediction, target)
        self.log("val/loss", loss, batch_size=size, sync_dist=True)
        self.val_metrics.update(prediction.clamp(0, 1), target)
        self.log_dict(self.val_metrics, prog_bar=True, batch_size=size)

    def test_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Log the image metrics, and the PSNR of the input."""
        prediction, target = self._pair(batch)
        degraded = trimmed(self._seen(batch["input"]), target, self._margin)
        self.test_metrics.update(prediction.clamp(0, 1), target)
        self.log_dict(self.test_metrics, batch_size=len(degraded))
        if degraded.shape == target.shape:
            self.input_psnr.update(degraded, target)
            self.log("test/input_psnr", self.input_psnr, batch_size=len(degraded))

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Return the restored images, in unit range."""
        return self(batch["input"])

    def configure_optimizers(self) -> Any:
        """Optimise every parameter of the network."""
        optimizer = _rates.make_optimizer(self.optimizer, self.network, self.rate_scales)
        return self.with_schedule(optimizer)

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip by the learning rate if asked to, else as the Trainer says."""
        if self.clip_by_rate is not None:
            _rates.clip_by_rate(optimizer, self.clip_by_rate)
        else:
            super().configure_gradient_clipping(
                optimizer, gradient_clip_val, gradient_clip_algorithm
            )

    def _pair(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """Predict, and give what to compare the prediction with."""
        prediction = self._predict(batch["input"])
        return prediction, trimmed(self._seen(batch["target"]), prediction, self._margin)

    def _predict(self, image: Tensor) -> Tensor:
        seen = self._seen(image).contiguous(memory_format=self.memory_format)
        prediction = self.network(seen)
        return to_unit(prediction) if self._signed else prediction

    def _seen(self, image: Tensor) -> Tensor:
        """Give a network of one channel the brightness."""
        return self._brightness.of(image) if self._brightness else image
