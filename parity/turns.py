"""Trainings of GANs whose sides learn in turns, by a task of ours without a Trainer.

What runs is the task's own: its loss terms, their order, its optimizers. The other ways to take
turns are those that people err by.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from lit_restore.tasks import CycleGANTask, DCGANTask, Pix2PixTask
from parity.case import Tensors
from parity.layout import to_torch
from parity.network import from_state, to_state

Batch = dict[str, Tensor]
GANTask = CycleGANTask | DCGANTask | Pix2PixTask
Optimizers = list[torch.optim.Optimizer]
Take = Callable[[GANTask, Batch, Optimizers], list[Tensor]]


def in_turn(task: GANTask, batch: Batch, optimizers: Optimizers) -> list[Tensor]:
    """Take the turns as the task does."""
    return [_taken(turn, optimizers[turn.optimizer]) for turn in task.turns(batch)]


@dataclass(frozen=True)
class Turns:
    """A training by a task whose networks step one after the other, fed the arrays of a case.

    Attributes:
        task: Makes the task.
        take: Takes all turns of a batch, and gives their losses.
        steps: How many steps.
    """

    task: Callable[[], GANTask]
    take: Take = in_turn
    steps: int = 1

    def __call__(self, t: Tensors) -> Tensors:
        """Train; each turn's loss before each step, and what all networks hold afterwards."""
        names = [name for name in t if "/" in name]
        batch = {name: one for name, one in t.items() if name not in names}
        batch = {name: to_torch(one) if one.ndim == 4 else one for name, one in batch.items()}
        task = self.task().to(next(iter(t.values())).dtype).train()
        task.load_state_dict(to_state({name: t[name] for name in names}), strict=False)
        optimizers: Any = task.configure_optimizers()
        losses = [torch.stack(self.take(task, batch, optimizers)) for _ in range(self.steps)]
        after = from_state(task.state_dict(), dict.fromkeys(names))
        return {"output": torch.stack(losses)} | {f"after {name}": after[name] for name in names}


def generator_first(task: GANTask, batch: Batch, optimizers: Optimizers) -> list[Tensor]:
    """Let the generator learn of the discriminator before that has learned.

    Statistics move as often as they should: what the second pass of all does to them is undone.
    """
    *_, last = task.turns(batch)
    moved = _statistics(task)
    won = _taken(last, optimizers[last.optimizer])
    told = [
        _taken(turn, optimizers[turn.optimizer])
        for turn in task.turns(batch)
        if turn.optimizer != last.optimizer
    ]
    task.load_state_dict(moved, strict=False)
    return [*told, won]


def both_ways(task: GANTask, batch: Batch, optimizers: Optimizers) -> list[Tensor]:
    """Let what the discriminator's fakes cost reach the generator, which is not to learn of it."""
    with patch.object(Tensor, "detach", lambda self: self):
        losses = [
            _taken(turn, optimizers[turn.optimizer], retain=True) for turn in task.turns(batch)
        ]
    return [loss.data for loss in losses]


def judges_swapped(task: GANTask, batch: Batch, optimizers: Optimizers) -> list[Tensor]:
    """Give each of CycleGAN's discriminators the other's pictures."""
    module: Any = task
    module.d_a, module.d_b = module.d_b, module.d_a
    losses = in_turn(task, batch, optimizers)
    module.d_a, module.d_b = module.d_b, module.d_a
    return losses


def judged_before(task: GANTask, batch: Batch, optimizers: Optimizers) -> list[Tensor]:
    """Let all statistics move once more, by a fake that nobody learns of."""
    with torch.no_grad():
        next(iter(task.turns(batch)))
    return in_turn(task, batch, optimizers)


def _taken(turn: Any, optimizer: torch.optim.Optimizer, retain: bool = False) -> Tensor:
    total = torch.stack(list(turn.terms.values())).sum()
    total.backward(retain_graph=retain)  # type: ignore[no-untyped-call]
    optimizer.step()
    optimizer.zero_grad()
    return total.detach()


def _statistics(task: nn.Module) -> Tensors:
    return {name: one.clone() for name, one in task.state_dict().items() if "running" in name}
