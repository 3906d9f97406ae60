"""The oracle's other half: normalisation, activations, and what only moves pixels."""

from dataclasses import dataclass

import numpy as np

from parity.arrays import Array
from parity.fuzz.oracle import Back

_PER_CHANNEL = (0, 2, 3)


@dataclass(frozen=True)
class Norm:
    """The constants of a batch normalisation.

    Attributes:
        eps: Added to the variance.
        momentum: The share of the batch in the statistics that are kept.
        bessel: Whether the variance that is kept is that of a sample: divided by n - 1.
        training: Whether the batch's statistics normalise; else the kept ones.
    """

    eps: float
    momentum: float
    bessel: bool
    training: bool


@dataclass(frozen=True)
class Kept:
    """What a normalisation leaves behind.

    Attributes:
        mean: The running mean afterwards.
        variance: The running variance afterwards.
        gain: The largest factor that a channel was multiplied by, before ``gamma``.
    """

    mean: Array
    variance: Array
    gain: float


def batch_norm(
    image: Array, gamma: Array, beta: Array, kept: tuple[Array, Array], norm: Norm
) -> tuple[Array, Kept, Back]:
    """Normalise each channel over the batch, or by the running ``(mean, variance)``."""
    count = image.size // image.shape[1]
    mean, variance = kept
    if norm.training:
        mean = image.sum(axis=_PER_CHANNEL) / count
        variance = ((image - mean[:, None, None]) ** 2).sum(axis=_PER_CHANNEL) / count
    factor = (variance + norm.eps) ** -0.5
    normal = (image - mean[:, None, None]) * factor[:, None, None]
    after = _after(kept, (mean, variance), count, norm)

    def back(g: Array) -> tuple[Array, ...]:
        d_gamma, d_beta = (g * normal).sum(axis=_PER_CHANNEL), g.sum(axis=_PER_CHANNEL)
        d_image = g
        if norm.training:  # the mean and the variance have moved, too
            d_image = g - (d_beta[:, None, None] + normal * d_gamma[:, None, None]) / count
        return d_image * (gamma * factor)[:, None, None], d_gamma, d_beta

    output = normal * gamma[:, None, None] + beta[:, None, None]
    return output, Kept(*after, float(factor.max())), back


def _after(
    kept: tuple[Array, Array], batch: tuple[Array, Array], count: int, norm: Norm
) -> tuple[Array, Array]:
    if not norm.training:
        return kept
    mean, variance = batch
    variance = variance * count / (count - 1) if norm.bessel else variance
    share = norm.momentum
    return kept[0] * (1 - share) + mean * share, kept[1] * (1 - share) + variance * share


def standardise(
    image: Array, axes: tuple[int, ...], eps: float, of_deviation: bool = False
) -> tuple[Array, float, Back]:
    """Bring all values along some axes to mean 0 and deviation 1, nearly.

    Args:
        image: Shape (N, C, H, W).
        axes: The axes.
        eps: Added to the variance.
        of_deviation: Whether it is added to the deviation instead.

    Returns:
        The result, the largest factor, and ``back``.
    """
    centred = image - image.mean(axis=axes, keepdims=True)
    variance = (centred**2).mean(axis=axes, keepdims=True)
    factor = 1 / (variance**0.5 + eps) if of_deviation else (variance + eps) ** -0.5

    def back(g: Array) -> tuple[Array, ...]:
        # How the factor falls as the deviation grows, over the deviation.
        fall = factor**2 / variance**0.5 if of_deviation else factor**3
        common = (g * centred).mean(axis=axes, keepdims=True)
        return (factor * (g - g.mean(axis=axes, keepdims=True)) - fall * centred * common,)

    return centred * factor, float(factor.max()), back


def scale(image: Array, gamma: Array, beta: Array) -> tuple[Array, Back]:
    """Multiply each channel and add to it."""

    def back(g: Array) -> tuple[Array, ...]:
        d_gamma, d_beta = (g * image).sum(axis=_PER_CHANNEL), g.sum(axis=_PER_CHANNEL)
        return g * gamma[:, None, None], d_gamma, d_beta

    return image * gamma[:, None, None] + beta[:, None, None], back


def relu(image: Array) -> tuple[Array, Back]:
    """Cut below 0; the gradient at 0 is 0."""
    return np.where(image > 0, image, 0.0), lambda g: (np.where(image > 0, g, 0.0),)


def sigmoid(image: Array) -> tuple[Array, Back]:
    """Squash to (0, 1)."""
    output = 1 / (1 + np.exp(-image))
    return output, lambda g: (g * output * (1 - output),)


def mean(image: Array) -> tuple[Array, Back]:
    """Average over the pixels: (N, C, 1, 1)."""
    pixels = image.shape[2] * image.shape[3]
    output = image.sum(axis=(2, 3), keepdims=True) / pixels
    return output, lambda g: (np.broadcast_to(g / pixels, image.shape),)


def depth_to_space(image: Array, scale: int, order: str) -> tuple[Array, Back]:
    """Move channels into blocks of pixels, in TensorFlow's or PyTorch's order of channels."""
    channels = image.shape[1] // scale**2
    output = np.zeros((len(image), channels, *(scale * side for side in image.shape[2:])))
    channel, y, x = np.indices(output.shape[1:])
    place = y % scale * scale + x % scale
    source = place * channels + channel if order == "tensorflow" else channel * scale**2 + place
    output[:] = image[:, source, y // scale, x // scale]

    def back(g: Array) -> tuple[Array, ...]:
        d_image = np.zeros(image.shape)
        d_image[:, source, y // scale, x // scale] = g
        return (d_image,)

    return output, back


def nearest(image: Array, scale: int) -> tuple[Array, Back]:
    """Repeat each pixel."""

    def back(g: Array) -> tuple[Array, ...]:
        height, width = image.shape[2:]
        return (g.reshape(*image.shape[:2], height, scale, width, scale).sum(axis=(3, 5)),)

    return image.repeat(scale, axis=2).repeat(scale, axis=3), back
