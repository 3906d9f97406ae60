"""Networks at work on whole pictures; torch only."""

from lit_restore.inference.descent import Descent
from lit_restore.inference.inpainter import Inpainter, takes_mask
from lit_restore.inference.latent_sampler import LatentSampler
from lit_restore.inference.luma import restore_luma
from lit_restore.inference.restorer import Restorer, is_translator
from lit_restore.inference.segmenter import Segmenter, decide, is_segmenter, tells_classes

__all__ = [
    "Descent",
    "Inpainter",
    "LatentSampler",
    "Restorer",
    "Segmenter",
    "decide",
    "is_segmenter",
    "is_translator",
    "restore_luma",
    "takes_mask",
    "tells_classes",
]
