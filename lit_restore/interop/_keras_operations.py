"""Bare functions in a saved model: ``keras.ops``, TFOpLambda and TensorFlowOpLayer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lit_restore.interop._graph_common import GraphError
from lit_restore.interop._keras_calls import Call, Entry, Ref
from lit_restore.interop._keras_operands import Options, node_def, operands_of

Step = tuple[str, dict[str, Any], list[Ref]]

_ARITHMETIC = {
    "add": "Add AddV2 BiasAdd math.add __operators__.add nn.bias_add",
    "subtract": "Subtract Sub math.subtract __operators__.sub",
    "multiply": "Multiply Mul math.multiply __operators__.mul",
    "divide": "Divide TrueDivide RealDiv math.divide math.truediv __operators__.truediv",
    "maximum": "Maximum math.maximum",
    "minimum": "Minimum math.minimum",
}
_FUNCTIONS = {
    "relu": "Relu nn.relu",
    "relu6": "Relu6 nn.relu6",
    "sigmoid": "Sigmoid math.sigmoid nn.sigmoid sigmoid",
    "tanh": "Tanh math.tanh nn.tanh tanh",
    "selu": "Selu nn.selu",
    "silu": "Silu nn.silu nn.swish",
    "softplus": "Softplus math.softplus nn.softplus",
    "softsign": "Softsign math.softsign nn.softsign",
    "hard_sigmoid": "HardSigmoid",
    "abs": "Abs Absolute math.abs abs",
    "negative": "Negative Neg math.negative negative",
    "square": "Square math.square square",
    "sqrt": "Sqrt math.sqrt sqrt",
    "exponential": "Exp math.exp exp",
    "log": "Log math.log",
}
_NAMED = {
    "identity": "Identity identity convert_to_tensor",
    "clip": "Clip clip_by_value",
    "concatenate": "Concatenate ConcatV2 concat",
    "depth_to_space": "DepthToSpace nn.depth_to_space",
    "space_to_depth": "SpaceToDepth nn.space_to_depth",
    "softmax": "Softmax nn.softmax",
    "elu": "Elu nn.elu",
    "leaky_relu": "LeakyRelu nn.leaky_relu",
    "resize": "image.resize",
}
_SPELLINGS = {
    spelling: name
    for table in (_ARITHMETIC, _FUNCTIONS, _NAMED)
    for name, spellings in table.items()
    for spelling in spellings.split()
}


def known_operations() -> list[str]:
    """Name the functions that can be carried across."""
    return sorted(set(_SPELLINGS.values()))


def operation_name(entry: Entry) -> str:
    """Give the function that an entry calls, as the file spells it."""
    if entry.class_name == "TFOpLambda":
        return str(entry.config.get("function"))
    if entry.class_name == "TensorFlowOpLayer":
        return str(node_def(entry).get("op"))
    return entry.class_name


def is_operation(entry: Entry) -> bool:
    """Whether an entry is a bare function, no layer."""
    return entry.operation or entry.class_name in ("TFOpLambda", "TensorFlowOpLayer")


def is_known(entry: Entry) -> bool:
    """Whether an entry's function can be carried across."""
    return operation_name(entry) in _SPELLINGS


def operation_step(entry: Entry, call: Call) -> Step:
    """Turn one call of a function to a graph's layer, its arguments and its inputs.

    Raises:
        GraphError: If the function is called in a way that is not understood.
    """
    name = _SPELLINGS[operation_name(entry)]
    operands, options = operands_of(entry, call)
    if name in _ARITHMETIC:
        step = _arithmetic(name, operands)
    elif name in _FUNCTIONS:
        step = ("Activation", {"function": name}, _only_refs(operands))
    else:
        step = _NAMED_STEPS[name](operands, options)
    left = {key: value for key, value in options.items() if value is not None}
    if left:
        raise GraphError(f"{name} with {left} is not understood")
    return step


