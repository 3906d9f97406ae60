"""Write predicted classes to label images."""

from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule
from torch import Tensor

from lit_restore.callbacks.image_writer import ImageWriter
from lit_restore.data.classes import Classes
from lit_restore.data.label_files import write_classes


class LabelWriter(ImageWriter):
    """Writes the predicted classes of each picture as PNG, under the name of its input file.

    The files have a palette: the colours of the task's classes, a pixel's number that of its class.
    The task tells them: ``class_names`` and ``class_colours``.

    Args:
        folder: Made if missing; ``predictions`` in the run's log folder if None.

    Raises:
        ValueError: While predicting, if two inputs have the same name but for the folder or suffix.
    """

    def write(self, task: LightningModule, prediction: Tensor, path: Path) -> None:
        """Write one prediction: classes, shape (H, W), int64."""
        told: Any = task
        write_classes(prediction, path, Classes(told.class_names, told.class_colours))
