"""Luma, and the signal-to-noise ratio that super-resolution is measured by."""

from torch import Tensor

from lit_restore.metrics.psnr import psnr

_WEIGHTS = (65.481, 128.553, 24.966)
_OFFSET = 16.0


def luma(image: Tensor) -> Tensor:
    """Compute BT.601 luma in studio range: black is 16 and white 235 of 255. Nothing is rounded.

    Args:
        image: Shape (N, 3, H, W), RGB in unit range.

    Returns:
        Shape (N, 1, H, W), in 16 / 255 .. 235 / 255.

    Raises:
        ValueError: If ``image`` has not three channels.

    Source:
        ITU-R BT.601; MATLAB's ``rgb2ycbcr``.
    """
    if image.ndim != 4 or image.shape[1] != 3:
        raise ValueError(f"image must have shape (N, 3, H, W), got {tuple(image.shape)}")
    weights = image.new_tensor(_WEIGHTS).view(3, 1, 1)
    return ((image * weights).sum(dim=1, keepdim=True) + _OFFSET) / 255


def psnr_y(prediction: Tensor, target: Tensor, crop: int) -> Tensor:
    """Peak signal-to-noise ratio of the luma, as super-resolution networks are compared.

    The prediction is clipped and not rounded; the target loses what it has more at the right and
    at the bottom, since a picture is cut to a multiple of the scale before it is made smaller; a
    border is left out; the error is computed in float64.

    Args:
        prediction: Shape (N, 3, H, W), RGB, or (N, 1, H, W), luma as ``luma`` gives it; in unit
            range, which it may leave.
        target: The same channels, at least as high and as wide, in unit range.
        crop: The border that is left out at each side, in pixels; the scale, by custom.

    Returns:
        Shape (N,), float64, in dB; infinite where the two are equal.

    Raises:
        ValueError: If the target is smaller than the prediction, has other channels or other than
            one or three, or the crop leaves nothing.

    Source:
        Timofte et al., "A+: Adjusted Anchored Neighborhood Regression for Fast Super-Resolution",
        ACCV 2014, whose evaluation later papers follow.
    """
    height, width = prediction.shape[-2:]
    if prediction.shape[:2] != target.shape[:2] or not _covers(target, prediction):
        raise ValueError(
            "target must have the prediction's channels and at least its size, got "
            f"{tuple(target.shape)} for {tuple(prediction.shape)}"
        )
    if crop < 0 or min(height, width) <= 2 * crop:
        raise ValueError(f"crop must be 0 or more and leave some of {height}x{width}, got {crop}")
    pictures = (prediction.double().clamp(0, 1), target.double()[..., :height, :width])
    inner = (one[..., crop : height - crop, crop : width - crop] for one in pictures)
    first, second = (one if one.shape[1] == 1 else luma(one) for one in inner)
    return psnr(first, second)


def _covers(target: Tensor, prediction: Tensor) -> bool:
    pairs = zip(target.shape[-2:], prediction.shape[-2:], strict=True)
    return all(of_target >= of_prediction for of_target, of_prediction in pairs)
