"""Training recipes: LightningModules that join networks, losses and optimizers."""

from lit_restore.tasks._forensics import NonFiniteError
from lit_restore.tasks._quality import InceptionWeightsError
from lit_restore.tasks.classification import ClassificationTask
from lit_restore.tasks.cyclegan import CycleGANTask
from lit_restore.tasks.dcgan import DCGANTask
from lit_restore.tasks.inpainting import InpaintingTask
from lit_restore.tasks.pix2pix import Pix2PixTask
from lit_restore.tasks.restoration import RestorationTask
from lit_restore.tasks.segmentation import SegmentationTask
from lit_restore.tasks.style_transfer import StyleTransferTask
from lit_restore.tasks.super_resolution_gan import SuperResolutionGANTask

__all__ = [
    "ClassificationTask",
    "CycleGANTask",
    "DCGANTask",
    "InceptionWeightsError",
    "InpaintingTask",
    "NonFiniteError",
    "Pix2PixTask",
    "RestorationTask",
    "SegmentationTask",
    "StyleTransferTask",
    "SuperResolutionGANTask",
]
