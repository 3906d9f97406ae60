"""The activation that a Keras layer carries: a name, a saved function, or a layer within."""

from collections.abc import Mapping
from typing import Any

from lit_restore.interop._graph_activations import FUNCTIONS
from lit_restore.interop._graph_common import GraphError

_NAMES = {"swish": "silu", "hard_swish": "hard_silu", "exp": "exponential", "relu_6": "relu6"}
_LAYERS = {
    "LeakyReLU": ("LeakyReLU", "slope", ("negative_slope", "alpha"), 0.3),
    "ELU": ("ELU", "alpha", ("alpha",), 1.0),
    "Softmax": ("Softmax", "axis", ("axis",), -1),
}


def activation_steps(value: Any, keras2: bool) -> list[tuple[str, dict[str, Any]]]:
    """Turn an activation to a graph's layer; none for the linear one.

    Args:
        value: What stands under ``activation``: None, a name, or a saved object.
        keras2: Whether the model is of Keras 1 or 2, whose hard_sigmoid is another.

    Returns:
        No layer, or one with its arguments.

    Raises:
        GraphError: If it is not known.
    """
    if isinstance(value, Mapping):
        return _saved(value, keras2)
    if value in (None, "linear"):
        return []
    name = _NAMES.get(value, value) if isinstance(value, str) else value
    if name == "hard_sigmoid" and keras2:
        name = "hard_sigmoid_keras2"
    if not isinstance(name, str) or name not in FUNCTIONS:
        known = ", ".join(sorted({*FUNCTIONS, *_NAMES}))
        raise GraphError(f"activation {value!r} is not understood; known are {known}")
    return [("Activation", {"function": name})]


def _saved(value: Mapping[str, Any], keras2: bool) -> list[tuple[str, dict[str, Any]]]:
    config = value.get("config")
    if isinstance(config, str):  # a function by its name
        return activation_steps(config, keras2)
    kind = str(value.get("class_name")).rpartition(">")[2]
    if not isinstance(config, Mapping):
        return activation_steps(kind, keras2)
    if kind == "ReLU":
        names = {"max_value": "max_value", "slope": "negative_slope", "threshold": "threshold"}
        found = {ours: config.get(key) for ours, key in names.items()}
        return [("ReLU", {key: value for key, value in found.items() if value is not None})]
    if kind not in _LAYERS:
        raise GraphError(
            f"activation {kind!r} is not understood; layers known within a layer are "
            f"ReLU, {', '.join(_LAYERS)}"
        )
    name, argument, keys, default = _LAYERS[kind]
    given = next((config[key] for key in keys if config.get(key) is not None), default)
    return [(name, {argument: given})]
