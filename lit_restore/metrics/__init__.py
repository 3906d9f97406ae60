"""Metrics of pictures in unit range: a value per picture, and its mean over pictures."""

from typing import TYPE_CHECKING, Any

from lit_restore.metrics.luma import luma, psnr_y
from lit_restore.metrics.psnr import psnr
from lit_restore.metrics.scikit_ssim import scikit_ssim
from lit_restore.metrics.ssim import ssim

if TYPE_CHECKING:
    from lit_restore.metrics.average import PSNR, SSIM

__all__ = ["PSNR", "SSIM", "luma", "psnr", "psnr_y", "scikit_ssim", "ssim"]


def __getattr__(name: str) -> Any:
    """Import torchmetrics only for the classes that are built on it."""
    if name in ("PSNR", "SSIM"):
        from lit_restore.metrics import average

        return getattr(average, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
