"""The mean PSNR of filled pictures, of all or of one class of hole ratios."""

from typing import Any, Literal

import torch
from torch import Tensor
from torchmetrics import Metric

from lit_restore.metrics.hole import hole_psnr
from lit_restore.metrics.psnr import psnr
from lit_restore.nn.masks import ratio_bin


class HolePSNR(Metric):
    """PSNR in dB of filled pictures, over the hole or over all: of each picture, then the mean.

    Pictures without a hole do not count. Without any picture the result is NaN.

    Args:
        bin: Counts only pictures whose hole ratio is in this class of
            ``lit_restore.nn.masks.RATIO_BINS``, from 0; None counts all.
        over: Whether a picture's ``"hole"`` is measured, or the whole ``"picture"``.
        **kwargs: Options of ``torchmetrics.Metric``.

    Raises:
        ValueError: If ``over`` is neither.
    """

    is_differentiable = True
    higher_is_better = True
    full_state_update = False
    total: Tensor
    count: Tensor

    def __init__(
        self,
        bin: int | None = None,
        over: Literal["hole", "picture"] = "hole",
        **kwargs: Any,
    ) -> None:
        if over not in ("hole", "picture"):
            raise ValueError(f"over must be 'hole' or 'picture', got {over!r}")
        super().__init__(**kwargs)
        self.bin = bin
        self.over = over
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, prediction: Tensor, target: Tensor, mask: Tensor) -> None:
        """Add a batch.

        Args:
            prediction: Shape (N, C, H, W), in unit range.
            target: The same shape and range.
            mask: Shape (N, 1, H, W); 0 in the hole.
        """
        counted = (mask == 0).flatten(1).any(1)
        if self.bin is not None:
            counted &= ratio_bin(mask) == self.bin
        pair = prediction.float(), target.float()
        values = hole_psnr(*pair, mask) if self.over == "hole" else psnr(*pair)
        self.total += values.where(counted, 0).double().sum()
        self.count += counted.sum()

    def compute(self) -> Tensor:
        """The mean over all pictures that count so far."""
        return (self.total / self.count).float()
