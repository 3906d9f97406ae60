"""Lightning callbacks."""

from lit_restore.callbacks.class_writer import ClassWriter
from lit_restore.callbacks.exact_resume import AtomicCheckpointIO, ExactResume
from lit_restore.callbacks.image_logger import ImageLogger
from lit_restore.callbacks.image_writer import ImageWriter
from lit_restore.callbacks.label_writer import LabelWriter

__all__ = [
    "AtomicCheckpointIO",
    "ClassWriter",
    "ExactResume",
    "ImageLogger",
    "ImageWriter",
    "LabelWriter",
]
