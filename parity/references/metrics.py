"""Metrics of pictures in unit range, one value per picture."""

import tensorflow as tf

from parity.references._common import Tensors


def psnr(t: Tensors) -> Tensors:
    """Peak signal-to-noise ratio, in dB."""
    return {"output": tf.image.psnr(t["target"], t["prediction"], max_val=1.0)}


def ssim(t: Tensors) -> Tensors:
    """Structural similarity with TensorFlow's defaults."""
    return {"output": tf.image.ssim(t["target"], t["prediction"], max_val=1.0)}
