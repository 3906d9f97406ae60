"""Metrics of pictures: a value per picture, its mean, and the protocol that both belong to."""

from typing import TYPE_CHECKING, Any

from lit_restore.metrics.figure import Figure, mean_figure
from lit_restore.metrics.hole import hole_psnr
from lit_restore.metrics.luma import luma
from lit_restore.metrics.protocol import NOTES, PAPER, PROTOCOLS, RGB, Protocol, Y
from lit_restore.metrics.psnr import psnr
from lit_restore.metrics.scikit_ssim import scikit_ssim
from lit_restore.metrics.ssim import ssim

if TYPE_CHECKING:
    from lit_restore.metrics.average import PSNR, SSIM
    from lit_restore.metrics.hole_average import HolePSNR

__all__ = [
    "NOTES",
    "PAPER",
    "PROTOCOLS",
    "PSNR",
    "RGB",
    "SSIM",
    "Figure",
    "HolePSNR",
    "Protocol",
    "Y",
    "hole_psnr",
    "luma",
    "mean_figure",
    "psnr",
    "scikit_ssim",
    "ssim",
]


def __getattr__(name: str) -> Any:
    """Import torchmetrics only for the classes that are built on it."""
    if name in ("PSNR", "SSIM"):
        from lit_restore.metrics import average

        return getattr(average, name)
    if name == "HolePSNR":
        from lit_restore.metrics.hole_average import HolePSNR

        return HolePSNR
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
