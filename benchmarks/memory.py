"""Memory of a training step, with and without the folded upsampling."""

import os
from dataclasses import replace

from benchmarks import torch_side
from benchmarks.process import in_fresh_process
from benchmarks.report import Figure, Report
from benchmarks.torch_side import BATCH, OURS, SIZE

MIB = 2**20
STEPS = 5


def run(threads: int) -> Report:
    """Measure what the backward pass keeps, and how large a process gets, in fresh processes.

    Args:
        threads: Of the training.
    """
    plain, folded = (in_fresh_process(_saved, form) for form in (False, True))
    sizes = {form: in_fresh_process(_growth, form, threads) for form in (False, True)}
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
        Figure("kept for the backward pass, plain / folded", [plain / folded], 1 / 0.4),
        Figure("growth of the process, plain / folded", [sizes[False][1] / sizes[True][1]]),
    ]
    return Report(f"memory of SmallMosaicUNet, {BATCH} pictures of {SIZE}x{SIZE}", lines, figures)


def _saved(folded: bool) -> int:
    """Bytes that a training's forward keeps for its backward, parameters not counted."""
    import torch

    from lit_restore.losses import L1Loss

    network = torch_side.build("small", folded).to(memory_format=torch.channels_last)
    source, target = torch.rand(2, BATCH, 3, SIZE, SIZE)
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


def _growth(folded: bool, threads: int) -> tuple[int, int]:
    """Largest size of a process that trains, and how much of it came after the set-up, in bytes."""
    step = torch_side.training(threads, "small", replace(OURS, folded=folded, keep_memory=False))
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
