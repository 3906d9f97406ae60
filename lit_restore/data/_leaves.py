"""What one shape of a dead-leaves picture looks like: its size, outline, colour and light.

Lengths are canvas pixels. ``index`` is the number of the shape seen at each pixel, shape (side,
side); ``offset`` the place in that shape, shape (side, side, 2), in radii from its centre.
"""

import numpy as np

VERTICES = 14  # of every outline; a polygon repeats some of its own


def power_law(rng: np.random.Generator, count: int, low: float, high: float) -> np.ndarray:
    """Draw radii between ``low`` and ``high`` whose density falls with the cube, shape (count,)."""
    near, far = low**-2.0, high**-2.0
    return (near - rng.random(count) * (near - far)) ** -0.5


def outlines(rng: np.random.Generator, count: int, upright: float) -> np.ndarray:
    """Draw ellipses, blobs, polygons, boxes and strokes.

    Args:
        rng: The source of randomness.
        count: How many.
        upright: The part of them whose sides are horizontal and vertical, in [0, 1].

    Returns:
        Vertices about the origin at a radius near 1, shape (count, VERTICES, 2).
    """
    corners = np.where(rng.random(count) < 0.45, VERTICES, rng.integers(3, 7, count))
    box = rng.random(count) < 0.3 + 0.4 * upright
    corners = np.where(box & (corners < VERTICES), 4, corners)[:, None]
    turn = np.floor(np.arange(VERTICES) * corners / VERTICES) * (2 * np.pi / corners) + np.pi / 4
    bend = rng.uniform(0, 0.3, (2, count, 1)) * ~box[:, None]
    phase = rng.uniform(0, 2 * np.pi, (2, count, 1))
    radius = 1 + (bend * np.cos(np.array([[[2]], [[3]]]) * turn + phase)).sum(0)
    stroke = rng.random(count) < 0.25
    stretch = np.exp(np.where(stroke, rng.uniform(0.6, 1.3, count), rng.normal(0, 0.3, count)))
    vertices = (radius * np.exp(1j * turn)).view(np.float64).reshape(count, VERTICES, 2)
    vertices *= np.stack([stretch, 1 / stretch], axis=-1)[:, None]
    angle = rng.uniform(0, 2 * np.pi, count)
    square = (angle / (np.pi / 2)).round() * (np.pi / 2) + rng.normal(0, 0.03, count)
    angle = np.where(rng.random(count) < upright, square, angle)
    return np.einsum("nvi,nij->nvj", vertices, _rotation(angle))


def daylight(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw greys tinted mostly between blue and yellow, in grey levels, shape (count, 3)."""
    warm, green = rng.normal(0, [[0.2], [0.1]], (2, count))
    tint = np.stack([warm - green / 2, green, -warm - green / 2], axis=-1)
    return 255 * rng.beta(1.1, 1.5, (count, 1)) * np.exp(tint)


def paint(
    rng: np.random.Generator, colors: np.ndarray, index: np.ndarray, offset: np.ndarray
) -> np.ndarray:
    """Colour each shape, in part with a gradient toward its second colour.

    Args:
        rng: The source of randomness.
        colors: Two of each shape, (count, 2, 3).
        index: The shape at each pixel.
        offset: The place in it.

    Returns:
        Shape (side, side, 3).
    """
    share = 0.35 * rng.random((len(colors), 1)) ** 2
    change = (share * (colors[:, 1] - colors[:, 0])).astype(np.float32)
    along = np.tanh(offset @ _direction(rng.uniform(0, 2 * np.pi)))
    return colors[:, 0].astype(np.float32)[index] + change[index] * along[..., None]


def shade(
    rng: np.random.Generator, count: int, index: np.ndarray, offset: np.ndarray
) -> np.ndarray:
    """Light ``count`` shapes, roughly from one side; return the light's logarithm, (side, side)."""
    angle = rng.uniform(0, 2 * np.pi) + rng.normal(0, 0.8, count)
    slope = (rng.exponential(0.22, count) * _direction(angle)).T.astype(np.float32)
    bulge = rng.normal(0, 0.12, count).astype(np.float32)
    square = np.einsum("yxi,yxi->yx", offset, offset)
    return np.einsum("yxi,yxi->yx", slope[index], offset) - bulge[index] * square


def texture(rng: np.random.Generator, count: int, index: np.ndarray) -> np.ndarray:
    """Roughen and stripe ``count`` shapes; return the light's logarithm, (side, side)."""
    side = len(index)
    fine, coarse, wide = noise(rng, side, [rng.uniform(0.3, 1), rng.uniform(1, 1.7), 2.2])
    depth = rng.exponential(0.36 * rng.random(), (2, count)) * (rng.random((2, count)) < 0.5)
    striped = 0.36 * rng.random(count) * (rng.random(count) < 0.15)
    rough, rougher, stripe = np.stack([*depth, striped]).astype(np.float32)
    x, y = _direction(rng.uniform(0, 2 * np.pi)) * np.float32(2 * np.pi / rng.uniform(5, 28))
    pixels = np.arange(side, dtype=np.float32)
    wave = np.sin(x * pixels + y * pixels[:, None] + 2 * wide)
    uneven = np.float32(0.25 * rng.random()) * wide
    return rough[index] * fine + rougher[index] * coarse + stripe[index] * wave + uneven


def noise(rng: np.random.Generator, side: int, slopes: list[float]) -> np.ndarray:
    """Draw noise fields whose amplitude falls as frequency to the ``-slope``.

    Returns:
        Shape (slopes, side, side), float32, of zero mean and unit variance each.
    """
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)).astype(np.float32)
    frequency[0, 0] = np.inf
    white = rng.standard_normal((len(slopes), side, side), dtype=np.float32)
    fall = frequency ** -np.array(slopes, np.float32)[:, None, None]
    fields = np.fft.irfft2(np.fft.rfft2(white) * fall)
    return fields / fields.std((1, 2), keepdims=True)


def _direction(angle: float | np.ndarray) -> np.ndarray:
    return np.stack([np.cos(angle), np.sin(angle)]).astype(np.float32)


def _rotation(angle: np.ndarray) -> np.ndarray:
    x, y = np.cos(angle), np.sin(angle)
    return np.moveaxis(np.array([[x, y], [-y, x]]), -1, 0)
