"""Losses; torch only. Each is called as ``loss(prediction, target)``, but for those of scores."""

from lit_restore.losses.adversarial import AdversarialLoss, gradient_penalty
from lit_restore.losses.cross_entropy import (
    SegmentationCrossEntropy,
    segmentation_cross_entropy,
)
from lit_restore.losses.dice import DiceLoss, dice_loss
from lit_restore.losses.focal import FocalLoss, focal_loss
from lit_restore.losses.gram import correlation_matrix, covariance_matrix, gram_matrix
from lit_restore.losses.hole_psnr import HolePSNRLoss
from lit_restore.losses.inpainting import InpaintingLoss
from lit_restore.losses.perceptual import FeatureLoss, PerceptualLoss
from lit_restore.losses.pixel import (
    CharbonnierLoss,
    L1Loss,
    L2Loss,
    charbonnier_loss,
    l1_loss,
    l2_loss,
)
from lit_restore.losses.probability import ProbabilityBCELoss, probability_bce_loss
from lit_restore.losses.segmentation import SegmentationLoss
from lit_restore.losses.style import StyleLoss, style_loss
from lit_restore.losses.style_transfer import StyleTransferLoss
from lit_restore.losses.total_variation import (
    IsotropicTotalVariationLoss,
    TotalVariationLoss,
    dilated_hole,
    isotropic_total_variation,
    total_variation,
)

__all__ = [
    "AdversarialLoss",
    "CharbonnierLoss",
    "DiceLoss",
    "FeatureLoss",
    "FocalLoss",
    "HolePSNRLoss",
    "InpaintingLoss",
    "IsotropicTotalVariationLoss",
    "L1Loss",
    "L2Loss",
    "PerceptualLoss",
    "ProbabilityBCELoss",
    "SegmentationCrossEntropy",
    "SegmentationLoss",
    "StyleLoss",
    "StyleTransferLoss",
    "TotalVariationLoss",
    "charbonnier_loss",
    "correlation_matrix",
    "covariance_matrix",
    "dice_loss",
    "dilated_hole",
    "focal_loss",
    "gradient_penalty",
    "gram_matrix",
    "isotropic_total_variation",
    "l1_loss",
    "l2_loss",
    "probability_bce_loss",
    "segmentation_cross_entropy",
    "style_loss",
    "total_variation",
]
