"""Shapes for irregular masks, several at once: thin lines and dots, then thickened by a brush."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

Kind = Literal["walk", "stroke", "ellipse", "blob"]
KINDS: tuple[Kind, ...] = ("walk", "stroke", "ellipse", "blob")

_VERTICES = 16


def outlines(
    rng: np.random.Generator, kinds: Sequence[Kind], count: int, side: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw shapes of random kind, direction and extent, which start at or lie about the origin.

    Args:
        rng: The only source of randomness.
        kinds: To choose from, evenly.
        count: How many.
        side: Of the square that has the area of the canvas, in pixels.

    Returns:
        Vertices as (column, row), in pixels, shape (count, vertices, 2), and which of the shapes
        are filled, shape (count,), bool.
    """
    index = np.array([KINDS.index(kind) for kind in kinds])[rng.integers(len(kinds), size=count)]
    walk, path, blob = index == 0, index < 2, index == 3
    vertices = np.where(path[:, None, None], _paths(rng, walk, side), _rings(rng, blob, side))
    return vertices, blob


def paint(vertices: np.ndarray, filled: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Draw shapes, a pixel thin unless filled, each over those after it.

    Args:
        vertices: As (column, row), in pixels, shape (count, vertices, 2); at most 255 shapes.
        filled: Which of them are filled, shape (count,).
        size: Height and width of the canvas, in pixels.

    Returns:
        Shape (height, width), uint8: ``count`` for the first shape, down to 1 for the last, 0 where
        there is none.
    """
    canvas = Image.new("L", size[::-1])
    pen = ImageDraw.Draw(canvas)
    shapes = zip(vertices.reshape(len(vertices), -1).tolist(), filled.tolist(), strict=True)
    for code, (points, fill) in enumerate(reversed(list(shapes)), 1):
        if fill:
            pen.polygon(points, fill=code)
        pen.line(points, fill=code)
    return np.asarray(canvas)


def thicken(codes: np.ndarray, width: int, rounded: bool) -> np.ndarray:
    """Run a brush over what is not 0; where several shapes meet, the largest code is seen.

    Args:
        codes: Shape (H, W), uint8.
        width: Of the brush, in pixels, at least 1.
        rounded: Whether the brush is a regular octagon rather than a square.

    Returns:
        Shape (H - width + 1, W - width + 1): the places where the brush lies within the canvas.
    """
    slant = round(0.293 * (width - 1)) if rounded and width > 3 else 0  # 1 / (2 + sqrt 2) of it
    straight = width - 2 * slant  # at least 2: diagonal steps alone would leave a chessboard
    codes = _spread(_spread(codes, straight, (1, 0)), straight, (0, 1))
    return _spread(_spread(codes, slant + 1, (1, 1)), slant + 1, (1, -1))


def _spread(codes: np.ndarray, length: int, step: tuple[int, int]) -> np.ndarray:
    """Take the largest of ``length`` pixels in a row, each ``step`` (down, right) from the last."""
    done = 1
    while done < length:  # twice as many each time
        more = min(done, length - done)
        down, right = more * step[0], more * step[1]
        one, other = codes[: len(codes) - down], codes[down:]
        if right < 0:
            one, other, right = other, one, -right
        width = codes.shape[1] - right
        codes = np.maximum(one[:, :width], other[:, right:])
        done += more
    return codes


def _paths(rng: np.random.Generator, walk: np.ndarray, side: float) -> np.ndarray:
    """Walks, which turn at random, and strokes, which keep to a bend."""
    count = len(walk)
    bend = np.where(walk, 0, rng.normal(0, 0.06, count))[:, None]
    unrest = np.where(walk, 0.7, 0.05)[:, None]
    turns = bend + unrest * rng.standard_normal((count, _VERTICES - 1))
    turns[:, 0] = rng.uniform(0, 2 * np.pi, count)
    heading = turns.cumsum(1)
    step = side * np.exp(rng.uniform(-3, 0, (count, 1, 1))) / (_VERTICES - 1)
    moves = step * np.stack([np.cos(heading), np.sin(heading)], -1)
    return np.concatenate([np.zeros((count, 1, 2)), moves.cumsum(1)], 1)


def _rings(rng: np.random.Generator, blob: np.ndarray, side: float) -> np.ndarray:
    """Ellipses, and blobs, which are mostly smaller and of uneven radius."""
    count = len(blob)
    angle = np.linspace(0, 2 * np.pi, _VERTICES)  # the last vertex is the first
    long = side * np.exp(rng.uniform(-3.5, np.where(blob, -2.5, -1.3)))[:, None]
    short = long * rng.uniform(0.3, 1, (count, 1))
    uneven = rng.normal(0, 0.3, (count, _VERTICES)) * blob[:, None]
    uneven[:, -1] = uneven[:, 0]
    x, y = np.exp(uneven) * (long * np.cos(angle), short * np.sin(angle))
    tilt = rng.uniform(0, np.pi, (count, 1))
    cosine, sine = np.cos(tilt), np.sin(tilt)
    return np.stack([x * cosine - y * sine, x * sine + y * cosine], -1)
