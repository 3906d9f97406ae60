"""SRGAN: super-resolution by a generator, a discriminator and a perceptual loss."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lit_restore import checkpoints
from lit_restore.losses import AdversarialLoss, L2Loss
from lit_restore.nn import to_signed, to_unit
from lit_restore.tasks._adversarial import ManualTask
from lit_restore.tasks._average import AveragedNetwork
from lit_restore.tasks._begin import begin_with
from lit_restore.tasks._common import (
    Shared,
    check_scale,
    describe_task,
    image_metrics,
    measured_by,
)
from lit_restore.tasks._rates import OptimizerFactory, SchedulerFactory


class SuperResolutionGANTask(ManualTask):
    """Train a generator that enlarges pictures against a discriminator that knows real ones.

    Batches: ``input`` (N, 3, h, w) and ``target`` (N, 3, h * scale, w * scale) in unit range, and
    ``path``. Logs ``train/g_perceptual``, ``train/g_adversarial``, ``train/g_pixel``,
    ``train/d_real`` and ``train/d_fake``, and ``psnr`` (dB) and ``ssim`` for ``val/`` and
    ``test/``. Validation, test, prediction and ``load_network`` of a checkpoint use the averaged
    generator if there is one.

    The discriminator sees each fake once: the generator's gradient and its own come from that pass,
    and both networks step after one backward pass, as in the notes.

    Optimisation is manual: ``trainer.gradient_clip_val`` and ``trainer.accumulate_grad_batches``
    are refused in favour of the task's own arguments, and ``trainer.max_steps``, schedules and
    everything that counts steps count batches. Under DDP ``pretrain_steps`` need the strategy
    ``ddp_find_unused_parameters_true``.

    Args:
        generator: Maps ``input`` to an enlarged picture; one with ``value_range`` ``"signed"`` is
            turned to unit range.
        discriminator: Maps pictures in signed range to logits.
        perceptual: Called as ``perceptual(fake, target)``; None for no such term.
        adversarial: Costs the logits; None for binary cross-entropy. ``"wgan-gp"`` is refused,
            since the task adds no gradient penalty.
        pixel: Called as ``pixel(fake, target)``; None for the mean squared error.
        adversarial_weight: Of ``g_adversarial``.
        pixel_weight: Of ``g_pixel``; 0 leaves it out, but for the pre-training.
        g_optimizer: Builds the generator's optimizer.
        d_optimizer: Builds the discriminator's optimizer.
        scheduler: Builds each optimizer's schedule; it counts batches. None keeps the rates.
        generator_weights: A file of ours with weights to begin with, or the name of shipped ones,
            of another scale perhaps.
        pretrain_steps: Batches at first in which the generator learns by ``pixel`` alone.
        ranges: ``"converted"``: losses see both pictures in unit range, and the discriminator in
            signed range. ``"mixed"``: all of them see what the generator made as it is beside the
            target in unit range, whatever the generator's range; the notes compare a tanh so.
        gradient_clip_val: Largest norm of each network's gradients; None does not clip.
        accumulate: Batches whose mean gradient makes a step of the networks.
        ema_decay: Of the averaged generator, 0.999 for instance; None for no average.
        channels_last: Whether to keep maps in the order that convolutions run fastest with.
        protocol: Name of the protocol that ``psnr`` and ``ssim`` are measured by, ``"y"`` or
            ``"rgb"``; its scale is the generator's. None compares whole pictures as they are.

    Raises:
        ValueError: If ``ranges`` or ``protocol`` is unknown, the generator reads luma, the
            adversarial loss needs a gradient penalty, or a number is out of range.

    Source:
        Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial
        Network", CVPR 2017, https://arxiv.org/abs/1609.04802, sections 2 and 3.2; the study notes.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        perceptual: nn.Module | None = None,
        adversarial: AdversarialLoss | None = None,
        pixel: nn.Module | None = None,
        adversarial_weight: float = 1e-3,
        pixel_weight: float = 0.0,
        g_optimizer: OptimizerFactory = torch.optim.Adam,
        d_optimizer: OptimizerFactory = torch.optim.Adam,
        scheduler: SchedulerFactory | None = None,
        generator_weights: str | Path | None = None,
        pretrain_steps: int = 0,
        ranges: Literal["converted", "mixed"] = "converted",
        gradient_clip_val: float | None = None,
        accumulate: int = 1,
        ema_decay: float | None = None,
        channels_last: bool = True,
        protocol: str | None = None,
    ) -> None:
        _check(generator, ranges, pretrain_steps)
        super().__init__(gradient_clip_val, accumulate)
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.generator = generator.to(memory_format=self.memory_format)
        self.discriminator = discriminator.to(memory_format=self.memory_format)
        self.perceptual = perceptual
        self.adversarial = _without_penalty(adversarial or AdversarialLoss("bce"))
        self.pixel = pixel or L2Loss()
        self.adversarial_weight = adversarial_weight
        self.pixel_weight = pixel_weight
        self.g_optimizer = Shared(g_optimizer)
        self.d_optimizer = Shared(d_optimizer)
        self.scheduler = Shared(scheduler) if scheduler else None
        self.generator_weights = generator_weights
        self.pretrain_steps = pretrain_steps
        self.ranges = ranges
        self._signed = getattr(generator, "value_range", "unit") == "signed"
        self.average = None if ema_decay is None else AveragedNetwork(self.generator, ema_decay)
        measured = measured_by(protocol, generator)
        self.val_metrics = image_metrics("val/", **measured)
        self.test_metrics = image_metrics("test/", **measured)

    def setup(self, stage: str) -> None:
        """Refuse data of another scale than the generator's."""
        check_scale(self.generator, getattr(self.trainer, "datamodule", None))

    def on_fit_start(self) -> None:
        """Begin with the given weights, unless a checkpoint is resumed."""
        if self.generator_weights is None or self.resumed:
            return
        begin_with(self.generator, self.generator_weights, "generator_weights")
        if self.average is not None:
            self.average.restart(self.generator)

    def forward(self, image: Tensor) -> Tensor:
        """Enlarge a batch of pictures; the result is clipped to unit range."""
        return self._enlarge(self.average or self.generator, image).clamp(0, 1)

    def losses(self, batch: dict[str, Any]) -> tuple[dict[str, Tensor], Tensor]:
        """Compute both networks' loss terms from one pass of each.

        Args:
            batch: ``input`` and ``target``.

        Returns:
            The terms, weighted, scalars; and a scalar whose gradient is that of the ``g_`` terms
            for the generator and that of the ``d_`` terms for the discriminator. Its own value
            means nothing.
        """
        fake = self._enlarge(self.generator, batch["input"])
        target = batch["target"].contiguous(memory_format=self.memory_format)
        terms = self._picture_terms(fake, target)
        real = self._judge(target)
        seen = fake.detach().requires_grad_()  # the discriminator's gradient ends here
        scores = self._judge(seen)
        adversarial = self.adversarial_weight * self.adversarial.generator(scores)
        verdicts = {
            "d_real": self.adversarial(real, True),
            "d_fake": self.adversarial(scores, False),
        }
        (push,) = torch.autograd.grad(adversarial, seen, retain_graph=True)
        total = _sum(terms.values()) + _sum(verdicts.values()) + (fake * push).sum()
        return terms | {"g_adversarial": adversarial.detach()} | verdicts, total

    def pretraining_losses(self, batch: dict[str, Any]) -> tuple[dict[str, Tensor], Tensor]:
        """Compute the term that the generator is pre-trained by, and the same as the total."""
        fake = self._enlarge(self.generator, batch["input"])
        term = self.pixel(fake, batch["target"])
        return {"g_pixel": term}, term

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Step both networks, or the generator alone while it is pre-trained."""
        step = self.trainer.global_step
        pretraining = step < self.pretrain_steps
        losses = self.pretraining_losses if pretraining else self.losses
        terms, total = losses(batch)
        optimizers = self.trainer.optimizers[:1] if pretraining else self.trainer.optimizers
        changed = self.descend(batch, terms, total, lambda: losses(batch)[1], optimizers)
        if changed and self.average is not None:
            self.average.update(self.generator, (step + 1) // self.accumulate)
        logged = {f"train/{name}": term.detach() for name, term in terms.items()}
        self.log_dict(logged, prog_bar=True, batch_size=len(batch["input"]))

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Log the image metrics."""
        self.val_metrics.update(self(batch["input"]), batch["target"])
        self.log_dict(self.val_metrics, prog_bar=True, batch_size=len(batch["input"]))

    def test_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Log the image metrics."""
        self.test_metrics.update(self(batch["input"]), batch["target"])
        self.log_dict(self.test_metrics, batch_size=len(batch["input"]))

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Return the enlarged pictures, in unit range."""
        return self(batch["input"])

    def configure_optimizers(self) -> Any:
        """Make an optimizer for each network, the generator's first."""
        optimizers: list[Optimizer] = [
            self.g_optimizer(self.generator.parameters()),
            self.d_optimizer(self.discriminator.parameters()),
        ]
        if self.scheduler is None:
            return optimizers
        return optimizers, [self.scheduler(optimizer) for optimizer in optimizers]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Describe the generator, and say where its averaged weights lie."""
        super().on_save_checkpoint(checkpoint)
        described = describe_task(self, generator=self.generator)
        if "generator" in described["networks"]:
            if self.average is not None:
                described["networks"]["generator"]["weights"] = "average.network"
            if self.ranges == "mixed":  # it was trained to give unit range, whatever it can
                described["networks"]["generator"]["value_range"] = "unit"
        checkpoint[checkpoints.KEY] = described

    def _picture_terms(self, fake: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Compare what was generated with the target."""
        terms = {}
        if self.perceptual is not None:
            terms["g_perceptual"] = self.perceptual(fake, target)
        if self.pixel_weight:
            terms["g_pixel"] = self.pixel_weight * self.pixel(fake, target)
        return terms

    def _enlarge(self, network: nn.Module, image: Tensor) -> Tensor:
        """Generate; in unit range, unless the ranges are mixed."""
        result = network(image.contiguous(memory_format=self.memory_format))
        result = result.to(torch.promote_types(result.dtype, torch.float32))
        return to_unit(result) if self._signed and self.ranges == "converted" else result

    def _judge(self, image: Tensor) -> Tensor:
        return self.discriminator(to_signed(image) if self.ranges == "converted" else image)


def _sum(terms: Iterable[Tensor]) -> Tensor:
    """Sum scalars; 0 of none, of whatever device."""
    return sum(terms, start=torch.zeros(()))


def _without_penalty(loss: AdversarialLoss) -> AdversarialLoss:
    if loss.kind == "wgan-gp":
        raise ValueError(
            "adversarial must be 'bce', 'lsgan' or 'hinge', got 'wgan-gp': this task adds no "
            "gradient penalty"
        )
    return loss


def _check(generator: nn.Module, ranges: str, pretrain_steps: int) -> None:
    if ranges not in ("converted", "mixed"):
        raise ValueError(f"ranges must be 'converted' or 'mixed', got {ranges!r}")
    if pretrain_steps < 0:
        raise ValueError(f"pretrain_steps must be at least 0, got {pretrain_steps}")
    channels = getattr(generator, "in_channels", 3)
    if channels != 3:
        raise ValueError(f"the generator must read RGB, 3 channels, got one of {channels}")
