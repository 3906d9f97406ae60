"""What bare functions in a saved model are called with, whichever way the file keeps it."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from lit_restore.interop._graph_common import GraphError
from lit_restore.interop._keras_calls import Call, Entry, Ref

Options = dict[str, Any]
_IDLE = ("name", "dtype", "T", "Tdim", "Tidx", "N", "out_type", "data_format")
_CHANNELS_LAST = (None, "channels_last", "NHWC")
_FIRST = ("x", "x1", "images", "input", "logits", "features", "values", "xs", "t")


def operands_of(entry: Entry, call: Call) -> tuple[list[Any], Options]:
    """Give what a function is called with, by position as far as the file's spellings allow.

    Returns:
        The operands, references to layers' outputs and constants, and what else there is by name.

    Raises:
        GraphError: If the channels come first, or an attribute cannot be read.
    """
    options = {**entry.config, **call.kwargs, **_attributes(entry)}
    if entry.operation and "axis" in options and options["axis"] is None:
        raise GraphError("axis=None, all axes, is not understood")
    if options.get("data_format") not in _CHANNELS_LAST:
        raise GraphError(f"expected channels last, got {options['data_format']!r}")
    for key in (*_IDLE, "function", "trainable", "node_def", "constants"):
        options.pop(key, None)
    operands = list(call.args)
    if entry.class_name == "TensorFlowOpLayer":
        operands = operands[0] if isinstance(operands[0], list) else operands
        operands = _with_constants(list(operands), entry.config.get("constants") or {})
    operands += [options.pop(key) for key in _FIRST if isinstance(options.get(key), (Ref, list))]
    operands += [options.pop(key) for key in ("y", "x2", "bias") if options.get(key) is not None]
    return operands, options


def _with_constants(operands: list[Any], constants: dict[str, Any]) -> list[Any]:
    for position in sorted(constants, key=int):
        operands.insert(int(position), constants[position])
    return operands


def node_def(entry: Entry) -> dict[str, Any]:
    """Give the operation that a TensorFlowOpLayer keeps.

    Raises:
        GraphError: If it keeps none in plain values.
    """
    node = entry.config.get("node_def")
    if not isinstance(node, dict):
        raise GraphError(f"expected a node_def in plain values, got {node!r:.80}")
    return node


def _attributes(entry: Entry) -> Options:
    if entry.class_name != "TensorFlowOpLayer":
        return {}
    attributes = node_def(entry).get("attr") or {}
    return {key: _attribute(value) for key, value in attributes.items()}


def _attribute(value: dict[str, Any]) -> Any:
    if "s" in value:
        try:
            return base64.b64decode(value["s"], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, TypeError) as error:
            raise GraphError(f"expected base64, got {value['s']!r}") from error
    if "i" in value:
        return int(value["i"])
    return next(iter(value.values()), None)
