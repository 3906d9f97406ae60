"""What a graph's strides ask of an image's size, and what they make of it."""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

_Scale = tuple[Fraction, Fraction]
_SHRINKING = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D")
_POOLING = ("MaxPooling2D", "AveragePooling2D")
_SIZELESS = ("Flatten", "Reshape", "Permute", "Resizing")
_LARGEST = 1 << 12
_BEYOND = 1 << 64


def input_multiple(graph: Mapping[str, Any]) -> tuple[int, int]:
    """Derive what an image's sides should be multiples of, and how much larger the output is.

    Strides are followed through the graph; what comes behind a Flatten, Reshape, Permute or
    Resizing no longer depends on the image's size in a way that a factor tells.

    Args:
        graph: As ``GraphNetwork`` takes it, checked.

    Returns:
        The multiple, in pixels, and the scale: size of the first output over that of the input,
        1 where it is no whole number, or differs between height and width.
    """
    scales: dict[str, _Scale | None] = {
        entry["name"]: (Fraction(1), Fraction(1)) for entry in graph["inputs"]
    }
    owners = {node["name"]: node for node in graph["nodes"]}
    multiple = 1
    for node in graph["nodes"]:
        before = scales[node["inputs"][0]]
        owner = owners[node["arguments"]["node"]] if node["layer"] == "Again" else node
        scale = None if before is None else _scaled(before, owner)
        scale = scale if scale is None or _is_plausible(scale) else None
        scales[node["name"]] = scale
        if scale is not None:
            multiple = math.lcm(multiple, *(side.denominator for side in scale))
    last = scales[graph["outputs"][0]]
    whole = last is not None and last[0] == last[1] and last[0].denominator == 1
    return min(multiple, _LARGEST), int(last[0]) if whole and last is not None else 1


def _scaled(before: _Scale, node: Mapping[str, Any]) -> _Scale | None:
    kind, arguments = node["layer"], node["arguments"]
    if kind in _SIZELESS or kind.startswith("Global"):
        return None
    factors = _factors(kind, arguments)
    return before[0] * factors[0], before[1] * factors[1]


def _factors(kind: str, arguments: Mapping[str, Any]) -> _Scale:
    if kind in _SHRINKING:
        return _reciprocal(arguments.get("strides", (1, 1)))
    if kind in _POOLING:
        return _reciprocal(arguments.get("strides") or arguments.get("pool_size", (2, 2)))
    if kind in ("DepthToSpace", "SpaceToDepth"):
        side = Fraction(arguments["block_size"])
        return (side, side) if kind == "DepthToSpace" else (1 / side, 1 / side)
    enlarging = {"Conv2DTranspose": ("strides", (1, 1)), "UpSampling2D": ("size", (2, 2))}
    if kind in enlarging:
        height, width = arguments.get(*enlarging[kind])
        return Fraction(height), Fraction(width)
    return Fraction(1), Fraction(1)


def _is_plausible(scale: _Scale) -> bool:
    """Whether a scale is one that networks have, and not a number without end."""
    return all(max(side.numerator, side.denominator) < _BEYOND for side in scale)


def _reciprocal(steps: Any) -> _Scale:
    return Fraction(1, steps[0]), Fraction(1, steps[1])
