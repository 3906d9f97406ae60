"""Style transfer: a picture is optimised until it has one picture's content, another's style."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lit_restore.inference.descent import Descent, lbfgs, total
from lit_restore.losses import StyleTransferLoss
from lit_restore.tasks._common import Shared
from lit_restore.tasks._forensics import FiniteGuard
from lit_restore.tasks._rates import OptimizerFactory

_TURNS = 100


class StyleTransferTask(LightningModule):
    """Optimise a picture, which is the only parameter here, by the terms of a loss.

    The pictures come from the DataModule's ``pictures`` (``content``, ``styles``, ``initial``) and
    ``style_weights``, or from ``begin`` before the training. What VGG makes of content and styles
    is computed once, when training starts. A batch is the turn of a step, whatever it holds; of
    ``path`` a report is made. A step of the Trainer is one step of the optimizer, which for L-BFGS
    is one iteration with its line search, however many evaluations that takes.

    Logs ``train/content``, ``train/style`` and ``train/total_variation``, weighted, of the picture
    before the step. Validation measures nothing: it is there for ``ImageLogger``. Checkpoints have
    the picture and the optimizer's state, L-BFGS's history too, and a run goes on from them
    exactly. The picture is in unit range, but not kept in it until it is looked at or predicted.

    Optimisation is manual: ``trainer.gradient_clip_val`` and ``trainer.accumulate_grad_batches``
    are refused. One picture is the work of one device.

    Args:
        loss: Gives the terms, of pictures in unit range.
        optimizer: Builds the optimizer of the picture; None: L-BFGS with a history of 10.
        restart_every: Evaluations after which L-BFGS forgets its history, at the end of a step;
            the study notes' loop does so at 20. None: never.

    Raises:
        ValueError: If ``restart_every`` is below 1, or VGG is one for another range; when training
            starts, if there are no pictures, several processes, or a precision that scales losses.

    Source:
        Gatys et al., "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016,
        section 2; the study notes.
    """

    def __init__(
        self,
        loss: StyleTransferLoss,
        optimizer: OptimizerFactory | None = None,
        restart_every: int | None = None,
    ) -> None:
        if loss.white != 255:
            raise ValueError(
                "the loss must take pictures in unit range, expected VGG with inputs caffe or "
                f"imagenet, got {getattr(loss.features.network, 'inputs', None)}"
            )
        if restart_every is not None and restart_every < 1:
            raise ValueError(f"restart_every must be at least 1 evaluation, got {restart_every}")
        super().__init__()
        self.automatic_optimization = False
        self.loss = loss
        self.optimizer = Shared(optimizer or lbfgs)
        self.restart_every = restart_every
        self.guard = FiniteGuard()
        self.register_parameter("image", None)
        self._content = torch.empty(0)
        self._styles: list[Tensor] = []
        self._shares: Sequence[float] | None = None
        self._descent: Descent

    def begin(
        self,
        content: Tensor,
        styles: Sequence[Tensor],
        style_weights: Sequence[float] | None = None,
        initial: Tensor | None = None,
    ) -> None:
        """Take over the pictures.

        Args:
            content: Shape (1, 3, H, W), in unit range.
            styles: Each of shape (1, 3, h, w), likewise.
            style_weights: Share of each; None: all alike.
            initial: Of the content's shape; None: the content.

        Raises:
            ValueError: If the initial picture has another shape.
        """
        start = content if initial is None else initial
        if start.shape != content.shape:
            raise ValueError(
                f"the initial picture must have the content's shape {tuple(content.shape)}, got "
                f"{tuple(start.shape)}"
            )
        self._content, self._styles, self._shares = content, list(styles), style_weights
        self.image = nn.Parameter(start.detach().clone().contiguous())

    def setup(self, stage: str) -> None:
        """Take over the pictures of the DataModule, unless there are some."""
        if self.trainer.world_size > 1:
            raise ValueError(
                f"one picture is the work of one process: expected trainer.devices 1, got "
                f"{self.trainer.world_size} processes"
            )
        if self.image is not None:
            return
        data: Any = getattr(self.trainer, "datamodule", None)
        if not hasattr(data, "pictures"):
            raise ValueError(
                "expected pictures: a StyleTransferDataModule, or begin(content, styles) before"
            )
        content, styles, initial = data.pictures
        self.begin(content, styles, data.style_weights, initial)

    def on_train_start(self) -> None:
        """Compute what the picture will be compared with, on its device."""
        if getattr(self.trainer.precision_plugin, "scaler", None) is not None:
            raise ValueError(
                "expected trainer.precision 32-true or bf16-mixed, got 16-mixed, which scales "
                "losses"
            )
        styles = [style.to(self.image) for style in self._styles]
        self.loss.remember(self._content.to(self.image), styles, self._shares)
        self._descent = Descent(self.image, self.loss, self.restart_every)
        self.guard = FiniteGuard(self.guard.late)

    def forward(self, image: Tensor | None = None) -> Tensor:
        """Return the picture in unit range, shape (1, 3, H, W), whatever ``image`` is."""
        return self.image.detach().clamp(0, 1)

    def training_step(self, batch: Mapping[str, Any], batch_idx: int) -> None:
        """Step the picture.

        Raises:
            NonFiniteError: If a term or the gradient is NaN or infinite.
        """
        found = self._descent.evaluate()
        seen = batch if isinstance(batch, Mapping) else {}
        self.guard.check(self, found, seen, lambda: total(self.loss(self.image)))
        terms = self._descent.step(self.trainer.optimizers[0], by=self.optimizers())
        self.log_dict({f"train/{name}": term for name, term in terms.items()}, prog_bar=True)

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Measure nothing."""

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Return the picture, in unit range."""
        return self(batch["input"])

    def train_dataloader(self) -> DataLoader[Any]:
        """Load turns, where no DataModule does."""
        turns: Any = range(_TURNS)
        return DataLoader(turns, batch_size=1)

    def configure_optimizers(self) -> Any:
        """Make the picture's optimizer."""
        return self.optimizer([self.image])

    def on_train_end(self) -> None:
        """Read the last step's verdict."""
        self.guard.settle(self)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Write nothing if a step went wrong."""
        self.guard.settle(self)
