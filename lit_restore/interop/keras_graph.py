"""A saved Keras model's configuration, turned to a flat graph in plain values.

Sequential and functional models of Keras 1, 2 and 3, models within models, layers that are called
several times. Nothing is executed: a layer that holds code is an error that names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lit_restore.interop._graph_common import GraphError
from lit_restore.interop._keras1 import modern
from lit_restore.interop._keras_calls import MODELS, Entry, entries
from lit_restore.interop._keras_layers import is_known as is_known_layer
from lit_restore.interop._keras_layers import known_layers
from lit_restore.interop._keras_nodes import Step
from lit_restore.interop._keras_operations import is_known as is_known_operation
from lit_restore.interop._keras_operations import (
    is_operation,
    known_operations,
    operation_name,
)
from lit_restore.interop._keras_order import channels_first
from lit_restore.interop._keras_writer import ModelWriter, join

_DEEPEST = 32
_MOST_LAYERS = 10_000
_POLICY = "DTypePolicy"


def keras_graph(
    config: Mapping[str, Any],
    shapes: Mapping[str, Mapping[str, Sequence[int]]],
    layers: Mapping[str, Step] | None = None,
) -> dict[str, Any]:
    """Turn a model's configuration to a graph, as ``GraphNetwork`` takes it.

    Nodes are named as their layers, those of a model within a model ``outer/inner``.

    Args:
        config: The model's JSON: ``{"class_name": ..., "config": ...}``.
        shapes: The shapes of each layer's arrays as Keras lays them out, by the layer's path and
            the array's leaf name.
        layers: What to take for the layers of these paths, whatever they are: a graph's layer and
            its arguments.

    Returns:
        The graph.

    Raises:
        GraphError: If the configuration is malformed, or holds layers that are not understood:
            all of them are named, with what is.
    """
    try:
        model = Entry("", str(config.get("class_name")), _arguments(config))
        return _written(model, shapes, layers or {})
    except GraphError:
        raise
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise GraphError(f"the model's configuration is malformed: {reason}") from error


def _written(
    model: Entry,
    shapes: Mapping[str, Mapping[str, Sequence[int]]],
    layers: Mapping[str, Step],
) -> dict[str, Any]:
    leaves = _leaves(model)
    paths = {path for path, _ in leaves}
    if not len(leaves) == len(paths) <= _MOST_LAYERS:
        raise GraphError(f"expected {_MOST_LAYERS} layers at most, each of a name of its own")
    _check_known(leaves, layers)
    first = channels_first([leaf for leaf in leaves if leaf[0] not in layers])
    return ModelWriter(shapes, layers, _is_keras2(leaves), first).write(model)


def _arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    arguments = config.get("config")
    if isinstance(arguments, list):  # a Sequential of Keras 1 and early 2
        return {"layers": arguments}
    if not isinstance(arguments, Mapping) or config.get("class_name") not in MODELS:
        raise GraphError(
            f"expected a model of class {', '.join(MODELS)}, got {config.get('class_name')!r}"
        )
    return dict(arguments)


def _leaves(entry: Entry, path: str = "", depth: int = 0) -> list[tuple[str, Entry]]:
    if depth > _DEEPEST:
        raise GraphError(f"expected models within models at most {_DEEPEST} deep, got more")
    if entry.class_name not in MODELS:
        return [(path, entry)]
    return [
        leaf
        for inner in entries(entry.config)
        for leaf in _leaves(inner, join(path, inner.name), depth + 1)
    ]


def _is_keras2(leaves: list[tuple[str, Entry]]) -> bool:
    """Whether no layer says its input's size or its type in the way of Keras 3."""
    configs = [entry.config for _, entry in leaves]
    types = [config.get("dtype") for config in configs]
    policy = any(isinstance(kind, dict) and kind.get("class_name") == _POLICY for kind in types)
    return not policy and not any("batch_shape" in config for config in configs)


def _check_known(leaves: list[tuple[str, Entry]], layers: Mapping[str, Step]) -> None:
    paths = {path for path, _ in leaves}
    if strangers := sorted(set(layers) - paths):
        raise GraphError(f"there are no layers {strangers}; there are {', '.join(sorted(paths))}")
    unknown = [
        f"{path} ({_described(entry)})"
        for path, entry in leaves
        if path not in layers and not _is_understood(entry)
    ]
    if unknown:
        raise GraphError(
            f"not understood: {', '.join(unknown)}. What is: {', '.join(known_layers())}; "
            f"the functions {', '.join(known_operations())}. A layer can be replaced by one that "
            'is, by its name: layers={"name": DepthToSpace(2)}'
        )


def _is_understood(entry: Entry) -> bool:
    if is_operation(entry):
        return is_known_operation(entry)
    return entry.class_name == "InputLayer" or is_known_layer(
        modern(entry.class_name, entry.config)[0]
    )


def _described(entry: Entry) -> str:
    if entry.class_name == "Lambda":
        return "Lambda: code, which is not run"
    return (
        f"{entry.class_name} {operation_name(entry)}" if is_operation(entry) else entry.class_name
    )
