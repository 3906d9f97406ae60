"""What the tasks of GANs share whose sides learn in turns."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore import checkpoints
from lit_restore.inference.descent import total
from lit_restore.losses import AdversarialLoss, gradient_penalty
from lit_restore.losses._wide import wide
from lit_restore.nn import NormMode, to_unit
from lit_restore.tasks._adversarial import ManualTask
from lit_restore.tasks._common import Shared
from lit_restore.tasks._quality import Quality
from lit_restore.tasks._rates import OptimizerFactory, SchedulerFactory
from lit_restore.tasks._tested import TestedGenerators

Networks = Mapping[str, nn.Module]
G, D = 0, 1


class Turn(NamedTuple):
    """What one side does with a batch.

    Attributes:
        terms: The weighted loss terms by name, scalars; their sum is descended.
        optimizer: Which one steps then: ``G`` or ``D``, its place in ``configure_optimizers``.
    """

    terms: dict[str, Tensor]
    optimizer: int


class GANTask(ManualTask):
    """Trains generators and discriminators in turns, and tests the generators.

    A subclass writes ``turns``. Its networks get the names of their roles.

    Args:
        generators: By role; one optimizer is theirs.
        discriminators: By role; the other optimizer is theirs.
        adversarial: Of the scores.
        d_weight: Of a discriminator's terms for real pictures and for fakes.
        penalty_weight: Of its penalty, which only ``"wgan-gp"`` has.
        g_optimizer: Builds the generators' optimizer.
        d_optimizer: Builds the discriminators' optimizer.
        scheduler: Builds each optimizer's schedule; it counts batches. None keeps the rates.
        gradient_clip_val: Largest norm of each optimizer's gradients; None does not clip.
        accumulate: Batches whose mean gradient makes a step of the networks.
        ema_decay: Of averaged generators; None for none.
        norm_mode: Which statistics BatchNorm uses in testing; None leaves what the generators say.
        calibration_batches: Training batches that ``"recalibrated"`` reads.
        quality: FID and KID.
        reads: The key of a batch that each generator reads, for ``"recalibrated"``.
        channels_last: Whether to keep maps in the order that convolutions run fastest with.
    """

    def __init__(
        self,
        generators: Networks,
        discriminators: Networks,
        adversarial: AdversarialLoss,
        d_weight: float,
        penalty_weight: float,
        g_optimizer: OptimizerFactory,
        d_optimizer: OptimizerFactory,
        scheduler: SchedulerFactory | None,
        gradient_clip_val: float | None,
        accumulate: int,
        ema_decay: float | None,
        norm_mode: NormMode | None,
        calibration_batches: int,
        quality: Quality,
        reads: Mapping[str, str],
        channels_last: bool,
    ) -> None:
        super().__init__(gradient_clip_val, accumulate)
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        for role, network in chain(generators.items(), discriminators.items()):
            setattr(self, role, network.to(memory_format=self.memory_format))
        self.roles = tuple(generators), tuple(discriminators)
        self.adversarial = adversarial
        self.d_weight = d_weight
        self.penalty_weight = penalty_weight
        self.factories = Shared(g_optimizer), Shared(d_optimizer)
        self.scheduler = Shared(scheduler) if scheduler else None
        self.tested = TestedGenerators("tested", generators, ema_decay, norm_mode)
        self.calibration_batches = calibration_batches
        self.quality = quality
        self.reads = reads

    def setup(self, stage: str) -> None:
        """Refuse weights of Inception that are missing or broken."""
        self.quality.load()

    def turns(self, batch: Mapping[str, Any]) -> Iterator[Turn]:
        """Yield one side's terms after the other's; in between the former has stepped."""
        raise NotImplementedError

    def take_turns(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Take all turns of a batch: backward, check, then step if gradients are complete.

        Args:
            batch: What ``turns`` gets.

        Returns:
            The terms of all turns, without a graph.

        Raises:
            NonFiniteError: If a term or a gradient is not finite.
        """
        terms: dict[str, Tensor] = {}
        step = self.trainer.global_step + 1
        for number, turn in enumerate(self.turns(batch)):
            self.manual_backward(total(turn.terms) / self.accumulate)
            self.guard.check(self, turn.terms, batch, partial(self._again, batch, number))
            if step % self.accumulate == 0:
                self._step(self.trainer.optimizers[turn.optimizer])
            terms |= {name: term.detach() for name, term in turn.terms.items()}
        self._finish_batch()
        if step % self.accumulate == 0:
            self.tested.update(step // self.accumulate)
        return terms

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Take all turns, and log their terms."""
        logged = {f"train/{name}": term for name, term in self.take_turns(batch).items()}
        self.log_dict(logged, prog_bar=True, batch_size=len(batch["path"]))

    def on_validation_start(self) -> None:
        """Estimate statistics anew, if a generator asks for it."""
        self._calibrate()
        self.quality.start(self)

    def on_validation_epoch_end(self) -> None:
        """Log FID and KID."""
        self.quality.log(self, "val/")

    def on_test_start(self) -> None:
        """Forget what was measured before."""
        self.quality.start(self)

    def on_test_epoch_end(self) -> None:
        """Log FID and KID."""
        self.quality.log(self, "test/")

    def configure_optimizers(self) -> Any:
        """Make an optimizer for the generators, and one for the discriminators."""
        optimizers = [
            make(chain(*(self.get_submodule(role).parameters() for role in roles)))
            for make, roles in zip(self.factories, self.roles, strict=True)
        ]
        if self.scheduler is None:
            return optimizers
        return optimizers, [self.scheduler(optimizer) for optimizer in optimizers]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Describe the generators that are tested."""
        super().on_save_checkpoint(checkpoint)
        self._calibrate()
        self.tested.keep_statistics(checkpoint)
        described = {
            role: one | self.describe_role(role) for role, one in self.tested.describe().items()
        }
        checkpoint[checkpoints.KEY] = {"task": type(self).__name__, "networks": described}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on as ``ManualTask`` does, and test with the statistics that the checkpoint names."""
        super().on_load_checkpoint(checkpoint)
        self.tested.remember(checkpoint.get(checkpoints.KEY, {}).get("networks", {}))

    def describe_role(self, role: str) -> dict[str, Any]:
        """Give plain values that a checkpoint says of a generator besides."""
        return {}

    def generate(self, role: str, signed: Tensor) -> Tensor:
        """Run a generator as it is tested; the result is clipped to unit range."""
        signed = self.laid_out(signed) if signed.ndim == 4 else signed  # noise has two axes
        return to_unit(wide(self.tested(role, signed))).clamp(0, 1)

    def laid_out(self, image: Tensor) -> Tensor:
        """Bring maps into the order in memory that the networks have."""
        return image.contiguous(memory_format=self.memory_format)

    def told(
        self, judge: Callable[[Tensor], Tensor], joint: bool, real: Tensor, fake: Tensor
    ) -> dict[str, Tensor]:
        """Compute what real pictures and fakes cost a discriminator.

        Args:
            judge: The discriminator.
            joint: Whether both are judged in one batch.
            real: Shape (N, 3, H, W).
            fake: Likewise, without a graph.

        Returns:
            ``real`` and ``fake``, and ``penalty`` for ``"wgan-gp"``; weighted scalars.
        """
        on_real, on_fake = map(wide, apply_to_each(judge, joint, real, fake))
        terms = {
            "real": self.d_weight * self.adversarial(on_real, True),
            "fake": self.d_weight * self.adversarial(on_fake, False),
        }
        if self.adversarial.kind == "wgan-gp":
            terms["penalty"] = self.penalty_weight * gradient_penalty(judge, real, fake)
        return terms

    def _again(self, batch: Mapping[str, Any], number: int) -> Tensor:
        """Compute the sum of a turn's terms anew."""
        return next(total(turn.terms) for at, turn in enumerate(self.turns(batch)) if at == number)

    def _calibrate(self) -> None:
        self.tested.calibrate(self.trainer, self.reads, self.calibration_batches)


@contextmanager
def frozen(*networks: nn.Module) -> Iterator[None]:
    """Leave networks' weights out of the graphs that are built meanwhile."""
    parameters = chain(*(network.parameters() for network in networks))
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    try:
        for parameter in trained:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)


def mixes_samples(network: nn.Module) -> bool:
    """Whether what a network makes of a sample depends on the others of its batch."""
    return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules())


def apply_to_each(
    network: Callable[[Tensor], Tensor], joint: bool, *images: Tensor
) -> list[Tensor]:
    """Apply a network to several batches: as one, or one after the other.

    Args:
        network: Maps (N, ...) to (N, ...).
        joint: Whether as one, which is faster, and the same unless samples are mixed. Not if
            their sizes differ.
        *images: Batches; of different sizes they go one after the other.
    """
    if not joint or len({image.shape[1:] for image in images}) != 1:
        return [network(image) for image in images]
    sizes = [len(image) for image in images]
    return list(torch.split(network(torch.cat(images)), sizes))


def distance(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference, a scalar."""
    return F.l1_loss(wide(prediction), wide(target))
