"""How a saved functional model says who calls whom, in the spellings of Keras 1, 2 and 3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lit_restore.interop._graph_common import GraphError

_CONSTANT = "_CONSTANT_VALUE"
_LITERALS = ("__numpy__", "__tensor__", "__tuple__")
_OPERATIONS = ("keras.src.ops", "keras.ops", "keras.src.backend")
_PACKAGES = ("keras", "tf_keras", "tensorflow")
_FOREIGN = ("GroupNormalization", "InstanceNormalization")  # of other libraries, and understood
MODELS = ("Functional", "Model", "Sequential")


@dataclass(frozen=True)
class Ref:
    """An output of a layer's call: which layer, which of its calls, which of the outputs."""

    layer: str
    call: int
    output: int


@dataclass(frozen=True)
class Call:
    """One call of a layer; trees of ``Ref`` and plain values."""

    args: list[Any]
    kwargs: dict[str, Any]

    def refs(self) -> list[Ref]:
        """List the layer outputs that are passed, in order."""
        return list(_refs([self.args, list(self.kwargs.values())]))

    def positional(self) -> list[Ref]:
        """List the layer outputs among the positional arguments, in order."""
        return list(_refs(self.args))

    def constants(self) -> list[Any]:
        """List what else there is among the positional arguments."""
        return [value for value in _leaves(self.args) if not isinstance(value, Ref)]


@dataclass(frozen=True)
class Entry:
    """A layer as a model's configuration lists it.

    Attributes:
        name: Its name within the model.
        class_name: Its class; one of another package is ``package>name``.
        config: Its arguments.
        calls: Its calls; none within a Sequential.
        operation: Whether it is a function of ``keras.ops``, which shares names with layers.
    """

    name: str
    class_name: str
    config: dict[str, Any]
    calls: list[Call] = field(default_factory=list)
    operation: bool = False


def entries(config: Mapping[str, Any]) -> list[Entry]:
    """Read the layers of a model's arguments.

    Raises:
        GraphError: If they are no list of layers, each with a name, a class and arguments.
    """
    layers = config.get("layers")
    if not isinstance(layers, list):
        raise GraphError(f"expected a model with a list of layers, got {sorted(config)[:9]}")
    names = {_name(layer) for layer in layers}
    if len(names) < len(layers):
        raise GraphError(f"expected layers of different names, got {len(layers)}: {sorted(names)}")
    return [_entry(layer, names) for layer in layers]


def references(value: Any) -> list[Ref]:
    """Read ``input_layers`` or ``output_layers``: one, a list, or a dict of ``[name, i, j]``."""
    if _is_reference(value):
        return [Ref(*value[:3])]
    if isinstance(value, Mapping):
        return [ref for key in sorted(value) for ref in references(value[key])]
    if isinstance(value, list):
        return [ref for item in value for ref in references(item)]
    raise GraphError(f"expected references to layers, [name, call, output]; got {value!r}")


def _name(layer: Any) -> str:
    if not isinstance(layer, Mapping) or not isinstance(layer.get("class_name"), str):
        raise GraphError(f"expected a layer with a class_name, got {str(layer)[:80]}")
    config = layer.get("config")
    name = layer.get("name") or (config.get("name") if isinstance(config, Mapping) else None)
    if not isinstance(name, str):
        raise GraphError(f"expected a {layer['class_name']} with a name, got {name!r}")
    return name


def _entry(layer: Mapping[str, Any], names: set[str]) -> Entry:
    config = layer.get("config")
    if isinstance(config, list):  # a Sequential of Keras 1 and early 2
        config = {"name": _name(layer), "layers": config}
    if not isinstance(config, Mapping):
        raise GraphError(f"{_name(layer)}: expected the layer's arguments, got {config!r}")
    nodes = layer.get("inbound_nodes") or []
    calls = [_call(node, names) for node in nodes]
    class_name = _class_name(layer)
    operation = any(isinstance(node, Mapping) for node in nodes) and _is_operation(layer, config)
    return Entry(_name(layer), class_name, dict(config), calls, operation)


def _class_name(layer: Mapping[str, Any]) -> str:
    """Give a layer's class: Keras's by its plain name, another with its package.

    A ``.keras`` file keeps the module; an ``.h5`` file the package of a registered class.
    """
    package, _, name = str(layer["class_name"]).rpartition(">")
    own = layer.get("registered_name")
    if "module" in layer and str(layer["module"]).partition(".")[0] not in _PACKAGES:
        package = own.rpartition(">")[0] if isinstance(own, str) else ""
        package = package or str(layer["module"] or "Custom")
    return f"{package}>{name}" if package and name not in _FOREIGN else name


def _is_operation(layer: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    """Tell a function of ``keras.ops`` from a layer of the same class name.

    A ``.keras`` file keeps the module; an ``.h5`` file of Keras 3 doesn't, but only layers and
    models have a type or can be frozen.
    """
    if isinstance(layer.get("module"), str):
        return layer["module"].startswith(_OPERATIONS)
    known = layer["class_name"] in (*MODELS, "InputLayer")
    return not known and "trainable" not in config and "dtype" not in config


def _call(node: Any, names: set[str]) -> Call:
    if isinstance(node, Mapping):  # Keras 3
        return Call(
            [_decoded(value) for value in node.get("args", [])],
            {key: _decoded(value) for key, value in node.get("kwargs", {}).items()},
        )
    if not isinstance(node, list) or not node:
        raise GraphError(f"expected the call of a layer, got {node!r}")
    if isinstance(node[0], str):  # TFOpLambda: one level less
        return Call([_old_value(node)], _old_kwargs(node, names))
    inputs = [_old_value(item) for item in node]
    return Call(inputs if len(inputs) == 1 else [inputs], _old_kwargs(node[0], names))


def _old_value(item: Any) -> Any:
    if isinstance(item, list) and len(item) >= 3 and item[0] == _CONSTANT:
        return item[2]
    return _ref(item)


def _old_kwargs(item: list[Any], names: set[str]) -> dict[str, Any]:
    kwargs = item[3] if len(item) > 3 and isinstance(item[3], Mapping) else {}
    return {key: _old_tree(value, names) for key, value in kwargs.items()}


def _old_tree(value: Any, names: set[str]) -> Any:
    if _is_reference(value) and len(value) == 3 and value[0] in names:
        return Ref(*value)
    if isinstance(value, list):
        return [_old_tree(item, names) for item in value]
    return value


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    config = value.get("config")
    if value.get("class_name") == "__keras_tensor__" and isinstance(config, Mapping):
        return _ref(config.get("keras_history"))
    if value.get("class_name") in _LITERALS and isinstance(config, Mapping):
        return _decoded(config.get("value"))
    return {key: _decoded(item) for key, item in value.items()}


def _ref(value: Any) -> Ref:
    if not _is_reference(value):
        raise GraphError(f"expected a reference to a layer, [name, call, output]; got {value!r}")
    return Ref(*value[:3])


def _is_reference(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) >= 3
        and isinstance(value[0], str)
        and all(type(item) is int for item in value[1:3])
    )


def _refs(tree: Any) -> Iterator[Ref]:
    return (value for value in _leaves(tree) if isinstance(value, Ref))


def _leaves(tree: Any) -> Iterator[Any]:
    """Yield the references and plain values of a tree, but for None."""
    if isinstance(tree, list):
        for item in tree:
            yield from _leaves(item)
    elif isinstance(tree, Mapping):
        yield from _leaves(list(tree.values()))
    elif tree is not None:
        yield tree
