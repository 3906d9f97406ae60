"""What tasks share: factories, image metrics, and the description of their networks."""

from collections.abc import Callable, Iterable
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchmetrics import MetricCollection

from lit_restore import checkpoints
from lit_restore.metrics import PSNR, SSIM

OptimizerFactory = Callable[[Iterable[nn.Parameter]], Optimizer]
SchedulerFactory = Callable[[Optimizer], LRScheduler]


def image_metrics(prefix: str) -> MetricCollection:
    """PSNR in dB and SSIM of unit-range images: of each picture, then the mean."""
    return MetricCollection({"psnr": PSNR(), "ssim": SSIM()}, prefix=prefix)


def describe_task(task: nn.Module, **networks: nn.Module) -> dict[str, Any]:
    """Describe a task's networks for its checkpoint, so that ``load_network`` can rebuild them.

    A network that is not of ``lit_restore.models`` is left out: its checkpoint still resumes.
    """
    described = {}
    for role, network in networks.items():
        try:
            described[role] = checkpoints.describe_network(network)
        except ValueError:
            continue
    return {"task": type(task).__name__, "networks": described}
