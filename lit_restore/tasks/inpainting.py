"""Inpainting: a network that fills holes, trained in two phases."""

from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import MultiStepLR
from torchmetrics import MetricCollection

from lit_restore.inference.descent import total
from lit_restore.losses import InpaintingLoss
from lit_restore.metrics import HolePSNR
from lit_restore.nn.masks import RATIO_BINS, composite
from lit_restore.tasks import _common
from lit_restore.tasks._rates import OptimizerFactory, SchedulerFactory
from lit_restore.tasks._supervised import SupervisedTask


class InpaintingTask(SupervisedTask):
    """Train a network to fill the holes of pictures.

    Batches: ``input`` and ``target``, shape (N, 3, H, W) in unit range, and ``mask``, shape
    (N, 1, H, W), 1 where valid. Logs ``train/loss`` and each term as ``train/<term>``; for ``val/``
    and ``test/`` ``loss``, ``psnr`` (dB) and ``ssim`` of the whole picture, ``hole_psnr`` of the
    hole alone, and both of the pictures of each class of hole ratios, in percent:
    ``hole_psnr_<low>-<high>``, ``psnr_<low>-<high>`` (NaN if there are none). What is measured is
    the composite: the input where it is valid, the network's prediction in the hole. A loss or
    gradient that is not finite stops the run with a ``NonFiniteError``. Checkpoints describe the
    network in plain values.

    A second phase begins at step ``finetune_from``: the encoder's normalisation stays as it is (its
    statistics are those of maps with holes, which differ from batch to batch), and the learning
    rate is lower.

    Args:
        network: Called as ``network(input, mask)``. For a second phase it needs a method
            ``freeze_encoder_norm``, as ``PartialConvUNet`` has it.
        loss: Called as ``loss(prediction, target, mask)``, gives named terms that are already
            weighted; None for the pixel terms of ``InpaintingLoss``, which need no VGG.
        optimizer: Builds the optimizer from the network's parameters.
        scheduler: Builds the learning rate's schedule from the optimizer; None keeps it in each
            phase.
        schedule_by: Whether the schedule counts batches (``"step"``) or epochs.
        finetune_from: Steps before the second phase; None for none.
        finetune_scale: Factor of the learning rate in the second phase, unless there is a
            ``scheduler``: a quarter in the paper, 2e-4 and then 5e-5.
        channels_last: Whether to keep maps in the order that convolutions run fastest with.
        initial_weights: A file of ours with weights to begin with, or the name of shipped ones; a
            run that is resumed does not read it.

    Raises:
        ValueError: If ``finetune_from`` is negative, or the network has no ``freeze_encoder_norm``
            for it; when a run starts, if the network does not take the data's size.

    Source:
        Liu et al., "Image Inpainting for Irregular Holes Using Partial Convolutions", ECCV 2018,
        https://arxiv.org/abs/1804.07723, sections 3.3 and 4.2.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: nn.Module | None = None,
        optimizer: OptimizerFactory = torch.optim.Adam,
        scheduler: SchedulerFactory | None = None,
        schedule_by: Literal["step", "epoch"] = "step",
        finetune_from: int | None = None,
        finetune_scale: float = 0.25,
        channels_last: bool = True,
        initial_weights: str | Path | None = None,
    ) -> None:
        _check_phases(network, finetune_from)
        super().__init__(network, optimizer, scheduler, schedule_by, channels_last, initial_weights)
        self.loss = loss or InpaintingLoss(perceptual=0, style_prediction=0, style_composite=0)
        self.finetune_from = finetune_from
        self.finetune_scale = finetune_scale
        self._frozen: list[nn.Parameter] = []
        self.val_metrics, self.val_holes = _metrics("val/")
        self.test_metrics, self.test_holes = _metrics("test/")

    def setup(self, stage: str) -> None:
        """Refuse samples whose size the network does not take."""
        size = getattr(getattr(self.trainer, "datamodule", None), "size", None)
        multiple = getattr(self.network, "multiple_of", 1)
        if size is not None and size % multiple:
            raise ValueError(
                f"data.size must be a multiple of {multiple} for this "
                f"{type(self.network).__name__}, got {size}"
            )

    def on_train_batch_start(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Enter the phase that this step belongs to."""
        if self.finetune_from is None:
            return
        network: Any = self.network
        frozen = self.trainer.global_step >= self.finetune_from
        if frozen == network.encoder_norm_frozen:
            return
        parameters = network.freeze_encoder_norm(frozen)
        for parameter in parameters:
            parameter.requires_grad_()  # DDP waits for the gradients of all that it began with
        self._frozen = parameters if frozen else []

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Leave what is frozen out of the step."""
        for parameter in self._frozen:
            parameter.grad = None

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Fill the holes of a batch of images; valid pixels stay, and the rest is clipped.

        Args:
            image: Shape (N, 3, H, W) in unit range.
            mask: Shape (N, 1, H, W); 1 where valid.

        Returns:
            Shape (N, 3, H, W) in unit range.
        """
        return composite(self._predict(image, mask).to(image.dtype).clamp(0, 1), image, mask)

    def terms(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Compute the loss's terms of the unclipped prediction."""
        prediction = self._predict(batch["input"], batch["mask"])
        return self.loss(prediction, batch["target"], batch["mask"])

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Log the loss and the metrics."""
        self._measure(batch, "val/", self.val_metrics, self.val_holes)

    def test_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Log the loss and the metrics."""
        self._measure(batch, "test/", self.test_metrics, self.test_holes)

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Return the filled images, in unit range."""
        return self(batch["input"], batch["mask"])

    def with_schedule(self, optimizer: Optimizer) -> Any:
        """Follow the schedule, or lower the rate for the second phase."""
        if self.scheduler is not None or self.finetune_from is None:
            return super().with_schedule(optimizer)
        scheduler = MultiStepLR(optimizer, [self.finetune_from], self.finetune_scale)
        timed = {"scheduler": scheduler, "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": timed}

    def _predict(self, image: Tensor, mask: Tensor) -> Tensor:
        return self.network(image.contiguous(memory_format=self.memory_format), mask)

    def _measure(
        self, batch: dict[str, Any], prefix: str, whole: MetricCollection, holes: MetricCollection
    ) -> None:
        source, target, mask = batch["input"], batch["target"], batch["mask"]
        prediction = self._predict(source, mask)
        loss = total(self.loss(prediction, target, mask))
        self.log(f"{prefix}loss", loss, batch_size=len(source), sync_dist=True)
        filled = composite(prediction.to(source.dtype).clamp(0, 1), source, mask)
        whole.update(filled, target)
        holes.update(filled, target, mask)
        self.log_dict(whole, batch_size=len(source))
        self.log_dict(holes, batch_size=len(source))


def _metrics(prefix: str) -> tuple[MetricCollection, MetricCollection]:
    holes = {"hole_psnr": HolePSNR()}
    for index, (low, high) in enumerate(RATIO_BINS):
        name = f"{round(100 * low):02d}-{round(100 * high):02d}"
        holes[f"hole_psnr_{name}"] = HolePSNR(index)
        holes[f"psnr_{name}"] = HolePSNR(index, "picture")
    # No groups: what the classes have in common at first, they do not have later.
    return _common.image_metrics(prefix), MetricCollection(
        dict(holes), prefix=prefix, compute_groups=False
    )


def _check_phases(network: nn.Module, finetune_from: int | None) -> None:
    if finetune_from is None:
        return
    if finetune_from < 0:
        raise ValueError(f"finetune_from must be 0 steps or more, got {finetune_from}")
    if not hasattr(network, "freeze_encoder_norm"):
        raise ValueError(
            "finetune_from asks for a network with freeze_encoder_norm, as PartialConvUNet, got "
            f"{type(network).__name__}"
        )
