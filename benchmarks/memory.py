"""Memory of a training step, with and without the folded upsampling."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from benchmarks import gan_torch, torch_side
from benchmarks.process import Step, in_fresh_process
from benchmarks.report import Figure, Report
from benchmarks.torch_side import OURS, Recipe

if TYPE_CHECKING:
    from torch import nn

MIB = 2**20
STEPS = 5


@dataclass(frozen=True)
class Subject:
    """A network whose training is measured.

    Attributes:
        title: What it is called.
        count: Pictures of a batch.
        size: Their height and width, in pixels.
        build: Builds the network; called with a recipe.
        training: Sets up a training step; called with the threads and ``recipe``.
        target: The least factor by which folding should cut what the backward pass keeps.
    """

    title: str
    count: int
    size: int
    build: "Callable[[Recipe], nn.Module]"
    training: Callable[..., Step]
    target: float | None = None


def _small(recipe: Recipe) -> "nn.Module":
    return torch_side.build("small", recipe.folded)


SUBJECTS = (
    Subject(
        "SmallMosaicUNet",
        torch_side.BATCH,
        torch_side.SIZE,
        _small,
        partial(torch_side.training, network="small"),
        1 / 0.4,
    ),
    Subject(
        "the notes' pix2pix U-Net",
        1,
        gan_torch.SIZE,
        partial(gan_torch.generator, "unet"),
        gan_torch.generator_training,
    ),
)


def run(subject: Subject, threads: int) -> Report:
    """Measure what the backward pass keeps, and how large a process gets, in fresh processes.

    Args:
        subject: One of ``SUBJECTS``.
        threads: Of the training.
    """
    plain, folded = (in_fresh_process(_saved, subject, form) for form in (False, True))
    sizes = {form: in_fresh_process(_growth, subject, form, threads) for form in (False, True)}
    lines = [
        f"kept for the backward pass: plain {plain / MIB:.1f} MiB, folded {folded / MIB:.1f} MiB "
        f"({100 * folded / plain:.0f} %)",
        *(
            f"process of a training, {'folded' if form else 'plain'}: peak {peak / MIB:.0f} MiB, "
            f"{growth / MIB:.0f} MiB of it since before the first step"
            for form, (peak, growth) in sizes.items()
        ),
    ]
    figures = [
        Figure("kept for the backward pass, plain / folded", [plain / folded], subject.target),
        Figure("growth of the process, plain / folded", [sizes[False][1] / sizes[True][1]]),
    ]
    pictures = f"{subject.count} picture(s) of {subject.size}x{subject.size}"
    return Report(f"memory of {subject.title}, {pictures}", lines, figures)


def _saved(subject: Subject, folded: bool) -> int:
    """Bytes that a training's forward keeps for its backward, parameters not counted."""
    import torch

    from lit_restore.losses import L1Loss

    network = subject.build(replace(OURS, folded=folded)).to(memory_format=torch.channels_last)
    source, target = torch.rand(2, subject.count, 3, subject.size, subject.size)
    own = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    kept: dict[int, torch.UntypedStorage] = {}  # holds them, so that no address comes twice

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        L1Loss()(network(source.contiguous(memory_format=torch.channels_last)), target)
    return sum(storage.nbytes() for storage in kept.values())


def _growth(subject: Subject, folded: bool, threads: int) -> tuple[int, int]:
    """Largest size of a process that trains, and how much of it came after the set-up, in bytes."""
    recipe = replace(OURS, folded=folded, keep_memory=False)
    step = subject.training(threads, recipe=recipe)
    before = _resident()
    for _ in range(STEPS):
        step()
    peak = _peak()
    return peak, peak - before


def _resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _peak() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
