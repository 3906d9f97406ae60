"""pix2pix: pictures translated to others, of which pairs are known."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lit_restore import checkpoints
from lit_restore.losses import AdversarialLoss
from lit_restore.losses._wide import wide
from lit_restore.nn import NormMode, to_signed
from lit_restore.tasks._common import image_metrics
from lit_restore.tasks._gan import D, G, GANTask, Turn, distance, frozen, mixes_samples
from lit_restore.tasks._quality import Quality
from lit_restore.tasks._rates import OptimizerFactory, SchedulerFactory


class Pix2PixTask(GANTask):
    """Train a generator against a discriminator that sees what was translated, too.

    Batches: ``input`` and ``target`` (N, 3, H, W) in unit range, and ``path``; both networks see
    signed range. Logs ``train/g_adversarial``, ``train/g_l1``, ``train/g_pixel``,
    ``train/d_real`` and ``train/d_fake``, and ``psnr`` (dB) and ``ssim`` for ``val/`` and
    ``test/``; with ``inception`` ``fid`` and ``kid``, too. Validation, test, prediction and
    ``load_network`` of a checkpoint use the averaged generator if there is one.

    A batch is two turns: the discriminator learns of the real picture and the fake, then the
    generator learns of the discriminator that came of it. The fake is generated once.

    Optimisation is manual: ``trainer.gradient_clip_val`` and ``trainer.accumulate_grad_batches``
    are refused in favour of the task's own arguments, and ``trainer.max_steps``, schedules and
    everything that counts steps count batches. DDP needs the strategy
    ``ddp_find_unused_parameters_true``.

    Args:
        generator: Maps signed range to signed range.
        discriminator: Called as ``discriminator(image, condition)``, or as
            ``discriminator(image)`` unless ``conditional``; gives logits.
        adversarial: Of the scores; None for binary cross-entropy.
        l1_weight: Of ``g_l1``, the mean absolute difference in signed range; 0 leaves it out.
        pixel: Called as ``pixel(fake, target)`` in signed range; None for no such term. L1 wants
            the median, which of rare lines is none: ``L2Loss`` keeps them.
        pixel_weight: Of ``g_pixel``.
        adversarial_weight: Of ``g_adversarial``; 0 leaves the discriminator out altogether.
        d_weight: Of each of the discriminator's two terms; the paper halves them.
        penalty_weight: Of ``d_penalty``, which only ``"wgan-gp"`` has.
        conditional: Whether the discriminator sees the input beside the picture that it judges.
        g_optimizer: Builds the generator's optimizer.
        d_optimizer: Builds the discriminator's optimizer.
        scheduler: Builds each optimizer's schedule; it counts batches. None keeps the rates.
        gradient_clip_val: Largest norm of each network's gradients; None does not clip.
        accumulate: Batches whose mean gradient makes a step of the networks.
        ema_decay: Of the averaged generator, 0.999 for instance; None for no average.
        norm_mode: Which statistics BatchNorm uses outside of training: ``"running"`` ones,
            ``"batch"``, those of the pictures at hand, as the paper tests, or ``"recalibrated"``
            ones, which are estimated anew over training pictures before every validation and
            checkpoint. The checkpoint remembers it. None leaves what the generator says.
        calibration_batches: Training batches that ``"recalibrated"`` reads.
        inception: File of torch-fidelity's Inception weights, for FID and KID; None leaves them
            out.
        direction: What the checkpoint says that was learned, ``"ab"`` or ``"ba"``; None asks the
            DataModule.
        channels_last: Whether to keep maps in the order that convolutions run fastest with.

    Raises:
        ValueError: If a number is out of range, or a ``norm_mode`` is given to a generator without
            BatchNorm.

    Source:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
        2017, https://arxiv.org/abs/1611.07004, section 3; the study notes.
    """

    generator: nn.Module
    discriminator: nn.Module

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        adversarial: AdversarialLoss | None = None,
        l1_weight: float = 100.0,
        pixel: nn.Module | None = None,
        pixel_weight: float = 1.0,
        adversarial_weight: float = 1.0,
        d_weight: float = 0.5,
        penalty_weight: float = 10.0,
        conditional: bool = True,
        g_optimizer: OptimizerFactory = torch.optim.Adam,
        d_optimizer: OptimizerFactory = torch.optim.Adam,
        scheduler: SchedulerFactory | None = None,
        gradient_clip_val: float | None = None,
        accumulate: int = 1,
        ema_decay: float | None = None,
        norm_mode: NormMode | None = None,
        calibration_batches: int = 16,
        inception: str | Path | None = None,
        direction: str | None = None,
        channels_last: bool = True,
    ) -> None:
        super().__init__(
            {"generator": generator},
            {"discriminator": discriminator},
            adversarial or AdversarialLoss("bce"),
            d_weight,
            penalty_weight,
            g_optimizer,
            d_optimizer,
            scheduler,
            gradient_clip_val,
            accumulate,
            ema_decay,
            norm_mode,
            calibration_batches,
            Quality(inception),
            {"generator": "input"},
            channels_last,
        )
        self.l1_weight = l1_weight
        self.pixel = pixel
        self.pixel_weight = pixel_weight
        self.adversarial_weight = adversarial_weight
        self.conditional = conditional
        self.direction = direction
        self.val_metrics = image_metrics("val/")
        self.test_metrics = image_metrics("test/")

    def forward(self, image: Tensor) -> Tensor:
        """Translate a batch in unit range; the result is clipped to unit range."""
        return self.generate("generator", to_signed(image))

    def turns(self, batch: Mapping[str, Any]) -> Iterator[Turn]:
        """Yield the discriminator's terms, and those of the generator once it has stepped.

        Args:
            batch: ``input`` and ``target``.
        """
        source, target = (self.laid_out(to_signed(batch[key])) for key in ("input", "target"))
        fake = self.generator(source)
        terms = self._picture_terms(fake, target)
        if self.adversarial_weight:
            yield Turn(self._discriminator_terms(source, target, fake.detach()), D)
            with frozen(self.discriminator):
                scores = wide(self._judge(fake, source))
            wins = self.adversarial.generator(scores)
            terms = {"g_adversarial": self.adversarial_weight * wins} | terms
        yield Turn(terms, G)

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Log the image metrics."""
        self._measure(batch, self.val_metrics)

    def test_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Log the image metrics."""
        self._measure(batch, self.test_metrics)

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Return the translated pictures, in unit range."""
        return self(batch["input"])

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse to go on, or to test, in the other direction."""
        networks = checkpoint.get(checkpoints.KEY, {}).get("networks", {})
        learned, own = networks.get("generator", {}).get("direction"), self._direction()
        if None not in (learned, own) and learned != own:
            raise ValueError(f"the checkpoint learned direction {learned}, got data of {own}")
        super().on_load_checkpoint(checkpoint)

    def describe_role(self, role: str) -> dict[str, Any]:
        """Say which direction was learned."""
        return {"direction": self._direction()}

    def _direction(self) -> Any:
        data = getattr(self.trainer, "datamodule", None)
        return self.direction or getattr(data, "direction", None)

    def _measure(self, batch: dict[str, Any], metrics: Any) -> None:
        prediction = self(batch["input"])
        metrics.update(prediction, batch["target"])
        self.quality.update("", batch["target"], prediction)
        self.log_dict(metrics, prog_bar=True, batch_size=len(prediction))

    def _picture_terms(self, fake: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Compare what was generated with the target."""
        terms = {}
        if self.l1_weight:
            terms["g_l1"] = self.l1_weight * distance(fake, target)
        if self.pixel is not None:
            terms["g_pixel"] = self.pixel_weight * self.pixel(wide(fake), wide(target))
        return terms

    def _discriminator_terms(
        self, source: Tensor, target: Tensor, fake: Tensor
    ) -> dict[str, Tensor]:
        sources = torch.cat([source, source])

        def judge(image: Tensor) -> Tensor:
            return self._judge(image, sources[: len(image)])

        terms = self.told(judge, not mixes_samples(self.discriminator), target, fake)
        return {f"d_{name}": term for name, term in terms.items()}

    def _judge(self, image: Tensor, source: Tensor) -> Tensor:
        conditions = (source,) if self.conditional else ()
        scores: Tensor = self.discriminator(image, *conditions)
        return scores
