"""Lightning callbacks."""

from lit_restore.callbacks.exact_resume import AtomicCheckpointIO, ExactResume
from lit_restore.callbacks.image_logger import ImageLogger
from lit_restore.callbacks.image_writer import ImageWriter

__all__ = ["AtomicCheckpointIO", "ExactResume", "ImageLogger", "ImageWriter"]
