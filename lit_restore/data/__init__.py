"""Pictures: files, degradations, datasets; torch, NumPy and Pillow."""

from lit_restore.data.blind import BlindDownsample, Stage
from lit_restore.data.blur import GaussianBlur, RandomBlur, RandomSinc
from lit_restore.data.codes import tensorflow_codes
from lit_restore.data.dead_leaves import DeadLeaves, palette
from lit_restore.data.degradation import Chain, Degradation
from lit_restore.data.degradations import GaussianNoise, Grayscale, JPEGCompression, Mosaic
from lit_restore.data.downsample import BicubicDownsample
from lit_restore.data.images import list_images, read_image, write_image
from lit_restore.data.inpainting import InpaintingDataset
from lit_restore.data.interleaved import InterleavedDataset
from lit_restore.data.irregular_masks import IrregularMasks
from lit_restore.data.mask_folder import MaskFolder
from lit_restore.data.masks import CenterMask, MaskSource, RectangleMasks
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
from lit_restore.data.stems import pair_by_stem
from lit_restore.data.style_transfer import StyleTransferPictures, read_style_transfer
from lit_restore.data.super_resolution import SuperResolutionDataset
from lit_restore.data.unpaired import UnpairedDataset

__all__ = [
    "BicubicDownsample",
    "BlindDownsample",
    "CenterMask",
    "Chain",
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
    "MaskFolder",
    "MaskSource",
    "Mosaic",
    "PairedDataset",
    "RandomBlur",
    "RandomJPEG",
    "RandomNoise",
    "RandomResize",
    "RandomSinc",
    "RectangleMasks",
    "RestorationDataset",
    "Stage",
    "StyleTransferPictures",
    "SuperResolutionDataset",
    "UnpairedDataset",
    "list_images",
    "matlab_resize",
    "pair_by_stem",
    "palette",
    "read_image",
    "read_style_transfer",
    "resize_bicubic_pillow",
    "resize_bicubic_tensorflow",
    "resize_nearest",
    "sample_generator",
    "tensorflow_codes",
    "write_image",
]
