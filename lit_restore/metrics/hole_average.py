"""The mean of the holes' PSNR over pictures, of all or of one class of hole ratios."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from lit_restore.metrics.hole import hole_psnr
from lit_restore.nn.masks import ratio_bin


class HolePSNR(Metric):
    """PSNR of the hole's pixels in dB: of each picture, then the mean.

    Pictures without a hole do not count. Without any picture the result is NaN.

    Args:
        bin: Counts only pictures whose hole ratio is in this class of
            ``lit_restore.nn.masks.RATIO_BINS``, from 0; None counts all.
        **kwargs: Options of ``torchmetrics.Metric``.
    """

    is_differentiable = True
    higher_is_better = True
    full_state_update = False
    total: Tensor
    count: Tensor

    def __init__(self, bin: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bin = bin
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
        values = hole_psnr(prediction.float(), target.float(), mask)
        self.total += values.where(counted, 0).double().sum()
        self.count += counted.sum()

    def compute(self) -> Tensor:
        """The mean over all pictures that count so far."""
        return (self.total / self.count).float()
