"""Losses; torch only. Each is called as ``loss(prediction, target)``."""

from lit_restore.losses.pixel import (
    CharbonnierLoss,
    L1Loss,
    L2Loss,
    charbonnier_loss,
    l1_loss,
    l2_loss,
)
from lit_restore.losses.probability import ProbabilityBCELoss, probability_bce_loss

__all__ = [
    "CharbonnierLoss",
    "L1Loss",
    "L2Loss",
    "ProbabilityBCELoss",
    "charbonnier_loss",
    "l1_loss",
    "l2_loss",
    "probability_bce_loss",
]
