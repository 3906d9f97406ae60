"""The layout of Keras 1, Keras 2 and the ``.h5`` of Keras 3: one group per layer, names listed."""

from __future__ import annotations

from collections import Counter

from lit_restore.interop._h5 import Tree, join
from lit_restore.interop._limits import KerasFileError
from lit_restore.interop._names import is_keras1
from lit_restore.interop._outline import Outline
from lit_restore.interop._raw import Found, RawLayer, found, split

_WEIGHTS = "model_weights"
_UNNAMED = {1: ("kernel",), 2: ("kernel", "bias")}
_UNNAMED_NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def root_of(tree: Tree) -> str | None:
    """Find the group that lists the layers; None if the file has another layout."""
    for group in (_WEIGHTS, ""):
        if not group or group in tree.groups(""):
            listed = tree.texts(group, "layer_names")
            if listed is not None or tree.number(group, "nb_layers") is not None:
                return group
    return None


def read_groups(tree: Tree, root: str, model: Outline | None) -> tuple[list[RawLayer], bool]:
    """Read all layers that the file lists.

    Args:
        tree: The file.
        root: From ``root_of``.
        model: What the model's configuration says, if there is one.

    Returns:
        The layers in the file's order, and whether Keras 1 named their arrays.

    Raises:
        KerasFileError: If a listed layer or array is missing, or is listed twice.
    """
    outlines = {layer.name: layer for layer in (model.layers or ())} if model else {}
    layers: list[RawLayer] = []
    keras1 = False
    for name in _layer_names(tree, root):
        group = join(root, name)
        if group not in tree.children:
            raise KerasFileError(f"there is no layer {name!r} in the file: it is cut or damaged")
        names = _weight_names(tree, group, name)
        arrays = [found(weight, tree.array(join(group, weight))) for weight in names]
        if names and names[0].startswith("param_"):
            arrays = _unnamed(name, arrays)
        keras1 |= any(is_keras1(weight) or weight.startswith("param_") for weight in names)
        layers += split(name, arrays, outlines.get(name))
    return layers, keras1


def _layer_names(tree: Tree, root: str) -> list[str]:
    names = tree.texts(root, "layer_names")
    if names is None:
        names = [f"layer_{index}" for index in range(tree.number(root, "nb_layers") or 0)]
    return _once(names, "layers")


def _weight_names(tree: Tree, group: str, layer: str) -> list[str]:
    names = tree.texts(group, "weight_names")
    if names is None:
        count = tree.number(group, "nb_params")
        if count is None:
            raise KerasFileError(f"layer {layer!r} does not say which arrays it has")
        names = [f"param_{index}" for index in range(count)]
    return _once(names, f"arrays of layer {layer!r}")


def _once(names: list[str], what: str) -> list[str]:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise KerasFileError(f"the {what} must be listed once each, {twice[0]!r} is there twice")
    return names


def _unnamed(layer: str, arrays: list[Found]) -> list[Found]:
    """Name arrays that the file only numbers, by how many they are and their axes."""
    ranks = [one.array.ndim for one in arrays]
    leaves = _UNNAMED_NORM if ranks == [1, 1, 1, 1] else _UNNAMED.get(len(arrays))
    if leaves is None:
        raise KerasFileError(
            f"layer {layer!r} only numbers its arrays: expected a kernel with a bias or the four "
            f"of a batch normalization, got axes {ranks}"
        )
    return [Found("", leaf, one.array) for leaf, one in zip(leaves, arrays, strict=True)]
