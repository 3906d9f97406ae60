"""Show how validation pictures look while a network learns."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from lit_restore.data.images import write_image


class ImageLogger(Callback):
    """Writes a grid of input, prediction and target of the first validation pictures.

    A task may have an ``image_columns(batch)`` of its own, which gives what it shows instead. A row
    per picture, as ``images/step_<step>.png`` in the run's log folder, and as ``val/images``
    to a logger that takes images (TensorBoard's).

    Args:
        count: Pictures to show, at most those of the first validation batch.
        every_n_validations: How often; 1 for every validation.
    """

    def __init__(self, count: int = 4, every_n_validations: int = 1) -> None:
        self.count = count
        self.every_n_validations = every_n_validations
        self._validations = 0

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: dict[str, Any],
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Write the grid of the first batch."""
        if batch_idx or trainer.sanity_checking:
            return
        number, self._validations = self._validations, self._validations + 1
        if number % self.every_n_validations:
            return
        log_dir = trainer.log_dir  # asks all processes
        if not trainer.is_global_zero:
            return
        first = {name: value[: self.count] for name, value in batch.items()}
        with torch.no_grad():
            columns = _columns(pl_module, first, batch_idx)
        grid = picture_grid(*columns)
        self._write(trainer, log_dir, grid.cpu())

    def _write(self, trainer: Trainer, log_dir: str | None, grid: Tensor) -> None:
        if log_dir:
            folder = Path(log_dir) / "images"
            folder.mkdir(parents=True, exist_ok=True)
            write_image(grid, folder / f"step_{trainer.global_step:06d}.png")
        for logger in trainer.loggers:
            add_image = getattr(getattr(logger, "experiment", None), "add_image", None)
            if add_image is not None:
                add_image("val/images", grid, trainer.global_step)


def _columns(task: LightningModule, batch: dict[str, Any], batch_idx: int) -> Sequence[Tensor]:
    own = getattr(task, "image_columns", None)
    if own is not None:
        columns: Sequence[Tensor] = own(batch)
        return columns
    return batch["input"], task.predict_step(batch, batch_idx), batch["target"]


def picture_grid(*columns: Tensor) -> Tensor:
    """Lay batches side by side, a row per picture; smaller ones are enlarged to the last's size.

    Args:
        *columns: Shape (N, 3, H, W), in unit range; the shortest batch sets the rows.

    Returns:
        Shape (3, rows * H, columns * W), clipped to unit range.
    """
    rows = min(len(column) for column in columns)
    size = columns[-1].shape[-2:]
    same = [
        column[:rows].float()
        if column.shape[-2:] == size
        else torch.nn.functional.interpolate(column[:rows].float(), size=size, mode="nearest-exact")
        for column in columns
    ]
    table = torch.stack(same, dim=1).clamp(0, 1)  # rows, columns, 3, H, W
    return table.permute(2, 0, 3, 1, 4).reshape(3, rows * size[0], len(columns) * size[1])
