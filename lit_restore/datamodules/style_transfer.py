"""A picture whose content is kept, and others whose style it gets."""

from collections.abc import Sequence
from typing import Any

from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader

from lit_restore.data.resize import matlab_resize
from lit_restore.data.style_transfer import StyleTransferPictures, read_style_transfer

_HASH = "pictures"


class StyleTransferDataModule(LightningDataModule):
    """The pictures of one style transfer, which the task reads once, from ``pictures``.

    Training batches hold ``path`` alone: each is the turn of a step. Validation and prediction have
    one batch: ``input``, the content, ``target``, the first style at the content's size, both of
    shape (1, 3, H, W) in unit range, and ``path``. A checkpoint has a hash of the pixels, and is
    not resumed on other pictures.

    Args:
        content: Image file.
        styles: Image files, or one.
        style_weights: Share of each style; None: all alike.
        size: Pixels of the result's longer side; None: the content's own, but 512 at most.
        style_size: Pixels of the styles' longer sides; None: the result's.
        initial: What the picture is at first: ``content``, ``noise``, or an image file.
        seed: Of the noise.
        steps_per_epoch: Steps that the Trainer takes for an epoch.

    Raises:
        ValueError: If ``steps_per_epoch`` is below 1.
    """

    def __init__(
        self,
        content: str,
        styles: Sequence[str] | str,
        style_weights: Sequence[float] | None = None,
        size: int | None = None,
        style_size: int | None = None,
        initial: str = "content",
        seed: int = 0,
        steps_per_epoch: int = 100,
    ) -> None:
        if steps_per_epoch < 1:
            raise ValueError(f"steps_per_epoch must be at least 1, got {steps_per_epoch}")
        super().__init__()
        self.content = content
        self.styles = [styles] if isinstance(styles, str) else list(styles)
        self.style_weights = style_weights
        self.size = size
        self.style_size = style_size
        self.initial = initial
        self.seed = seed
        self.steps_per_epoch = steps_per_epoch
        self._pictures: StyleTransferPictures | None = None
        self._resumed: str | None = None

    @property
    def pictures(self) -> StyleTransferPictures:
        """The pictures; they are read when they are first asked for."""
        if self._pictures is None:
            self._pictures = read_style_transfer(
                self.content, self.styles, self.size, self.style_size, self.initial, self.seed
            )
            self._check_resumed()
        return self._pictures

    def setup(self, stage: str) -> None:
        """Read the pictures.

        Raises:
            ImageFileError: If a file cannot be read.
        """
        _ = self.pictures

    def state_dict(self) -> dict[str, Any]:
        """The hash of the pictures."""
        return {_HASH: self.pictures.digest()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Refuse to go on with other pictures than the checkpoint's.

        Raises:
            ValueError: If they are others; now, or when they are read.
        """
        self._resumed = state_dict.get(_HASH)
        self._check_resumed()

    def train_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Load an epoch's turns."""
        turns: Any = [{"path": self.content}] * self.steps_per_epoch
        return DataLoader(turns, batch_size=1)

    def val_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Load the content and the first style, to be looked at."""
        content, styles, _ = self.pictures
        height, width = content.shape[-2:]
        style = matlab_resize(styles[0][0], size=(height, width)).clamp(0, 1)
        shown: Any = [{"input": content[0], "target": style, "path": self.content}]
        return DataLoader(shown, batch_size=1)

    def predict_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Load the content, whose name the result gets."""
        return self.val_dataloader()

    def _check_resumed(self) -> None:
        if self._resumed is None or self._pictures is None:
            return
        if self._pictures.digest() != self._resumed:
            raise ValueError(
                f"expected the pictures that the checkpoint was made with, got others: "
                f"{', '.join([self.content, *self.styles])}, their sizes or the initial picture "
                "differ"
            )
