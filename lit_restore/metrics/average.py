"""Metrics of Lightning's loops: the mean of a per-picture figure over all pictures."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from lit_restore.metrics.psnr import psnr
from lit_restore.metrics.ssim import ssim


class _PictureAverage(Metric):
    """Keeps the sum of a figure and the number of pictures; both sum over processes."""

    is_differentiable = True
    higher_is_better = True
    full_state_update = False
    total: Tensor
    count: Tensor

    def __init__(self, peak: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.peak = peak
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def figure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """One value per picture, shape (N,)."""
        raise NotImplementedError

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Add a batch; both have shape (N, C, H, W), in 0 .. ``peak``."""
        values = self.figure(prediction.float(), target.float())
        self.total += values.double().sum()
        self.count += values.numel()

    def compute(self) -> Tensor:
        """The mean over all pictures so far."""
        return (self.total / self.count).float()


class PSNR(_PictureAverage):
    """Peak signal-to-noise ratio in dB: of each picture, then the mean.

    Args:
        peak: The largest value that a pixel may have.
        **kwargs: Options of ``torchmetrics.Metric``.
    """

    def figure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """One value per picture, in dB, shape (N,)."""
        return psnr(prediction, target, self.peak)


class SSIM(_PictureAverage):
    """Structural similarity: of each picture, then the mean.

    Args:
        peak: The largest value that a pixel may have.
        **kwargs: Options of ``torchmetrics.Metric``.
    """

    def figure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """One value per picture, at most 1, shape (N,)."""
        return ssim(prediction, target, self.peak)
