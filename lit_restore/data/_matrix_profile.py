"""Colour profiles of a matrix and curves, applied in float; Pillow applies them with 8 bits."""

import struct

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_HEADER = 128
# The primaries of sRGB as columns, adapted to the profile connection space's white, D50.
_SRGB = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)


def matrix_to_srgb(planes: Floats, profile: bytes) -> Floats | None:
    """Convert a picture to sRGB by a profile of the kind that cameras and displays have.

    Args:
        planes: Shape (1, H, W) or (3, H, W), unit range.
        profile: The ICC profile, for grey or RGB pictures like this one.

    Returns:
        The same shape, clipped to unit range; ``None`` if the profile is of another kind.

    Source:
        International Color Consortium, "Specification ICC.1:2022", sections 8.3, 8.4 and 10;
        IEC 61966-2-1 for the curve of sRGB.
    """
    tags = _tags(profile)
    if len(planes) == 1:
        if "kTRC" not in tags or "A2B0" in tags:
            return None
        return _encoded(_curve(planes[0], tags["kTRC"]))[None]
    needed = [f"{channel}{part}" for channel in "rgb" for part in ("XYZ", "TRC")]
    if any(name not in tags for name in needed) or any(name.startswith("A2B") for name in tags):
        return None
    linear = np.stack([_curve(planes[i], tags[f"{c}TRC"]) for i, c in enumerate("rgb")])
    primaries = np.stack([_numbers(tags[f"{c}XYZ"][8:20]) for c in "rgb"], axis=1)
    return _encoded(np.einsum("ij,jhw->ihw", np.linalg.inv(_SRGB) @ primaries, linear))


def _tags(profile: bytes) -> dict[str, bytes]:
    (count,) = struct.unpack_from(">I", profile, _HEADER)
    tags = {}
    for index in range(count):
        name, start, size = struct.unpack_from(">4sII", profile, _HEADER + 4 + 12 * index)
        tags[name.decode("latin-1")] = profile[start : start + size]
    return tags


def _numbers(data: bytes) -> Floats:
    return np.frombuffer(data, dtype=">i4").astype(np.float64) / 65536


def _curve(plane: Floats, tag: bytes) -> Floats:
    """Make one channel linear by its curve: a table, a power, or a parametric curve."""
    if tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        return _parametric(plane, kind, _numbers(tag[12 : 12 + 4 * (1, 3, 4, 5, 7)[kind]]))
    (count,) = struct.unpack_from(">I", tag, 8)
    table = np.frombuffer(tag, dtype=">u2", count=count, offset=12).astype(np.float64)
    if count == 0:
        return plane
    if count == 1:
        return plane ** (table[0] / 256)
    return np.interp(plane, np.linspace(0, 1, count), table / 65535)


def _parametric(plane: Floats, kind: int, values: Floats) -> Floats:
    """``(a x + b) ** g + e`` from ``d`` on, ``c x + f`` below; some kinds leave some out."""
    gamma, a, b, c, d, e, f = values[0], 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if kind in (1, 2):
        a, b = values[1:3]
        e = f = values[3] if kind == 2 else 0.0
    elif kind in (3, 4):
        a, b, c, d = values[1:5]
        e, f = values[5:7] if kind == 4 else (0.0, 0.0)
    power = np.maximum(a * plane + b, 0) ** gamma + e
    return np.where(plane >= d, power, c * plane + f)


def _encoded(linear: Floats) -> Floats:
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
