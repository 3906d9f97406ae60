"""The numbers that a case is fed, and what is kept of the numbers that come out; NumPy only.

Inputs are drawn from NumPy's legacy generator, whose stream never changes, and are rounded to
float32, so that a float64 and a float32 computation start from the same numbers. Between -1 and 1
they are multiples of 2**-23: sums of their products are exact in float64, in whatever order, so
that two right implementations of a single layer mostly agree to the last bit.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Array]

LIMIT = 256


@dataclass(frozen=True)
class Draw:
    """How an input array is drawn: evenly from ``low`` to ``high``, in Keras's layout.

    Attributes:
        shape: Images are (N, H, W, C), kernels as Keras has them; best with no two sizes equal.
        low: Lower end of the values.
        high: Upper end of the values.
        kind: ``"variable"`` is differentiated, ``"constant"`` is not, ``"codes"`` is a uint8
            picture that holds all 256 codes where it is large enough, and ``"mask"`` is of ones and
            zeros, which lie in blocks of a third of the image's side, and alone.
    """

    shape: tuple[int, ...]
    low: float = -1.0
    high: float = 1.0
    kind: Literal["variable", "constant", "codes", "mask"] = "variable"


def draw(draws: Mapping[str, Draw], seed: str) -> Arrays:
    """Draw the arrays of a case; floats are float64 that hold float32 values.

    Args:
        draws: How to draw each array, by its name.
        seed: Any text; the case's name.
    """
    rng = np.random.RandomState(zlib.crc32(seed.encode()))
    return {name: _draw(one, rng) for name, one in draws.items()}


def _draw(one: Draw, rng: np.random.RandomState) -> Array:
    if one.kind == "codes":
        codes = np.arange(np.prod(one.shape)) % 256
        return rng.permutation(codes).astype(np.uint8).reshape(one.shape)
    if one.kind == "mask":
        return _mask(one.shape, rng)
    unit = rng.randint(0, 2**24, one.shape) / 2**24
    return (one.low + (one.high - one.low) * unit).astype(np.float32).astype(np.float64)


def _mask(shape: tuple[int, ...], rng: np.random.RandomState) -> Array:
    """Draw a mask of shape (N, H, W, 1): some of nine blocks are holes, and single pixels are."""
    count, height, width, _ = shape
    blocks = rng.randint(0, 2, (count, 3, 3))
    blocks[:, 0, 0], blocks[:, 1, 1] = 1, 0  # so that there is a hole, and more than a hole
    rows, columns = np.arange(height) * 3 // height, np.arange(width) * 3 // width
    valid = blocks[:, rows[:, None], columns] * (rng.randint(0, 8, (count, height, width)) > 0)
    return np.asarray(valid[..., None], np.float64)


def probe(shape: tuple[int, ...]) -> Array:
    """Draw what an output is multiplied by before its sum is differentiated; float64."""
    return draw({"probe": Draw(shape)}, f"probe {shape}")["probe"]


def cast(array: Array, dtype: str) -> Array:
    """Convert floats to ``dtype``; leave codes as they are."""
    return array.astype(dtype) if array.dtype.kind == "f" else array


def sketch(array: Array) -> Array:
    """Keep an array of up to ``LIMIT`` values whole, and ``LIMIT`` weighted sums of a larger one.

    Every value enters one of the sums with a weight of its own, so a change of any value, or of
    their order, changes the sketch. Rounding errors stay as large as they were beside the values.
    The weights have 13 bits, so that sums of codes are exact.
    """
    flat = array.reshape(-1).astype(np.float64)
    if flat.size <= LIMIT:
        return flat.reshape(array.shape)
    rows = -(-flat.size // LIMIT)
    rng = np.random.RandomState(rows)
    weights = rng.choice((-1, 1), (rows, LIMIT)) * rng.randint(2**11, 3 * 2**11, (rows, LIMIT))
    padded = np.pad(flat, (0, rows * LIMIT - flat.size)).reshape(rows, LIMIT)
    return np.asarray((padded * weights / 2**12).sum(axis=0) / rows**0.5)


def digest(arrays: Arrays, about: object) -> str:
    """Hash what a result follows from: the input arrays, and ``about``, which JSON can hold."""
    sha = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        sha.update(f"{name} {array.dtype.str} {array.shape}".encode())
        sha.update(array.tobytes())
    return sha.hexdigest()
