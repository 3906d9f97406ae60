"""Write predictions to image files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import BasePredictionWriter
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor

from lit_restore.data.images import write_image


class ImageWriter(BasePredictionWriter):
    """Writes each predicted image as PNG, under the name of its input file.

    Args:
        folder: Made if missing; ``predictions`` in the run's log folder if None.

    Raises:
        ValueError: While predicting, if two inputs have the same name but for the folder or suffix.
    """

    def __init__(self, folder: str | None = None) -> None:
        super().__init__(write_interval="batch")
        self.folder = Path(folder) if folder else None
        self._target = Path()
        self._written: dict[str, str] = {}

    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Make the folder, and forget an earlier prediction's names."""
        log_dir = trainer.log_dir or trainer.default_root_dir  # asks all processes
        self._target = self.folder or Path(log_dir) / "predictions"
        self._target.mkdir(parents=True, exist_ok=True)
        self._written = {}

    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say where they are."""
        rank_zero_info(f"predictions are in {self._target}")

    def write_on_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        prediction: Tensor,
        batch_indices: Sequence[int] | None,
        batch: dict[str, Any],
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Write one batch."""
        for image, path in zip(prediction, batch["path"], strict=True):
            stem = Path(path).stem
            other = self._written.setdefault(stem, path)
            if other != path:
                raise ValueError(f"{other} and {path} would both be written as {stem}.png")
            self.write(pl_module, image.cpu(), self._target / f"{stem}.png")

    def write(self, task: LightningModule, prediction: Tensor, path: Path) -> None:
        """Write one prediction: a unit-range image, shape (3, H, W)."""
        write_image(prediction.float(), path)
