"""Training steps of super-resolution networks on a CPU, in float32 and in bfloat16.

Processors with AMX multiply bfloat16 several times as fast; others may be slower than in float32.
"""

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any

from benchmarks.process import Contender, Timing, Work, interleave
from benchmarks.report import Figure, Report
from benchmarks.torch_side import OURS, count_parameters, prepare

NETWORKS = ("SRCNN", "ESPCN", "FSRCNN", "VDSR", "SRResNet")
BATCH, SIZE, SCALE = 4, 48, 2
WARM_UP, STEPS = 2, 8
FLOAT, MIXED = "32-true", "bf16-mixed"


def run(network: str, rounds: int, threads: int) -> Report:
    """Hold the race of one network.

    Args:
        network: One of ``NETWORKS``.
        rounds: That count, after the warm-up.
        threads: Of each contender.
    """
    contenders = [
        Contender(name, partial(training, network=network, mixed=name == MIXED))
        for name in (FLOAT, MIXED)
    ]
    timings = interleave(contenders, rounds, WARM_UP, STEPS, threads)
    pairs = zip(timings[FLOAT], timings[MIXED], strict=True)
    ratios = [plain.cpu / mixed.cpu for plain, mixed in pairs]
    return Report(
        f"training step of {network}, {BATCH} pictures of {SIZE}x{SIZE}, {threads} thread(s)",
        [_line(name, each) for name, each in timings.items()],
        [Figure(f"processor time, {FLOAT} / {MIXED}", ratios)],
    )


def training(threads: int, network: str, mixed: bool) -> Work:
    """Set up a training step: forward, mean squared error, backward, Adam.

    Args:
        threads: To use.
        network: One of ``NETWORKS``; its output has 48x48 pixels.
        mixed: Whether the network runs under autocast to bfloat16.
    """
    import torch

    from lit_restore import models
    from lit_restore.losses import L2Loss

    order = prepare(threads, OURS)
    makers: dict[str, Callable[[], Any]] = {
        "SRCNN": partial(models.SRCNN, kernel_sizes=(9, 5, 5)),
        "ESPCN": partial(models.ESPCN, SCALE, activation="relu"),
        "FSRCNN": partial(models.FSRCNN, SCALE),
        "VDSR": models.VDSR,
        "SRResNet": partial(models.SRResNet, scale=SCALE),
    }
    model = makers[network]().to(memory_format=order)
    target = torch.rand(BATCH, model.in_channels, SIZE, SIZE)
    source = target[..., :: model.scale, :: model.scale].contiguous(memory_format=order)
    loss = L2Loss()
    optimizer = torch.optim.Adam(model.parameters(), fused=True)

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed, cache_enabled=False):
            value = loss(model(source), target)
        value.backward()
        optimizer.step()

    return Work(step, {"parameters": count_parameters(model)})


def _line(name: str, timings: Sequence[Timing]) -> str:
    return f"{name:<12}{1000 * median(timing.cpu for timing in timings):8.1f} ms processor"
