"""Trainings of a generator against a discriminator, by a task of ours without a Trainer.

What runs is the task's own: its loss terms, the gradients that it makes of them, its optimizers.
The other ways to come by gradients are those that people err by.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lit_restore.tasks import SuperResolutionGANTask
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
        moved = {name: one.clone() for name, one in task.state_dict().items() if "running" in name}
        lower.step()
        task.zero_grad()
        self.gradients(task, batch)
        task.load_state_dict(moved, strict=False)


def _without(prefix: str, t: Tensors) -> Tensors:
    return {name.removeprefix(prefix): t[name] for name in t if name.startswith(prefix)}
