"""Write predicted classes to a table."""

import csv
import io
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch.distributed
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import BasePredictionWriter
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor

from lit_restore.atomic import replace_file

Row = tuple[str, list[float]]


class ClassWriter(BasePredictionWriter):
    """Writes ``predictions.csv``: of each picture ``path``, ``class``, and every probability.

    The table is there whole when the prediction has ended, or not at all. Columns of probabilities
    are ``probability_<class>``, the class by its number where the task knows no names.

    Args:
        folder: Made if missing; the run's log folder if None.
    """

    def __init__(self, folder: str | None = None) -> None:
        super().__init__(write_interval="batch")
        self.folder = Path(folder) if folder else None
        self._rows: list[Row] = []

    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget an earlier prediction."""
        self._rows = []

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
        """Keep a batch of probabilities, shape (N, num_classes)."""
        self._rows += zip(batch["path"], prediction.float().cpu().tolist(), strict=True)

    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the table of all processes, in the order of the pictures."""
        folder = self.folder or Path(trainer.log_dir or trainer.default_root_dir)  # asks all
        rows = _of_all_processes(self._rows, trainer.world_size)
        if not trainer.is_global_zero:
            return
        folder.mkdir(parents=True, exist_ok=True)
        names = getattr(pl_module, "class_names", None)
        replace_file(folder / "predictions.csv", _table(rows, names).encode())
        rank_zero_info(f"predictions are in {folder / 'predictions.csv'}")


def _of_all_processes(rows: list[Row], world_size: int) -> list[Row]:
    """Join the rows of processes that took turns."""
    if world_size == 1:
        return rows
    parts: list[list[Row]] = [[] for _ in range(world_size)]
    torch.distributed.all_gather_object(parts, rows)
    return [row for turn in zip_longest(*parts) for row in turn if row is not None]


def _table(rows: Sequence[Row], names: Sequence[str] | None) -> str:
    count = len(rows[0][1]) if rows else len(names or [])
    names = names or [str(index) for index in range(count)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "class", *(f"probability_{name}" for name in names)])
    for path, probabilities in rows:
        chosen = names[max(range(count), key=probabilities.__getitem__)]
        writer.writerow([path, chosen, *(f"{value:.6f}" for value in probabilities)])
    return text.getvalue()
