"""Trainings of a generator against a discriminator, by a task of ours without a Trainer.

What runs is the task's own: its loss terms, the gradients that it makes of them, its optimizers.
The other ways to come by gradients are those that people err by.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from lit_restore.tasks import SuperResolutionGANTask
from lit_restore.tasks._adversarial import ManualTask, Turn
from parity.case import Tensors
from parity.layout import to_torch
from parity.network import from_state, to_state

Batch = dict[str, Tensor]
Task = SuperResolutionGANTask
Gradients = Callable[[Task, Batch], Tensor]
Scores = Callable[[nn.Module, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]


def by_the_task(task: Task, batch: Batch) -> Tensor:
    """Take both networks' gradients by ``losses`` of the task; returns their losses."""
    values, total = task.losses(batch)
    total.backward()  # type: ignore[no-untyped-call]
    both = (sum(one for name, one in values.items() if name[:2] == side) for side in ("g_", "d_"))
    return torch.stack([torch.as_tensor(one) for one in both])


def by_hand(task: Task, batch: Batch, scores: Scores) -> Tensor:
    """Take both gradients plainly, of scores that come about in some other way."""
    fake, target, entropy = task.generator(batch["input"]), batch["target"], task.adversarial
    content: Any = task.perceptual
    on_real, on_fake, to_generator = scores(task.discriminator, target, fake)
    wins = content(fake, target) + task.adversarial_weight * entropy(to_generator, True)
    told = entropy(on_real, True) + entropy(on_fake, False)
    for loss, network in ((wins, task.generator), (told, task.discriminator)):
        parameters = list(network.parameters())
        torch.autograd.backward(loss, inputs=parameters, retain_graph=True)
    return torch.stack([wins, told])


