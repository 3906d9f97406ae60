"""Lightning DataModules; each shares its name with a dataset."""

from lit_restore.datamodules.classification import ClassificationDataModule
from lit_restore.datamodules.inpainting import InpaintingDataModule
from lit_restore.datamodules.paired import PairedDataModule
from lit_restore.datamodules.restoration import RestorationDataModule
from lit_restore.datamodules.segmentation import SegmentationDataModule
from lit_restore.datamodules.style_transfer import StyleTransferDataModule
from lit_restore.datamodules.super_resolution import SuperResolutionDataModule
from lit_restore.datamodules.unpaired import UnpairedDataModule

__all__ = [
    "ClassificationDataModule",
    "InpaintingDataModule",
    "PairedDataModule",
    "RestorationDataModule",
    "SegmentationDataModule",
    "StyleTransferDataModule",
    "SuperResolutionDataModule",
    "UnpairedDataModule",
]
