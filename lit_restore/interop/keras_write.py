"""Weights written as Keras reads them: ``.weights.h5`` of Keras 3, and ``.h5`` of Keras 2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from lit_restore.atomic import replacing
from lit_restore.interop._names import is_statistic, leaves_of, plain_class, snake_case
from lit_restore.interop.keras_files import KerasLayer

if TYPE_CHECKING:
    import h5py

    from lit_restore.interop._h5 import Array

__all__ = ["write_keras"]

_KERAS3, _KERAS2 = ".weights.h5", ".h5"
# Which layout it is: Keras takes a file that names no version for one of Keras 1.
_LAYOUT = {"keras_version": b"2.15.0", "backend": b"tensorflow"}
_ATTRIBUTE_BYTES = 64_000  # HDF5 keeps no more in one attribute; Keras cuts and numbers them
_KINDS = "fiub"
_NO_MODELS: Mapping[str, str] = MappingProxyType({})


def write_keras(
    path: Path | str, layers: Iterable[KerasLayer], *, models: Mapping[str, str] = _NO_MODELS
) -> None:
    """Write layers' arrays as they are, under a temporary name that is then renamed.

    What ``Model.load_weights`` of Keras 3 reads from ``.weights.h5`` goes by the classes of the
    layers and their order among those of one class, so layers without arrays have to be there as
    well if others of their class have some. ``.h5`` goes by the order of the layers with arrays, or
    with ``by_name=True`` by the names, and Keras 2 reads it, too.

    Args:
        path: Where to; must end in ``.weights.h5`` or ``.h5``.
        layers: In the model's order; those of a nested model are named ``outer/conv``.
        models: The classes of nested models by name, ``"Functional"`` where not given; only
            ``.weights.h5`` needs them.

    Raises:
        ValueError: If the path ends otherwise, a name is empty or there twice, a class is unknown
            where the format needs it, or an array is none of Keras's.
    """
    path = Path(path)
    if not path.name.endswith(_KERAS2):
        raise ValueError(f"Keras weights are written as {_KERAS3} or {_KERAS2}, got {path.name}")
    layers = list(layers)
    _check_names([layer.name for layer in layers])
    ordered = [(layer, _ordered(layer)) for layer in layers]
    import h5py

    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        if path.name.endswith(_KERAS3):
            _write_variables(file, ordered, models)
        else:
            _write_groups(file, ordered)


def _check_names(names: Sequence[str]) -> None:
    taken: set[str] = set()
    for name in names:
        parts = name.split("/")
        if any(part in ("", ".", "..") or "\0" in part for part in parts):
            raise ValueError(f"a layer's name must be a text, or several joined by /, got {name!r}")
        if name in taken:
            raise ValueError(f"every layer must have a name of its own, {name!r} is there twice")
        taken.add(name)
    models = {name[:end] for name in names for end, sign in enumerate(name) if sign == "/"}
    if both := sorted(models & taken):
        raise ValueError(f"a layer and a nested model must not share the name {both[0]!r}")


def _ordered(layer: KerasLayer) -> dict[str, Array]:
    """Sort a layer's arrays as Keras does, having checked that they are of its class."""
    for leaf, array in layer.weights.items():
        if array.dtype.kind not in _KINDS or array.dtype.itemsize > 8:
            raise ValueError(f"{layer.name} {leaf}: expected plain numbers, got {array.dtype}")
    known = leaves_of(layer.class_name or "", None)
    if known is None:
        return dict(layer.weights)
    given = {_spelled(leaf, known): array for leaf, array in layer.weights.items()}
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(
            f"{layer.name}: a {layer.class_name} has {', '.join(known)}; got {', '.join(unknown)}"
        )
    return {leaf: given[leaf] for leaf in known if leaf in given}


def _spelled(leaf: str, known: Sequence[str]) -> str:
    # Keras 2 calls the kernel of DepthwiseConv2D "depthwise_kernel", Keras 3 "kernel".
    return "kernel" if leaf == "depthwise_kernel" and leaf not in known else leaf


def _write_variables(
    file: h5py.File,
    layers: Iterable[tuple[KerasLayer, dict[str, Array]]],
    models: Mapping[str, str],
) -> None:
    paths = {"": ""}
    counts: dict[tuple[str, str], int] = {}

    def group_of(name: str, class_name: str) -> str:
        """Give the group of a layer or model, which its class and a counter name."""
        if name not in paths:
            outer = name.rpartition("/")[0]
            above = group_of(outer, models.get(outer, "Functional"))
            key = (outer, snake_case(plain_class(class_name)))
            count = counts.get(key, 0)
            counts[key] = count + 1
            paths[name] = f"{above}/layers/{key[1]}" + (f"_{count}" if count else "")
        return paths[name]

    for layer, arrays in layers:
        if layer.class_name is None:
            raise ValueError(f"{layer.name}: {_KERAS3} files need to know every layer's class")
        variables = file.create_group(f"{group_of(layer.name, layer.class_name)}/vars")
        variables.attrs["name"] = layer.name.rpartition("/")[2]
        for index, array in enumerate(arrays.values()):
            variables.create_dataset(str(index), data=array)
    for name in paths:
        variables = file.require_group(f"{paths[name]}/vars")
        if name:
            variables.attrs["name"] = name.rpartition("/")[2]


def _write_groups(file: h5py.File, layers: Iterable[tuple[KerasLayer, dict[str, Array]]]) -> None:
    content: dict[str, list[tuple[str, str, Array]]] = {}
    for layer, arrays in layers:
        outer, _, inner = layer.name.partition("/")
        scope = inner or outer
        entries = content.setdefault(outer, [])
        entries += [(f"{scope}/{leaf}:0", leaf, array) for leaf, array in arrays.items()]
    file.attrs.update(_LAYOUT)
    _write_texts(file, "layer_names", list(content))
    for name, entries in content.items():
        group = file.create_group(name)
        entries.sort(key=lambda entry: is_statistic(entry[1]))  # a nested model's come last
        _write_texts(group, "weight_names", [weight for weight, _, _ in entries])
        for weight, _, array in entries:
            group.create_dataset(weight, data=array)


def _write_texts(group: h5py.Group, name: str, texts: Sequence[str]) -> None:
    import numpy as np

    encoded = [text.encode("utf-8") for text in texts]
    longest = max(map(len, encoded), default=1)
    if longest > _ATTRIBUTE_BYTES:
        raise ValueError(f"a name must have at most {_ATTRIBUTE_BYTES} bytes, got {longest}")
    size = max(_ATTRIBUTE_BYTES // longest, 1)
    pieces = [encoded[start : start + size] for start in range(0, len(encoded), size)]
    if len(pieces) <= 1:
        group.attrs[name] = np.array(encoded, dtype=f"S{longest}")
        return
    for number, piece in enumerate(pieces):
        group.attrs[f"{name}{number}"] = np.array(piece, dtype=f"S{longest}")
