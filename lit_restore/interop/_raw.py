"""A layer's arrays as they were found, and their distribution over a nested model's layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lit_restore.interop._limits import KerasFileError
from lit_restore.interop._names import (
    is_statistic,
    leaf_of,
    leaves_of,
    path_of,
)
from lit_restore.interop._outline import Outline

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Found:
    """One array of a file.

    Attributes:
        path: What the file writes before its name: scopes and a layer's name.
        leaf: Its name within its layer.
        array: As stored.
    """

    path: str
    leaf: str
    array: Array


@dataclass(frozen=True)
class RawLayer:
    """A layer with its arrays by leaf name, as stored.

    Attributes:
        name: With the models around it: ``outer/conv``.
        outline: What the model's configuration says of it, if there is one.
        class_name: From the configuration, or what the file's format tells; None if unknown.
        weights: By leaf name.
    """

    name: str
    outline: Outline | None
    class_name: str | None
    weights: dict[str, Array]


def found(name: str, array: Array) -> Found:
    """Take an array apart from the name under which the file has it."""
    return Found(path_of(name), leaf_of(name), array)


def plain_layer(name: str, arrays: Sequence[Found], outline: Outline | None) -> RawLayer:
    """Make one layer of all arrays.

    Raises:
        KerasFileError: If two have one name.
    """
    weights: dict[str, Array] = {}
    for one in arrays:
        if one.leaf in weights:
            raise KerasFileError(f"layer {name!r} has two arrays of the name {one.leaf!r}")
        weights[one.leaf] = one.array
    return RawLayer(name, outline, outline.class_name if outline else None, weights)


def split(name: str, arrays: Sequence[Found], outline: Outline | None) -> list[RawLayer]:
    """Make one layer of the arrays, or, where it is a nested model, its layers.

    Args:
        name: Of the layer in the outer model.
        arrays: All that its group holds, in the file's order.
        outline: What the configuration says of it, if there is one.

    Returns:
        One layer; of a nested model its layers, named ``name/inner``, where there is no
        configuration only those with arrays.

    Raises:
        KerasFileError: If it cannot be told which array belongs to which inner layer.
    """
    if outline is not None:
        nested = outline.layers is not None
    else:
        nested = any(not _is_own(name, one.path) for one in arrays)
    if not nested:
        return [plain_layer(name, arrays, outline)]
    if outline is None:
        return _by_path(name, arrays)
    inner = list(outline.leaves())
    groups = _matched(name, arrays, inner) or _in_order(name, arrays, inner)
    return [plain_layer(f"{name}/{path}", groups.get(path, []), layer) for path, layer in inner]


def _is_own(name: str, path: str) -> bool:
    """Whether a scope is the layer's own: its name, maybe numbered by TensorFlow, or none."""
    last = path.rpartition("/")[2]
    return (
        last == name
        or (last.startswith(f"{name}_") and last[len(name) + 1 :].isdigit())
        or not last
    )


def _grouped(arrays: Iterable[Found]) -> dict[str, list[Found]]:
    groups: dict[str, list[Found]] = {}
    for one in arrays:
        groups.setdefault(one.path, []).append(one)
    return groups


def _by_path(name: str, arrays: Sequence[Found]) -> list[RawLayer]:
    return [
        plain_layer(f"{name}/{path.removeprefix(f'{name}/')}", group, None)
        for path, group in _grouped(arrays).items()
    ]


def _matched(
    name: str, arrays: Sequence[Found], inner: Sequence[tuple[str, Outline]]
) -> dict[str, list[Found]] | None:
    """Match scopes with the inner layers' paths, each to just one; None if that fails."""
    result: dict[str, list[Found]] = {}
    for path, group in _grouped(arrays).items():
        own = path.removeprefix(f"{name}/")
        same = [inside for inside, _ in inner if _last(inside) == _last(own)]
        ends = [inside for inside in same if _ends(own, inside) or _ends(inside, own)]
        matches = [own] if own in same else same if len(same) == 1 else ends
        if len(matches) != 1 or matches[0] in result:
            return None
        result[matches[0]] = group
    return result


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _ends(path: str, end: str) -> bool:
    return bool(end) and f"/{path}".endswith(f"/{end}")


def _in_order(
    name: str, arrays: Sequence[Found], inner: Sequence[tuple[str, Outline]]
) -> dict[str, list[Found]]:
    """Deal the arrays out in the order of Keras: all parameters first, then the statistics."""
    slots = [
        (path, leaf, is_statistic(leaf) or layer.config.get("trainable") is False)
        for path, layer in inner
        for leaf in leaves_of(layer.class_name, layer.config) or ()
    ]
    slots.sort(key=lambda slot: slot[2])
    wanted = [leaf for _, leaf, _ in slots]
    got = [one.leaf for one in arrays]
    if wanted != got:
        raise KerasFileError(
            f"the nested model {name!r} should hold {', '.join(wanted)}; it holds {', '.join(got)}"
        )
    result: dict[str, list[Found]] = {}
    for (path, _, _), one in zip(slots, arrays, strict=True):
        result.setdefault(path, []).append(one)
    return result
