"""Pictures: files, degradations, datasets; torch, NumPy and Pillow."""

from lit_restore.data._labelled_look import fitted_size
from lit_restore.data.blind import BlindDownsample, Stage
from lit_restore.data.blur import GaussianBlur, RandomBlur, RandomSinc
from lit_restore.data.border_weights import BorderWeights, border_weights
from lit_restore.data.classes import BINARY, Classes, make_classes, voc_colours
from lit_restore.data.classification import ClassificationDataset
from lit_restore.data.codes import tensorflow_codes
from lit_restore.data.cutmix import CutMix, cutmix_box
from lit_restore.data.cutout import Cutout
from lit_restore.data.dead_leaves import DeadLeaves, palette
from lit_restore.data.degradation import Chain, Degradation
from lit_restore.data.degradations import GaussianNoise, Grayscale, JPEGCompression, Mosaic
from lit_restore.data.downsample import BicubicDownsample
from lit_restore.data.elastic import elastic_displacement
from lit_restore.data.folds import deal_folds
from lit_restore.data.images import list_images, read_image, write_image
from lit_restore.data.inpainting import InpaintingDataset
from lit_restore.data.interleaved import InterleavedDataset
from lit_restore.data.irregular_masks import IrregularMasks
from lit_restore.data.joint_augmentation import JointAugmentation
from lit_restore.data.label_files import classes_of_files, write_classes
from lit_restore.data.label_images import LabelError, LabelReader, read_classes
from lit_restore.data.mask_folder import MaskFolder
from lit_restore.data.masks import CenterMask, MaskSource, RectangleMasks
from lit_restore.data.mixing import Mixing, MixingCollate, OneOf
from lit_restore.data.mixup import Mixup
from lit_restore.data.paired import PairedDataset
from lit_restore.data.random_degradations import RandomJPEG, RandomNoise, RandomResize
from lit_restore.data.resize import (
    matlab_resize,
    resize_bicubic_pillow,
    resize_bicubic_tensorflow,
    resize_nearest,
)
from lit_restore.data.restoration import RestorationDataset
from lit_restore.data.sampling import EpochSampler, sample_generator
from lit_restore.data.segmentation import SegmentationDataset
from lit_restore.data.stems import pair_by_stem
from lit_restore.data.style_transfer import StyleTransferPictures, read_style_transfer
from lit_restore.data.super_resolution import SuperResolutionDataset
from lit_restore.data.unpaired import UnpairedDataset

__all__ = [
    "BINARY",
    "BicubicDownsample",
    "BlindDownsample",
    "BorderWeights",
    "CenterMask",
    "Chain",
    "Classes",
    "ClassificationDataset",
    "CutMix",
    "Cutout",
    "DeadLeaves",
    "Degradation",
    "EpochSampler",
    "GaussianBlur",
    "GaussianNoise",
    "Grayscale",
    "InpaintingDataset",
    "InterleavedDataset",
    "IrregularMasks",
    "JPEGCompression",
    "JointAugmentation",
    "LabelError",
    "LabelReader",
    "MaskFolder",
    "MaskSource",
    "Mixing",
    "MixingCollate",
    "Mixup",
    "Mosaic",
    "OneOf",
    "PairedDataset",
    "RandomBlur",
    "RandomJPEG",
    "RandomNoise",
    "RandomResize",
    "RandomSinc",
    "RectangleMasks",
    "RestorationDataset",
    "SegmentationDataset",
    "Stage",
    "StyleTransferPictures",
    "SuperResolutionDataset",
    "UnpairedDataset",
    "border_weights",
    "classes_of_files",
    "cutmix_box",
    "deal_folds",
    "elastic_displacement",
    "fitted_size",
    "list_images",
    "make_classes",
    "matlab_resize",
    "pair_by_stem",
    "palette",
    "read_classes",
    "read_image",
    "read_style_transfer",
    "resize_bicubic_pillow",
    "resize_bicubic_tensorflow",
    "resize_nearest",
    "sample_generator",
    "tensorflow_codes",
    "voc_colours",
    "write_classes",
    "write_image",
]
