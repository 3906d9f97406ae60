"""The layout of ``.weights.h5`` and ``.keras``: groups as the objects lie in one another.

Each layer's arrays are numbered in its group ``vars``, whose attribute ``name`` is the layer's
name; the group's own name is its class with a counter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from lit_restore.interop._h5 import Tree, join
from lit_restore.interop._limits import KerasFileError
from lit_restore.interop._names import class_of_group, leaves_of, leaves_of_count, snake_case
from lit_restore.interop._outline import Outline
from lit_restore.interop._raw import RawLayer

if TYPE_CHECKING:
    from lit_restore.interop._h5 import Array

_VARIABLES = "vars"
_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
_SKIPPED = ("optimizer", "metrics", "seed_generator", "_loss_tracker")  # no layers


def has_variables(tree: Tree) -> bool:
    """Whether the file has this layout."""
    names = tree.groups("")
    return _VARIABLES in names or any(name in names for name in _CONTAINERS)


def read_variables(tree: Tree, model: Outline | None) -> list[RawLayer]:
    """Read all layers, in the order of the model's configuration where there is one.

    Args:
        tree: The file.
        model: What the model's configuration says, if there is one.

    Raises:
        KerasFileError: If a layer's arrays cannot be named.
    """
    return list(_below(tree, "", "", model))


def _below(tree: Tree, group: str, path: str, outline: Outline | None) -> Iterator[RawLayer]:
    """Yield the layers in a group, which is a layer itself, a model, or holds layers."""
    names = tree.groups(group)
    if _VARIABLES in names and _is_layer(tree, group, path):
        yield _layer(tree, group, path, outline)
    for name in sorted(names, key=_natural):
        if name == _VARIABLES or name in _SKIPPED:
            continue
        inside = join(group, name)
        if name in _CONTAINERS:
            yield from _contained(tree, inside, path, outline)
        else:
            yield from _below(tree, inside, join(path, name), None)


def _is_layer(tree: Tree, group: str, path: str) -> bool:
    """Whether a group is no mere model around others; a layer may have no arrays."""
    around = not path or any(name in tree.groups(group) for name in _CONTAINERS)
    return not around or bool(tree.arrays(join(group, _VARIABLES)))


def _contained(tree: Tree, group: str, path: str, outline: Outline | None) -> Iterator[RawLayer]:
    by_group = _group_names(outline)
    by_name = {layer.name: layer for layer in outline.layers or ()} if outline else {}
    entries = []
    for position, name in enumerate(sorted(tree.groups(group), key=_natural)):
        own = _own_name(tree, join(group, name))
        layer = by_group.get(name) if own is None else by_name.get(own)
        label = own or (layer.name if layer else name)
        order = list(by_name).index(label) if label in by_name else len(by_name) + position
        entries.append((order, name, label, layer))
    for _, name, label, layer in sorted(entries, key=lambda entry: entry[0]):
        yield from _below(tree, join(group, name), join(path, label), layer)


def _own_name(tree: Tree, group: str) -> str | None:
    return tree.text(join(group, _VARIABLES), "name") if tree.has(join(group, _VARIABLES)) else None


def _group_names(outline: Outline | None) -> Mapping[str, Outline]:
    """Name the groups as Keras does: the class, and from the second on a counter."""
    counts: dict[str, int] = {}
    result = {}
    for layer in (outline.layers or ()) if outline else ():
        name = snake_case(layer.class_name)
        count = counts.get(name, 0)
        counts[name] = count + 1
        result[f"{name}_{count}" if count else name] = layer
    return result


def _layer(tree: Tree, group: str, path: str, outline: Outline | None) -> RawLayer:
    variables = join(group, _VARIABLES)
    names = sorted(tree.arrays(variables), key=_natural)
    arrays = [tree.array(join(variables, name)) for name in names]
    own = path or tree.text(variables, "name") or ""
    class_name = outline.class_name if outline else class_of_group(group.rpartition("/")[2])
    leaves = _leaves(own, class_name, outline, names)
    weights: dict[str, Array] = dict(zip(leaves, arrays, strict=True))
    return RawLayer(own, outline, class_name, weights)


def _leaves(
    layer: str, class_name: str | None, outline: Outline | None, names: list[str]
) -> tuple[str, ...]:
    if not names:
        return ()
    numbered = names == [str(index) for index in range(len(names))]
    if not numbered or class_name is None or leaves_of(class_name, None) is None:
        return tuple(names)  # a layer of another library: its arrays keep their names
    if outline is None:
        leaves = leaves_of_count(class_name, len(names))
    else:
        leaves = leaves_of(class_name, outline.config)
    if leaves is None or len(leaves) != len(names):
        expected = "the configuration of its model" if outline is None else ", ".join(leaves or ())
        raise KerasFileError(
            f"layer {layer!r} ({class_name}) numbers its {len(names)} arrays; "
            f"expected {expected} to name them"
        )
    return leaves


def _natural(name: str) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
