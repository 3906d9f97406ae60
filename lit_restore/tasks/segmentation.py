"""Semantic segmentation: a class for each pixel, or a yes or no."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.carried import carry
from lit_restore.inference.covering import covering_logits
from lit_restore.inference.descent import total
from lit_restore.losses import SegmentationLoss
from lit_restore.metrics import SegmentationScores, predicted_classes
from lit_restore.tasks._classes import check_count, learned_names
from lit_restore.tasks._rates import OptimizerFactory, SchedulerFactory
from lit_restore.tasks._supervised import SupervisedTask

IGNORED = 255
_CARRIED = ("class_names", "class_colours", "working_side")
_HUES = ((0, 0, 0), (230, 80, 60), (60, 180, 75), (60, 100, 230), (250, 190, 40), (145, 70, 180))
_UNKNOWN = (128, 128, 128)


class SegmentationTask(SupervisedTask):
    """Train a network to tell the class of each pixel.

    Batches: ``input``, shape (N, C, H, W) in unit range, ``classes``, shape (N, H, W), int64, where
    255 is not counted, and perhaps ``weights``, shape (N, H, W), of each pixel in the loss. A
    network of one class says yes (1) or no (0) by a sigmoid; one of several chooses by softmax.

    Logs ``train/loss`` and its terms, ``val/loss``, and of all pixels of validation or test
    together ``miou``, ``pixel_accuracy``, ``dice``, and ``iou_<class>`` of each class; after a test
    with ``tta`` also ``test/miou_tta`` and so on. What no pixel is, and none is taken for,
    has no IoU (NaN) and does not count in the mean.

    A network whose convolutions do not pad sees the picture's surroundings in training, and is
    given mirrored ones in measuring and prediction, so that every pixel is judged.

    Checkpoints describe the network, and say names and colours of the classes and the side that
    pictures were brought to, where the DataModule has them (``class_names``, ``class_colours``,
    ``working_side``).

    Args:
        network: Makes logits, shape (N, num_classes, H, W), of ``input``.
        loss: Called as ``loss(logits, classes, weights)``, the last one perhaps None; gives a
            scalar, or named terms. None for ``SegmentationLoss()``: cross-entropy.
        optimizer: Builds the optimizer from the network's parameters.
        scheduler: Builds the learning rate's schedule from the optimizer; None keeps it.
        schedule_by: Whether the schedule counts batches (``"step"``) or epochs.
        channels_last: Whether to keep maps in the order that convolutions run fastest with.
        initial_weights: A file of ours with weights to begin with, or the name of shipped ones; a
            run that is resumed does not read it.
        threshold: Least probability of a yes, with one class.
        tta: Makes of the network one that sees a picture in several ways, as
            ``lit_restore.nn.TTA`` does, for the test; None for none.

    Raises:
        ValueError: When a run starts, if the network has another number of classes than the data;
            when a checkpoint is read, if it learned other classes.

    Source:
        The study notes; Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image
        Segmentation", MICCAI 2015, https://arxiv.org/abs/1505.04597.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: nn.Module | None = None,
        optimizer: OptimizerFactory = torch.optim.Adam,
        scheduler: SchedulerFactory | None = None,
        schedule_by: Literal["step", "epoch"] = "step",
        channels_last: bool = True,
        initial_weights: str | Path | None = None,
        threshold: float = 0.5,
        tta: Callable[[nn.Module], nn.Module] | None = None,
    ) -> None:
        super().__init__(network, optimizer, scheduler, schedule_by, channels_last, initial_weights)
        self.loss = loss or SegmentationLoss()
        self.num_classes = int(getattr(network, "num_classes", 1))
        self.threshold = threshold
        self.views = [tta(network)] if tta else []  # a list: their weights are the network's
        self.val_scores, self.test_scores, self.tta_scores = (self._scores() for _ in range(3))

    def setup(self, stage: str) -> None:
        """Learn from the data what the classes are called.

        Raises:
            ValueError: If the network has another number of classes.
        """
        data = getattr(self.trainer, "datamodule", None)
        names = getattr(data, "class_names", None)
        if names is not None:
            check_count(names, self.num_classes, binary=True)
        carry(self.network, {name: getattr(data, name, None) for name in _CARRIED})
        self.val_scores, self.test_scores, self.tta_scores = (self._scores() for _ in range(3))

    def forward(self, image: Tensor) -> Tensor:
        """Give the logits of every pixel, shape (N, num_classes, H, W), of pictures of any size."""
        return self._judge(self.network, image)

    def terms(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Compute the terms of the loss, at the pixels that the network judges."""
        image = batch["input"].contiguous(memory_format=self.memory_format)
        return self._compare(self.network(image), batch)

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Log the loss, and count."""
        logits = self(batch["input"])
        loss = total(self._compare(logits, batch))
        self.log("val/loss", loss, batch_size=len(logits), sync_dist=True)
        self.val_scores.update(logits, batch["classes"])

    def test_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Count."""
        self.test_scores.update(self(batch["input"]), batch["classes"])
        for views in self.views:
            self.tta_scores.update(self._judge(views.eval(), batch["input"]), batch["classes"])

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Return the class of each pixel, shape (N, H, W), int64."""
        return self.decide(self(batch["input"]))

    def on_validation_epoch_end(self) -> None:
        """Log what was counted."""
        self._tell("val/", self.val_scores)

    def on_test_epoch_end(self) -> None:
        """Log what was counted."""
        self._tell("test/", self.test_scores)
        if self.views:
            self._tell("test/", self.tta_scores, "_tta")

    def decide(self, logits: Tensor) -> Tensor:
        """Choose a class: shape (N, H, W), int64, of logits (N, num_classes, H, W)."""
        return predicted_classes(logits, self.threshold)

    def image_columns(self, batch: dict[str, Any]) -> Sequence[Tensor]:
        """Show pictures, predicted and true classes, each of shape (N, 3, H, W)."""
        image = batch["input"].expand(-1, 3, -1, -1)
        return image, self._coloured(self.predict_step(batch, 0)), self._coloured(batch["classes"])

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse to go on, or to test, with other classes."""
        learned_names(checkpoint, self._names())
        super().on_load_checkpoint(checkpoint)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class; of a network of one class, of no and yes."""
        names = self._names()
        if names is not None:
            return tuple(names)
        numbered = tuple(f"class_{i}" for i in range(self.num_classes))
        return ("background", "foreground") if self.num_classes == 1 else numbered

    @property
    def class_colours(self) -> tuple[tuple[int, int, int], ...]:
        """Red, green and blue of each class, 0 .. 255."""
        own = getattr(self.network, "class_colours", None)
        return own or tuple(_HUES[i % len(_HUES)] for i in range(len(self.class_names)))

    def _names(self) -> tuple[str, ...] | None:
        return getattr(self.network, "class_names", None)

    def _scores(self) -> SegmentationScores:
        return SegmentationScores(
            self.num_classes, self._names(), ignore_index=IGNORED, threshold=self.threshold
        ).to(self.device)

    def _judge(self, network: nn.Module, image: Tensor) -> Tensor:
        return covering_logits(network, image.contiguous(memory_format=self.memory_format))

    def _compare(self, logits: Tensor, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Compute the loss in the middle of the picture, where the network left a margin."""
        size = logits.shape[-2:]
        weights = batch.get("weights")
        weights = weights if weights is None else _middle(weights, size)
        terms = self.loss(logits, _middle(batch["classes"], size), weights)
        return terms if isinstance(terms, dict) else {"loss": terms}

    def _tell(self, prefix: str, scores: SegmentationScores, suffix: str = "") -> None:
        figures = {f"{prefix}{name}{suffix}": value for name, value in scores.compute().items()}
        self.log_dict(figures, prog_bar=False)
        scores.reset()

    def _coloured(self, classes: Tensor) -> Tensor:
        table = torch.tensor([*self.class_colours, _UNKNOWN], device=classes.device) / 255
        places = torch.where(classes == IGNORED, len(table) - 1, classes)
        return F.embedding(places, table).permute(0, 3, 1, 2)


def _middle(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Cut the middle out of maps of shape (N, H, W)."""
    top, left = ((whole - part) // 2 for whole, part in zip(maps.shape[-2:], size, strict=True))
    return maps[:, top : top + size[0], left : left + size[1]]
