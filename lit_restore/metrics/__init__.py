"""Metrics of pictures: a value per picture, its mean, and the protocol that both belong to."""

import importlib
from typing import TYPE_CHECKING, Any

from lit_restore.metrics.boundary import (
    BoundaryFMeasure,
    BoundaryScore,
    boundary_counts,
    thin_edges,
)
from lit_restore.metrics.figure import Figure, mean_figure
from lit_restore.metrics.hole import hole_psnr
from lit_restore.metrics.luma import luma
from lit_restore.metrics.protocol import NOTES, PAPER, PROTOCOLS, RGB, Protocol, Y
from lit_restore.metrics.psnr import psnr
from lit_restore.metrics.rand_score import RandScore, foreground_rand_score, rand_score
from lit_restore.metrics.scikit_ssim import scikit_ssim
from lit_restore.metrics.segmentation import (
    confusion_matrix,
    dice,
    foreground_dice,
    iou,
    mean_present,
    pixel_accuracy,
    predicted_classes,
)
from lit_restore.metrics.ssim import ssim

if TYPE_CHECKING:
    from lit_restore.metrics.average import PSNR, SSIM
    from lit_restore.metrics.hole_average import HolePSNR
    from lit_restore.metrics.inception import InceptionMetrics, inception_metrics
    from lit_restore.metrics.segmentation_scores import SegmentationScores

__all__ = [
    "NOTES",
    "PAPER",
    "PROTOCOLS",
    "PSNR",
    "RGB",
    "SSIM",
    "BoundaryFMeasure",
    "BoundaryScore",
    "Figure",
    "HolePSNR",
    "InceptionMetrics",
    "Protocol",
    "RandScore",
    "SegmentationScores",
    "Y",
    "boundary_counts",
    "confusion_matrix",
    "dice",
    "foreground_dice",
    "foreground_rand_score",
    "hole_psnr",
    "inception_metrics",
    "iou",
    "luma",
    "mean_figure",
    "mean_present",
    "pixel_accuracy",
    "predicted_classes",
    "psnr",
    "rand_score",
    "scikit_ssim",
    "ssim",
    "thin_edges",
]


_WITH_TORCHMETRICS = {
    "PSNR": "average",
    "SSIM": "average",
    "HolePSNR": "hole_average",
    "InceptionMetrics": "inception",
    "inception_metrics": "inception",
    "SegmentationScores": "segmentation_scores",
}


def __getattr__(name: str) -> Any:
    """Import torchmetrics only for the classes that are built on it."""
    if name not in _WITH_TORCHMETRICS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"lit_restore.metrics.{_WITH_TORCHMETRICS[name]}")
    return getattr(module, name)