def as_the_notes(judge: nn.Module, target: Tensor, fake: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Score the real picture, then the fake, once: this is right."""
    on_real, on_fake = judge(target), judge(fake)
    return on_real, on_fake, on_fake


def fake_first(judge: nn.Module, target: Tensor, fake: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Score the fake first, which the moving statistics then remember less."""
    on_fake, on_real = judge(fake), judge(target)
    return on_real, on_fake, on_fake


def fake_twice(judge: nn.Module, target: Tensor, fake: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Score the fake once for each network, as is usual: its statistics move once more."""
    return judge(target), judge(fake.detach()), judge(fake)


def as_one_batch(judge: nn.Module, target: Tensor, fake: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Score both in one batch, which they are normalised as."""
    on_real, on_fake = judge(torch.cat([target, fake])).chunk(2)
    return on_real, on_fake, on_fake


@dataclass(frozen=True)
class Adversaries:
    """A training of a generator and a discriminator that is fed the arrays of a case.

    Attributes:
        task: Makes the task.
        gradients: Takes the gradients of a step.
        order: ``"together"``, or ``"in turn"``: the discriminator steps, and the generator's
            gradient is taken after that.
        steps: How many steps.
    """

    task: Callable[[], Task]
    gradients: Gradients = by_the_task
    order: str = "together"
    steps: int = 1

    def __call__(self, t: Tensors) -> Tensors:
        """Train; both losses before each step, and what both networks hold afterwards."""
        names = [name for name in t if "/" in name and not name.startswith("vgg.")]
        task = self.task().to(t["image"].dtype).train()
        task.load_state_dict(to_state({name: t[name] for name in names}), strict=False)
        content: Any = task.perceptual
        content.features.network.load_state_dict(to_state(_without("vgg.", t)))
        batch = {"input": to_torch(t["image"]), "target": to_torch(t["target"])}
        optimizers = task.configure_optimizers()
        losses = [self._step(task, batch, optimizers) for _ in range(self.steps)]
        after = from_state(task.state_dict(), dict.fromkeys(names))
        return {"output": torch.stack(losses)} | {f"after {name}": after[name] for name in names}

    def _step(self, task: Task, batch: Batch, optimizers: list[torch.optim.Optimizer]) -> Tensor:
        task.zero_grad()
        losses = self.gradients(task, batch).detach()
        if self.order == "in turn":
            self._change_sides(task, batch, optimizers[1])
            optimizers = optimizers[:1]
        for optimizer in optimizers:
            optimizer.step()
        return losses

    def _change_sides(self, task: Task, batch: Batch, lower: torch.optim.Optimizer) -> None:
        """Step the discriminator, and take the gradients anew; the statistics move once."""
        moved = _statistics(task)
        lower.step()
        task.zero_grad()
        self.gradients(task, batch)
        task.load_state_dict(moved, strict=False)


Take = Callable[[ManualTask, Batch, list[torch.optim.Optimizer]], list[Tensor]]


@dataclass(frozen=True)
class Turns:
    """A training by a task whose networks step one after the other, fed the arrays of a case.

    Attributes:
        task: Makes the task.
        take: Takes all turns of a batch, and gives their losses.
        steps: How many steps.
    """

    task: Callable[[], ManualTask]
    take: Take
    steps: int = 1

    def __call__(self, t: Tensors) -> Tensors:
        """Train; each turn's loss before each step, and what all networks hold afterwards."""
        names = [name for name in t if "/" in name]
        batch = {name: one for name, one in t.items() if name not in names}
        batch = {name: to_torch(one) if one.ndim == 4 else one for name, one in batch.items()}
        task = self.task().to(next(iter(t.values())).dtype).train()
        task.load_state_dict(to_state({name: t[name] for name in names}), strict=False)
        optimizers: list[torch.optim.Optimizer] = task.configure_optimizers()  # type: ignore[assignment]
        losses = [torch.stack(self.take(task, batch, optimizers)) for _ in range(self.steps)]
        after = from_state(task.state_dict(), dict.fromkeys(names))
        return {"output": torch.stack(losses)} | {f"after {name}": after[name] for name in names}


def in_turn(
    task: ManualTask, batch: Batch, optimizers: list[torch.optim.Optimizer]
) -> list[Tensor]:
    """Take the turns as the task does."""
    return [_taken(turn, optimizers[turn.optimizer]) for turn in task.turns(batch)]


def generator_first(
    task: ManualTask, batch: Batch, optimizers: list[torch.optim.Optimizer]
) -> list[Tensor]:
    """Let the generator learn of the discriminator before that has learned."""
    *_, last = task.turns(batch)
    moved = _statistics(task)
    won = _taken(last, optimizers[last.optimizer])
    *first, _ = (
        _taken(turn, optimizers[turn.optimizer]) if turn.optimizer != last.optimizer else won
        for turn in task.turns(batch)
    )
    task.load_state_dict(moved, strict=False)
    return [*first, won]


def both_ways(
    task: ManualTask, batch: Batch, optimizers: list[torch.optim.Optimizer]
) -> list[Tensor]:
    """Let what the discriminator's fakes cost reach the generator, which is not to learn of it."""
    with patch.object(Tensor, "detach", lambda self: self):
        losses = [
            _taken(turn, optimizers[turn.optimizer], retain=True) for turn in task.turns(batch)
        ]
    return [loss.data for loss in losses]


def generated_twice(
    task: ManualTask, batch: Batch, optimizers: list[torch.optim.Optimizer]
) -> list[Tensor]:
    """Generate a fake that nobody sees, but for the generator's moving statistics."""
    with torch.no_grad():
        next(iter(task.turns(batch)))
    return in_turn(task, batch, optimizers)


def _taken(turn: Turn, optimizer: torch.optim.Optimizer, retain: bool = False) -> Tensor:
    total = torch.stack(list(turn.terms.values())).sum()
    total.backward(retain_graph=retain)  # type: ignore[no-untyped-call]
    optimizer.step()
    optimizer.zero_grad()
    return total.detach()


def _statistics(task: nn.Module) -> Tensors:
    return {name: one.clone() for name, one in task.state_dict().items() if "running" in name}


def _without(prefix: str, t: Tensors) -> Tensors:
    return {name.removeprefix(prefix): t[name] for name in t if name.startswith(prefix)}
