"""CycleGAN: translation between two kinds of pictures of which no pairs are known."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from lit_restore.losses import AdversarialLoss
from lit_restore.losses._wide import wide
from lit_restore.nn import ImagePool, NormMode, to_signed
from lit_restore.tasks._gan import (
    D,
    G,
    GANTask,
    Turn,
    apply_to_each,
    distance,
    frozen,
    mixes_samples,
)
from lit_restore.tasks._pools import gather_pools, spread_pools
from lit_restore.tasks._quality import Quality
from lit_restore.tasks._rates import OptimizerFactory, SchedulerFactory

_POOLS = "image_pools"


class CycleGANTask(GANTask):
    """Train two generators, each against a discriminator, to undo one another.

    Batches: ``a`` and ``b`` (N, 3, H, W) in unit range, and ``path``; all networks see signed
    range. Logs the terms under ``train/``: ``g_adversarial_a`` (of fakes of kind a),
    ``g_adversarial_b``, ``g_cycle_a``, ``g_cycle_b``, ``g_identity_a``, ``g_identity_b``,
    ``d_a_real``, ``d_a_fake``, ``d_b_real`` and ``d_b_fake``; for ``val/`` and ``test/``
    ``cycle_a`` and ``cycle_b``, the mean absolute differences in unit range that the way there and
    back leaves; with ``inception`` ``fid_a``, ``kid_a`` and so on. Validation, test, prediction and
    checkpoints use the averaged generators if there are any.

    A batch is two turns: both discriminators learn of real pictures and fakes out of their pools,
    then both generators learn of the discriminators that came of it. A generator makes its fake and
    its identity in one batch, and a discriminator sees real and fake in one, unless a BatchNorm in
    it would mix them.

    Optimisation is manual: ``trainer.gradient_clip_val`` and ``trainer.accumulate_grad_batches``
    are refused in favour of the task's own arguments, and ``trainer.max_steps``, schedules and
    everything that counts steps count batches. DDP needs the strategy
    ``ddp_find_unused_parameters_true``.

    Args:
        g_ab: Makes pictures of kind b of those of kind a, both in signed range.
        g_ba: The other way round.
        d_a: Tells real pictures of kind a from fakes; gives logits.
        d_b: The same of kind b.
        adversarial: Of the scores; None for least squares.
        adversarial_weight: Of ``g_adversarial_a`` and ``g_adversarial_b``.
        cycle_weight: Of ``g_cycle_a`` and ``g_cycle_b``, mean absolute differences in signed range.
        identity_weight: Of ``g_identity_a`` and ``g_identity_b``; the paper's, half of the cycle's.
            0 leaves them out.
        d_weight: Of each of a discriminator's two terms; the paper halves them. The notes' steps
            ``"apart"`` weigh 1 each.
        penalty_weight: Of the discriminators' penalties, which only ``"wgan-gp"`` has.
        discriminator_update: ``"together"``: a step of what real and fake cost. ``"apart"``: a step
            of the real one, then a step of the fake, as the notes' two ``train_on_batch`` do.
        pool_size: Fakes that each discriminator's pool keeps; 0 shows it the newest.
        g_optimizer: Builds the optimizer of both generators.
        d_optimizer: Builds the optimizer of both discriminators.
        scheduler: Builds each optimizer's schedule; it counts batches. None keeps the rates.
        gradient_clip_val: Largest norm of each optimizer's gradients; None does not clip.
        accumulate: Batches whose mean gradient makes a step of the networks.
        ema_decay: Of the averaged generators, 0.999 for instance; None for no average.
        norm_mode: Which statistics BatchNorm uses outside of training, as in ``Pix2PixTask``.
        calibration_batches: Training batches that ``"recalibrated"`` reads.
        inception: File of torch-fidelity's Inception weights, for FID and KID; None leaves them
            out.
        direction: What ``predict`` makes: ``"ab"`` or ``"ba"``.
        channels_last: Whether to keep maps in the order that convolutions run fastest with.

    Raises:
        ValueError: If a choice is unknown, a number is out of range, ``"apart"`` is asked for
            together with ``"wgan-gp"``, or a ``norm_mode`` is given to generators without
            BatchNorm.

    Source:
        Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
        Networks", ICCV 2017, https://arxiv.org/abs/1703.10593, sections 3 and 4, 5.2 for the
        identity; the study notes.
    """

    g_ab: nn.Module
    g_ba: nn.Module
    d_a: nn.Module
    d_b: nn.Module

    def __init__(
        self,
        g_ab: nn.Module,
        g_ba: nn.Module,
        d_a: nn.Module,
        d_b: nn.Module,
        adversarial: AdversarialLoss | None = None,
        adversarial_weight: float = 1.0,
        cycle_weight: float = 10.0,
        identity_weight: float = 5.0,
        d_weight: float = 0.5,
        penalty_weight: float = 10.0,
        discriminator_update: Literal["together", "apart"] = "together",
        pool_size: int = 50,
        g_optimizer: OptimizerFactory = torch.optim.Adam,
        d_optimizer: OptimizerFactory = torch.optim.Adam,
        scheduler: SchedulerFactory | None = None,
        gradient_clip_val: float | None = None,
        accumulate: int = 1,
        ema_decay: float | None = None,
        norm_mode: NormMode | None = None,
        calibration_batches: int = 16,
        inception: str | Path | None = None,
        direction: Literal["ab", "ba"] = "ab",
        channels_last: bool = True,
    ) -> None:
        adversarial = adversarial or AdversarialLoss("lsgan")
        _check(adversarial, discriminator_update, direction)
        super().__init__(
            {"g_ab": g_ab, "g_ba": g_ba},
            {"d_a": d_a, "d_b": d_b},
            adversarial,
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
            Quality(inception, ("a", "b")),
            {"g_ab": "a", "g_ba": "b"},
            channels_last,
        )
        self.adversarial_weight = adversarial_weight
        self.cycle_weight = cycle_weight
        self.identity_weight = identity_weight
        self.discriminator_update = discriminator_update
        self.pool_a = ImagePool(pool_size, seed=0)
        self.pool_b = ImagePool(pool_size, seed=1)
        self.direction = direction
        self._kept_pools: list[Any] | None = None

    def forward(self, image: Tensor, direction: Literal["ab", "ba"] | None = None) -> Tensor:
        """Translate a batch in unit range; the result is clipped to unit range.

        Args:
            image: Shape (N, 3, H, W).
            direction: Which way; None for the task's own.
        """
        return self.generate(f"g_{direction or self.direction}", to_signed(image))

    def turns(self, batch: Mapping[str, Any]) -> Iterator[Turn]:
        """Yield the discriminators' terms, and the generators' once those have stepped.

        Args:
            batch: ``a`` and ``b``.
        """
        a, b = (self.laid_out(to_signed(batch[side])) for side in ("a", "b"))
        fake_b, same_b = self._generate(self.g_ab, a, b)
        fake_a, same_a = self._generate(self.g_ba, b, a)
        yield from self._discriminator_turns(a, b, self.pool_a(fake_a), self.pool_b(fake_b))
        with frozen(self.d_a, self.d_b):
            scores_a, scores_b = wide(self.d_a(fake_a)), wide(self.d_b(fake_b))
        terms = {
            "g_adversarial_a": self.adversarial_weight * self.adversarial.generator(scores_a),
            "g_adversarial_b": self.adversarial_weight * self.adversarial.generator(scores_b),
            "g_cycle_a": self.cycle_weight * distance(self.g_ba(fake_b), a),
            "g_cycle_b": self.cycle_weight * distance(self.g_ab(fake_a), b),
        }
        if same_a is not None and same_b is not None:
            terms["g_identity_a"] = self.identity_weight * distance(same_a, a)
            terms["g_identity_b"] = self.identity_weight * distance(same_b, b)
        yield Turn(terms, G)

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Log what the way there and back leaves."""
        self._measure(batch, "val/")

    def test_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Log what the way there and back leaves."""
        self._measure(batch, "test/")

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Return the pictures translated in the task's direction, in unit range.

        The batch's ``path`` becomes that of the pictures that were translated.

        Raises:
            ValueError: If the batch has no pictures of that kind.
        """
        side = self.direction[0]
        if side not in batch:
            raise ValueError(f"direction {self.direction} translates pictures of kind {side}: none")
        batch["path"] = batch.get(f"path_{side}", batch["path"])
        return self(batch[side])

    def image_columns(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
        """Give what is worth a look: pictures, translated, and back; kind a first, then kind b."""
        columns = [torch.cat(both) for both in zip(*self._round(batch), strict=True)]
        return columns[0], columns[1], columns[2]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Describe both generators, and keep every process's pools."""
        super().on_save_checkpoint(checkpoint)
        checkpoint[_POOLS] = gather_pools(self.trainer, self.pool_a, self.pool_b)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with this process's pools."""
        super().on_load_checkpoint(checkpoint)
        self._kept_pools = checkpoint.get(_POOLS)

    def on_train_start(self) -> None:
        """Fill the pools with what they had."""
        super().on_train_start()
        kept, self._kept_pools = self._kept_pools, None
        spread_pools(self.trainer, kept, self.pool_a, self.pool_b)

    def describe_role(self, role: str) -> dict[str, Any]:
        """Say which way a generator goes."""
        return {"direction": role.removeprefix("g_")}

    def _discriminator_turns(
        self, a: Tensor, b: Tensor, fake_a: Tensor, fake_b: Tensor
    ) -> Iterator[Turn]:
        sides = (("a", self.d_a, a, fake_a), ("b", self.d_b, b, fake_b))
        if self.discriminator_update == "together":
            terms = {
                f"d_{name}_{term}": cost
                for name, judge, real, fake in sides
                for term, cost in self.told(judge, not mixes_samples(judge), real, fake).items()
            }
            yield Turn(terms, D)
            return
        for which, truth in (("real", True), ("fake", False)):
            terms = {
                f"d_{name}_{which}": self.d_weight
                * self.adversarial(wide(judge(real if truth else fake)), truth)
                for name, judge, real, fake in sides
            }
            yield Turn(terms, D)

    def _generate(self, network: nn.Module, image: Tensor, own: Tensor) -> list[Any]:
        """Translate; and what is of the right kind already, unless that has no weight."""
        if not self.identity_weight:
            return [network(image), None]
        joint = not mixes_samples(network)
        return apply_to_each(network, joint, image, own)

    def _round(self, batch: Mapping[str, Any]) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Go there and back from both sides, in unit range."""
        rounds = []
        for side, there, back in (("a", "ab", "ba"), ("b", "ba", "ab")):
            fake = self(batch[side], there)
            rounds.append((batch[side], fake, self(fake, back)))
        return rounds

    def _measure(self, batch: dict[str, Any], prefix: str) -> None:
        (a, fake_b, back_a), (b, fake_a, back_b) = self._round(batch)
        cycles = {"cycle_a": distance(back_a, a), "cycle_b": distance(back_b, b)}
        for side, real, fake in (("a", a, fake_a), ("b", b, fake_b)):
            self.quality.update(side, real, fake)
        logged = {f"{prefix}{name}": value for name, value in cycles.items()}
        self.log_dict(logged, prog_bar=True, batch_size=len(a))


def _check(adversarial: AdversarialLoss, update: str, direction: str) -> None:
    if update not in ("together", "apart"):
        raise ValueError(f"discriminator_update must be 'together' or 'apart', got {update!r}")
    if update == "apart" and adversarial.kind == "wgan-gp":
        raise ValueError("the penalty of 'wgan-gp' needs discriminator_update 'together'")
    if direction not in ("ab", "ba"):
        raise ValueError(f"direction must be 'ab' or 'ba', got {direction!r}")
