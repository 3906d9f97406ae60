"""FID and KID of what a GAN makes, where the weights that they need are given."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor


class InceptionWeightsError(RuntimeError):
    """The weights that FID and KID need, or what reads them, are missing or broken."""


class Quality:
    """Compares all real pictures of a split with all fakes, as Inception sees them.

    Args:
        weights: File of Inception's weights; None measures nothing, and says so.
        sides: Names of what is compared; each is measured by itself, and ends its figures' names.
    """

    def __init__(self, weights: str | Path | None, sides: Sequence[str] = ("",)) -> None:
        self.weights = weights
        self.sides = tuple(sides)
        self._metrics: dict[str, Any] = {}
        self._said = False

    def load(self) -> None:
        """Read the weights, before anything is trained or tested.

        Raises:
            InceptionWeightsError: If they, or what reads them, are missing or broken.
        """
        if self.weights is None or self._metrics:
            return
        from lit_restore.metrics.inception import inception_metrics

        try:
            self._metrics = {side: inception_metrics(self.weights) for side in self.sides}
        except (ImportError, OSError, ValueError) as error:
            raise InceptionWeightsError(f"inception: {error}") from error

    def start(self, task: LightningModule) -> None:
        """Begin a split."""
        self.load()
        if self.weights is None and not self._said:
            self._said = True
            rank_zero_info("FID and KID are left out: give Inception's weights (model.inception)")
        for metrics in self._metrics.values():
            metrics.to(task.device).reset()

    def update(self, side: str, real: Tensor, fake: Tensor) -> None:
        """Add pictures, shape (N, 3, H, W) in unit range."""
        if self._metrics:
            self._metrics[side].update(real, real=True)
            self._metrics[side].update(fake, real=False)

    def log(self, task: LightningModule, prefix: str) -> None:
        """Log what the split came to."""
        if task.trainer.sanity_checking:
            return
        for side, metrics in self._metrics.items():
            ending = f"_{side}" if side else ""
            for name, value in metrics.compute().items():
                task.log(f"{prefix}{name}{ending}", value)
