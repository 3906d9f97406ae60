"""DCGAN: pictures out of noise."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lit_restore.losses import AdversarialLoss
from lit_restore.losses._wide import wide
from lit_restore.nn import NormMode, to_signed
from lit_restore.tasks._gan import D, G, GANTask, Turn, frozen, mixes_samples
from lit_restore.tasks._quality import Quality
from lit_restore.tasks._rates import OptimizerFactory, SchedulerFactory


class DCGANTask(GANTask):
    """Train a generator that makes pictures of noise against a discriminator.

    Batches: ``target`` (N, 3, H, W) in unit range, and ``path``; ``latent`` (N, latent_size) if the
    noise is to be given. Both networks see signed range. Logs ``train/g_adversarial``,
    ``train/d_real`` and ``train/d_fake``; with ``inception`` ``fid`` and ``kid`` for ``val/`` and
    ``test/``. What is generated in testing is the same at every validation, and made by the
    averaged generator if there is one.

    A batch is two turns: the discriminator learns of the real pictures and the fakes, then the
    generator learns of the discriminator that came of it.

    Optimisation is manual: ``trainer.gradient_clip_val`` and ``trainer.accumulate_grad_batches``
    are refused in favour of the task's own arguments, and ``trainer.max_steps``, schedules and
    everything that counts steps count batches. DDP needs the strategy
    ``ddp_find_unused_parameters_true``.

    Args:
        generator: Maps (N, latent_size) to (N, 3, H, W) in signed range; has ``latent_size``.
        discriminator: Maps pictures in signed range to logits.
        adversarial: Of the scores; None for binary cross-entropy.
        d_weight: Of each of the discriminator's two terms.
        penalty_weight: Of ``d_penalty``, which only ``"wgan-gp"`` has.
        generator_every: The generator learns at every so many-th batch: 5 with ``"wgan-gp"``.
        g_optimizer: Builds the generator's optimizer.
        d_optimizer: Builds the discriminator's optimizer.
        scheduler: Builds each optimizer's schedule; it counts batches. None keeps the rates.
        gradient_clip_val: Largest norm of each network's gradients; None does not clip.
        accumulate: Batches whose mean gradient makes a step of the networks.
        ema_decay: Of the averaged generator, 0.999 for instance; None for no average.
        norm_mode: Which statistics BatchNorm uses outside of training: ``"running"`` ones or those
            of the ``"batch"``; None leaves what the generator says.
        inception: File of torch-fidelity's Inception weights, for FID and KID; None leaves them
            out.
        channels_last: Whether to keep maps in the order that convolutions run fastest with.

    Raises:
        ValueError: If a number is out of range, or ``norm_mode`` is ``"recalibrated"``, for which
            there are no pictures to read.

    Source:
        Radford et al., "Unsupervised Representation Learning with Deep Convolutional Generative
        Adversarial Networks", ICLR 2016, https://arxiv.org/abs/1511.06434.
    """

    generator: nn.Module
    discriminator: nn.Module

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        adversarial: AdversarialLoss | None = None,
        d_weight: float = 1.0,
        penalty_weight: float = 10.0,
        generator_every: int = 1,
        g_optimizer: OptimizerFactory = torch.optim.Adam,
        d_optimizer: OptimizerFactory = torch.optim.Adam,
        scheduler: SchedulerFactory | None = None,
        gradient_clip_val: float | None = None,
        accumulate: int = 1,
        ema_decay: float | None = None,
        norm_mode: NormMode | None = None,
        inception: str | Path | None = None,
        channels_last: bool = True,
    ) -> None:
        _check(generator, generator_every, norm_mode)
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
            0,
            Quality(inception),
            {},
            channels_last,
        )
        self.generator_every = generator_every

    def forward(self, latent: Tensor) -> Tensor:
        """Make pictures in unit range of noise, shape (N, latent_size)."""
        return self.generate("generator", latent)

    def turns(self, batch: Mapping[str, Any]) -> Iterator[Turn]:
        """Yield the discriminator's terms, and those of the generator once it has stepped.

        Args:
            batch: ``target``, and ``latent`` perhaps; else noise is drawn.
        """
        real = self.laid_out(to_signed(batch["target"]))
        latent = batch.get("latent")
        if latent is None:
            latent = torch.randn(len(real), self._latent_size, device=real.device)
        fake = self.generator(latent)
        joint = not mixes_samples(self.discriminator)
        terms = self.told(self.discriminator, joint, real, fake.detach())
        yield Turn({f"d_{name}": term for name, term in terms.items()}, D)
        if not self._generator_is_due():
            return
        with frozen(self.discriminator):
            scores = wide(self.discriminator(fake))
        yield Turn({"g_adversarial": self.adversarial.generator(scores)}, G)

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Measure, if there is something to measure by."""
        self._measure(batch, batch_idx)

    def test_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Measure, if there is something to measure by."""
        self._measure(batch, batch_idx)

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Return as many pictures as the batch has, in unit range."""
        return self(self._latents(len(batch["target"]), batch_idx))

    def image_columns(self, batch: dict[str, Any]) -> tuple[Tensor, ...]:
        """Give what is worth a look: generated pictures, and no others."""
        count = len(batch["target"])
        return self(self._latents(4 * count, 0)).split(count)

    def _generator_is_due(self) -> bool:
        if self.generator_every == 1:
            return True
        step: int = self.trainer.global_step // self.accumulate
        return (step + 1) % self.generator_every == 0

    def _measure(self, batch: dict[str, Any], batch_idx: int) -> None:
        if self.quality.weights is not None:
            fake = self.predict_step(batch, batch_idx)
            self.quality.update("", batch["target"], fake)

    def _latents(self, count: int, number: int) -> Tensor:
        """Draw the noise of a batch of testing, which is always the same."""
        generator = torch.Generator().manual_seed(number)
        return torch.randn(count, self._latent_size, generator=generator).to(self.device)

    @property
    def _latent_size(self) -> int:
        size: int = self.generator.latent_size  # type: ignore[assignment]
        return size


def _check(generator: nn.Module, generator_every: int, norm_mode: str | None) -> None:
    if not hasattr(generator, "latent_size"):
        raise ValueError(
            f"expected a generator with a latent_size, got {type(generator).__name__} without"
        )
    if generator_every < 1:
        raise ValueError(f"generator_every must be at least 1 batch, got {generator_every}")
    if norm_mode == "recalibrated":
        raise ValueError(
            "norm_mode 'recalibrated' reads training pictures, and this generator reads noise: "
            "expected 'running', 'batch' or None"
        )