def _arithmetic(name: str, operands: list[Any]) -> Step:
    refs = [value for value in operands if isinstance(value, Ref)]
    if len(operands) != 2 or not refs:
        raise GraphError(f"{name} needs two operands, one from a layer; got {operands}")
    arguments: dict[str, Any] = {"operation": name}
    for side, value in zip(("left", "right"), operands, strict=True):
        if not isinstance(value, Ref):
            arguments[side], rank = _constant(value)
            arguments |= {"rank": rank} if rank > 1 else {}
    return "Arithmetic", arguments, refs


def _constant(value: Any) -> tuple[Any, int]:
    """Give a constant without axes of length 1, and how many axes it had."""
    rank = int(isinstance(value, list))
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
        rank += isinstance(value, list)
    return value, rank


def _only_refs(operands: list[Any], wanted: int = 1) -> list[Ref]:
    if len(operands) != wanted or not all(isinstance(value, Ref) for value in operands):
        raise GraphError(f"expected {wanted} value from a layer, got {operands}")
    return operands


def _taken(operands: list[Any], options: Options, keys: tuple[str, ...]) -> list[Any]:
    """Take what follows the first operand by position, the rest by name."""
    given = operands[1:]
    named = [options.pop(key, None) for key in keys]
    return [*given, *named[len(given) :]][: len(keys)]


def _identity(operands: list[Any], _: Options) -> Step:
    return "Identity", {}, _only_refs(operands)


def _clip(operands: list[Any], options: Options) -> Step:
    if "x_min" in options:
        low, high = options.pop("x_min"), options.pop("x_max", None)
    else:
        low, high = _taken(operands, options, ("clip_value_min", "clip_value_max"))
    return "Clip", {"low": low, "high": high}, _only_refs(operands[:1])


def _concatenate(operands: list[Any], options: Options) -> Step:
    if operands and isinstance(operands[0], list):
        values, (axis,) = operands[0], _taken(operands, options, ("axis",))
    else:  # TensorFlowOpLayer: flat, the axis last
        values, axis = operands[:-1], operands[-1]
    return "Concatenate", {"axis": axis}, _only_refs(values, len(values))


def _shuffle(kind: str) -> Callable[[list[Any], Options], Step]:
    def step(operands: list[Any], options: Options) -> Step:
        (size,) = _taken(operands, options, ("block_size",))
        return kind, {"block_size": size}, _only_refs(operands[:1])

    return step


def _softmax(operands: list[Any], options: Options) -> Step:
    (axis,) = _taken(operands, options, ("axis",))
    return "Softmax", {"axis": -1 if axis is None else axis}, _only_refs(operands[:1])


def _elu(operands: list[Any], options: Options) -> Step:
    (alpha,) = _taken(operands, options, ("alpha",))
    return "ELU", {"alpha": 1.0 if alpha is None else alpha}, _only_refs(operands[:1])


def _leaky_relu(operands: list[Any], options: Options) -> Step:
    named = options.pop("negative_slope", None)
    (slope,) = _taken(operands, options, ("alpha",))
    slope = named if slope is None else slope
    return "LeakyReLU", {"slope": 0.2 if slope is None else slope}, _only_refs(operands[:1])


def _resize(operands: list[Any], options: Options) -> Step:
    size, method = _taken(operands, options, ("size", "method"))
    for key in ("preserve_aspect_ratio", "antialias"):
        if options.get(key) is False:
            options.pop(key)
    if not isinstance(size, list) or len(size) != 2:
        raise GraphError(f"resize needs a size of two numbers, got {size!r}")
    arguments = {"height": size[0], "width": size[1], "interpolation": method or "bilinear"}
    return "Resizing", arguments, _only_refs(operands[:1])


_NAMED_STEPS: dict[str, Callable[[list[Any], Options], Step]] = {
    "identity": _identity,
    "clip": _clip,
    "concatenate": _concatenate,
    "depth_to_space": _shuffle("DepthToSpace"),
    "space_to_depth": _shuffle("SpaceToDepth"),
    "softmax": _softmax,
    "elu": _elu,
    "leaky_relu": _leaky_relu,
    "resize": _resize,
}
