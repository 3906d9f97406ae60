"""Classification: one class of a whole picture."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from lit_restore.interop.resnet_weights import load_backbone
from lit_restore.tasks._classes import check_count, learned_names
from lit_restore.tasks._rates import OptimizerFactory, SchedulerFactory
from lit_restore.tasks._supervised import SupervisedTask

_NAMES = "class_names"  # what DataModules, networks and checkpoints have them as


class ClassificationTask(SupervisedTask):
    """Train a network to tell the class of a picture.

    Batches: ``input``, shape (N, C, H, W) in unit range, ``label``, shape (N,), int64, and of mixed
    pictures ``mixed_label``, shape (N, num_classes), the share of each class, which is then what is
    learned. Logs ``train/loss``, ``train/accuracy`` (of the whole epoch; of mixed pictures the
    share of the class that was chosen), and of validation and test ``loss`` and ``accuracy``, with
    ``tta`` also ``test/accuracy_tta``. Accuracies are in 0..1. Labels are smoothed only if ``loss``
    is asked to.

    Checkpoints describe the network, and say the names of the classes (``class_names``), where the
    DataModule has them. They do not say ``mean`` and ``std``: who loads the network elsewhere
    normalises as the training did.

    Args:
        network: Makes logits, shape (N, num_classes), of ``input``.
        loss: Called as ``loss(logits, labels)`` with either kind of label; None for the
            cross-entropy. ``torch.nn.CrossEntropyLoss(label_smoothing=0.1)`` smooths.
        optimizer: Builds the optimizer from the network's parameters.
        scheduler: Builds the learning rate's schedule from the optimizer; None keeps it.
        schedule_by: Whether the schedule counts batches (``"step"``) or epochs.
        channels_last: Whether to keep maps in the order that convolutions run fastest with.
        initial_weights: A file of ours with weights to begin with, or the name of shipped ones; a
            run that is resumed does not read it.
        tta: Makes of the network one that sees a picture in several ways, as
            ``lit_restore.nn.TTA`` does, for the test; None for none.
        mean: What is subtracted from each channel before the network sees it, and
        std: what the rest is divided by; None for pictures in unit range, as the notes have them.
            Networks with torchvision's weights were trained with ``mean`` (0.485, 0.456, 0.406) and
            ``std`` (0.229, 0.224, 0.225).

    Attributes:
        class_names: What the classes are called, once the data or a checkpoint said so.
        backbone: A file of others' weights of a ``ResNet`` to begin with, all but a last layer that
            scores other classes; see ``lit_restore.interop.load_backbone``. Not with
            ``initial_weights``; a run that is resumed does not read it.

    Raises:
        ValueError: If only one of ``mean`` and ``std`` is given, a ``std`` is not above 0, or both
            ``backbone`` and ``initial_weights`` are given; when a run starts, if the network has
            another number of classes than the data; when a checkpoint is read, if it learned other
            classes.
        TorchFileError: When a run starts, if ``backbone`` cannot be read or does not fit.
        KerasFileError: The same of a Keras file.

    Source:
        The study notes; He et al., "Deep Residual Learning for Image Recognition", CVPR 2016,
        https://arxiv.org/abs/1512.03385; for soft labels Zhang et al., "mixup", ICLR 2018,
        https://arxiv.org/abs/1710.09412.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: nn.Module,
        loss: nn.Module | None = None,
        optimizer: OptimizerFactory = torch.optim.Adam,
        scheduler: SchedulerFactory | None = None,
        schedule_by: Literal["step", "epoch"] = "step",
        channels_last: bool = True,
        initial_weights: str | Path | None = None,
        tta: Callable[[nn.Module], nn.Module] | None = None,
        mean: tuple[float, ...] | None = None,
        std: tuple[float, ...] | None = None,
        backbone: str | Path | None = None,
    ) -> None:
        if backbone is not None and initial_weights is not None:
            raise ValueError("expected backbone or initial_weights, got both")
        super().__init__(network, optimizer, scheduler, schedule_by, channels_last, initial_weights)
        self.backbone = backbone
        self.loss = loss or nn.CrossEntropyLoss()
        self.views = [tta(network)] if tta else []  # a list: their weights are the network's
        if (mean is None) != (std is None) or (std is not None and min(std) <= 0):
            raise ValueError(
                f"mean and std must be given together, std above 0, got {mean} and {std}"
            )
        self.register_buffer("mean", _channels(mean or (0.0,)), persistent=False)
        self.register_buffer("std", _channels(std or (1.0,)), persistent=False)
        self.class_names: tuple[str, ...] | None = getattr(network, _NAMES, None)
        self._logits = torch.empty(0)

    def setup(self, stage: str) -> None:
        """Learn from the data what the classes are called.

        Raises:
            ValueError: If the network has another number of classes.
        """
        names = getattr(getattr(self.trainer, "datamodule", None), _NAMES, None)
        if not names:
            return
        check_count(names, getattr(self.network, "num_classes", len(names)))
        self._call(names)

    def on_fit_start(self) -> None:
        """Begin with the given weights, unless a checkpoint is resumed."""
        super().on_fit_start()
        if self.backbone is not None and not self.resumed:
            load_backbone(self.network, self.backbone)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Tensor:
        """Give the logits of pictures in unit range, shape (N, num_classes)."""
        return self.network(self._seen(image))

    def terms(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Compute the loss, against the mixed labels if there are any."""
        logits = self(batch["input"])
        self._logits = logits.detach()
        return {"loss": self.loss(logits, batch.get("mixed_label", batch["label"]))}

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Return the loss, and log the accuracy of the epoch."""
        loss = super().training_step(batch, batch_idx)
        right = _right(self._logits, batch.get("mixed_label", batch["label"]))
        size = len(batch["input"])
        self.log("train/accuracy", right, on_step=False, on_epoch=True, batch_size=size)
        return loss

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Log loss and accuracy."""
        self._measure("val/", self(batch["input"]), batch["label"])

    def test_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Log loss and accuracy, and the accuracy of the views' mean."""
        self._measure("test/", self(batch["input"]), batch["label"])
        for network in self.views:
            right = _right(network(self._seen(batch["input"])), batch["label"])
            self.log("test/accuracy_tta", right, batch_size=len(batch["input"]), sync_dist=True)

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Return the probability of each class, shape (N, num_classes); with ``tta`` its mean."""
        network = self.views[0] if self.views else self.network
        return network(self._seen(batch["input"])).softmax(dim=1)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse to go on, or to test, with other classes; without any, take the checkpoint's."""
        learned = learned_names(checkpoint, self.class_names)
        if learned is not None:
            self._call(learned)
        super().on_load_checkpoint(checkpoint)

    def _call(self, names: Sequence[str]) -> None:
        """Call the classes so, and let a network that counts them carry the names."""
        self.class_names = tuple(names)
        if hasattr(self.network, "num_classes"):
            setattr(self.network, _NAMES, self.class_names)

    def _seen(self, image: Tensor) -> Tensor:
        """Normalise pictures, as the network wants them."""
        return ((image - self.mean) / self.std).contiguous(memory_format=self.memory_format)

    def _measure(self, prefix: str, logits: Tensor, label: Tensor) -> None:
        """Log a batch of measuring; the means are over all pictures."""
        measured = {"loss": self.loss(logits, label), "accuracy": _right(logits, label)}
        figures = {f"{prefix}{name}": value for name, value in measured.items()}
        self.log_dict(figures, prog_bar=True, batch_size=len(label), sync_dist=True)


def _right(logits: Tensor, label: Tensor) -> Tensor:
    """Tell how many of a batch are right, in 0..1; of shares of classes, the chosen one's."""
    chosen = logits.argmax(dim=1)
    if label.ndim == 1:
        return (chosen == label).float().mean()
    return label.gather(1, chosen[:, None]).mean()


def _channels(values: Sequence[float]) -> Tensor:
    return torch.tensor(values).reshape(-1, 1, 1)
