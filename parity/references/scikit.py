"""Metrics as scikit-image computes them; not differentiable.

Compared are the target and what lies halfway from it to the prediction: pictures that are alike.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from parity.references._common import Tensors


def psnr(t: Tensors) -> Tensors:
    """scikit-image's peak signal-to-noise ratio, in dB."""
    return _each(t, peak_signal_noise_ratio, {"data_range": 1.0})


def ssim(t: Tensors, gaussian: bool, sample: bool) -> Tensors:
    """scikit-image's structural similarity."""
    options = {"data_range": 1.0, "channel_axis": -1, "use_sample_covariance": sample}
    window = {"gaussian_weights": True, "sigma": 1.5} if gaussian else {}
    return _each(t, structural_similarity, options | window)


def _each(t: Tensors, figure: Callable[..., Any], options: dict[str, Any]) -> Tensors:
    halfway = (t["prediction"] + t["target"]) / 2
    pairs = zip(t["target"].numpy(), halfway.numpy(), strict=True)
    return {"output": tf.constant([figure(*pair, **options) for pair in pairs], tf.float64)}
