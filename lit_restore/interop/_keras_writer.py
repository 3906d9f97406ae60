"""How the layers of a Keras model become a graph's nodes: each call of each layer in its turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lit_restore.interop._graph_common import GraphError
from lit_restore.interop._keras1 import modern
from lit_restore.interop._keras_calls import MODELS, Call, Entry, Ref, entries, references
from lit_restore.interop._keras_layers import layer_steps
from lit_restore.interop._keras_nodes import Nodes, Step
from lit_restore.interop._keras_operations import is_operation, operation_step
from lit_restore.interop._keras_order import channels_last
from lit_restore.interop._keras_values import Values

_MOST_CHECKS = 10_000_000
_MOST_MODELS = 1_000
_MOST_CALLED = 100_000  # layers of models, each as often as its model is called
_TRAINED = (
    "BatchNormalization",
    "BatchNormalizationV1",
    "SyncBatchNormalization",
    "Dropout",
    "SpatialDropout2D",
    "GaussianNoise",
    "GaussianDropout",
)


def join(path: str, name: str) -> str:
    """Give the path of a layer within the model of a path."""
    return f"{path}/{name}" if path else name


class ModelWriter:
    """Writes the nodes of a graph, model by model.

    Args:
        shapes: The shapes of each layer's arrays, by path and leaf name.
        layers: What to take for the layers of these paths.
        keras2: Whether the model is of Keras 1 or 2.
        first: Whether the model's maps have their channels first.
    """

    def __init__(
        self,
        shapes: Mapping[str, Mapping[str, Sequence[int]]],
        layers: Mapping[str, Step],
        keras2: bool,
        first: bool,
    ) -> None:
        self.shapes = shapes
        self.layers = layers
        self.keras2 = keras2
        self.first = first
        self.nodes = Nodes()
        self.models = 0
        self.called = 0
        self.checks = 0

    def write(self, model: Entry) -> dict[str, Any]:
        """Give the graph of a model.

        Raises:
            GraphError: If the model is not understood.
        """
        outputs = self._model(model, "", None)
        self.nodes.check_whole()
        return {"inputs": self.nodes.inputs, "outputs": outputs, "nodes": self.nodes.nodes}

    def _model(self, model: Entry, path: str, given: list[str] | None) -> list[str]:
        self.models += 1
        self.called += len(entries(model.config))
        if self.models > _MOST_MODELS or self.called > _MOST_CALLED:
            raise GraphError(
                f"expected {_MOST_MODELS} calls of models at most, of {_MOST_CALLED} layers; "
                "got more"
            )
        if model.class_name == "Sequential":
            return [self._sequential(model, path, given)]
        return self._functional(model, path, given)

    def _sequential(self, model: Entry, path: str, given: list[str] | None) -> str:
        listed = entries(model.config)
        if not listed:
            raise GraphError(f"{path or 'the model'}: expected layers, got none")
        if given is None:
            own = listed[0].class_name == "InputLayer"
            sizes = _input_sizes(listed[0]) or model.config.get("build_input_shape")
            given = [self._input(listed[0], listed[0].name if own else "input", sizes)]
        value = _single(given, path)
        for entry in listed:
            if entry.class_name != "InputLayer":
                call = Call([Ref("", 0, 0)], {})
                value = _single(self._call(entry, join(path, entry.name), call, [value]), path)
        return value

    def _functional(self, model: Entry, path: str, given: list[str] | None) -> list[str]:
        listed = {entry.name: entry for entry in entries(model.config)}
        inputs = references(model.config.get("input_layers"))
        outputs = references(model.config.get("output_layers"))
        values = Values(listed, outputs, self.keras2)
        if given is not None and len(given) != len(inputs):
            raise GraphError(f"{path}: expected {len(inputs)} inputs, got {len(given)}")
        for position, ref in enumerate(inputs):
            entry = listed.get(ref.layer)
            if entry is None:
                raise GraphError(f"{path or 'the model'}: there is no input {ref.layer!r}")
            value = (
                given[position] if given else self._input(entry, entry.name, _input_sizes(entry))
            )
            values.done[entry.name, 0] = [value]
        self._run(listed, path, values)
        return [values.output(ref) for ref in outputs]

    def _run(self, listed: Mapping[str, Entry], path: str, values: Values) -> None:
        waiting = [
            (entry, index, call, call.refs())
            for entry in listed.values()
            for index, call in enumerate(entry.calls)
            if (entry.name, index) not in values.done
        ]
        while waiting:  # files list layers in order: few passes are needed
            self.checks += sum(len(refs) + 1 for *_, refs in waiting)
            later = []
            for entry, index, call, refs in waiting:
                if all(values.ready(ref) for ref in refs):
                    given = [values.input(ref) for ref in refs]
                    place = join(path, entry.name)
                    values.done[entry.name, index] = self._call(entry, place, call, given)
                else:
                    later.append((entry, index, call, refs))
            if len(later) == len(waiting) or self.checks > _MOST_CHECKS:
                names = sorted({entry.name for entry, *_ in later})
                raise GraphError(f"{path or 'the model'}: nothing leads to {', '.join(names)}")
            waiting = later

    def _call(self, entry: Entry, path: str, call: Call, given: list[str]) -> list[str]:
        """Write one call of a layer; ``given`` are the values of ``call.refs()``."""
        if path not in self.layers and entry.class_name in MODELS:
            _check_call(call, path, trained=True)
            return self._model(entry, path, _in_order(entry, path, call, given))
        try:
            return [self._layer(entry, path, call, given)]
        except GraphError as error:
            raise GraphError(f"{path}: {error}") from error

    def _layer(self, entry: Entry, path: str, call: Call, given: list[str]) -> str:
        if path in self.layers:
            return self.nodes.add(path, [self.layers[path]], given)
        if is_operation(entry):
            return self._operation(entry, path, call, given)
        class_name, config = modern(entry.class_name, entry.config)
        config = channels_last(class_name, config) if self.first else config
        _check_call(call, class_name, trained=class_name in _TRAINED)
        steps = layer_steps(class_name, config, self.shapes.get(path, {}), self.keras2)
        return self.nodes.add(path, steps, given)

    def _operation(self, entry: Entry, path: str, call: Call, given: list[str]) -> str:
        kind, arguments, refs = operation_step(entry, call)
        places = dict(zip(call.refs(), given, strict=True))
        chosen = [places[ref] for ref in refs]
        return self.nodes.add_once(path, [(kind, arguments)], chosen)[-1]

    def _input(self, entry: Entry, name: str, sizes: Any) -> str:
        kind = entry.config.get("dtype") if entry.class_name == "InputLayer" else None
        whole = isinstance(kind, str) and "float" not in kind
        return self.nodes.add_input(name, _item_shape(sizes, self.first), whole=whole)


def _check_call(call: Call, what: str, trained: bool) -> None:
    if len(call.refs()) != len(call.positional()):
        names = sorted(call.kwargs)
        raise GraphError(f"{what} with tensors by keyword is not understood, got {names}")
    if call.constants():
        raise GraphError(f"{what} called with {call.constants()[0]!r} is not understood")
    if trained and call.kwargs.get("training") not in (None, False):
        raise GraphError(f"{what} called with training=True is not understood")


def _in_order(entry: Entry, path: str, call: Call, given: list[str]) -> list[str]:
    """Sort what a model is called with by name as its inputs are sorted."""
    named = call.args[0] if call.args else None
    if not isinstance(named, Mapping):
        return given
    inputs = entry.config.get("input_layers")
    if isinstance(inputs, Mapping):
        names = sorted(inputs)
    else:
        names = [ref.layer for ref in references(inputs)]
    if set(names) != set(named) or len(names) != len(given):
        raise GraphError(f"{path}: expected inputs {sorted(names)}, got {sorted(named)}")
    values = dict(zip(named, given, strict=True))
    return [values[name] for name in names]


def _single(values: list[str], path: str) -> str:
    if len(values) != 1:
        raise GraphError(f"{path or 'the model'}: expected one value, got {len(values)}")
    return values[0]


def _input_sizes(entry: Entry) -> Any:
    if entry.class_name in MODELS:
        inner = entries(entry.config)
        return _input_sizes(inner[0]) if inner else None
    return entry.config.get("batch_shape") or entry.config.get("batch_input_shape")


def _item_shape(sizes: Any, first: bool) -> list[int | None] | None:
    """Give the shape of one item, a map's channels first; None where the file says none."""
    if not isinstance(sizes, list) or len(sizes) < 2:
        return None
    shape = sizes[1:]
    return [shape[2], shape[0], shape[1]] if len(shape) == 3 and not first else shape
