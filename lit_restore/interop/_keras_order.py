"""Models whose maps have their channels first: which of their layers mean the same here."""

from typing import Any

from lit_restore.interop._graph_common import GraphError
from lit_restore.interop._keras1 import modern
from lit_restore.interop._keras_calls import Entry

_JOINING = ("BatchNormalization", "Concatenate")
_ALIKE = (
    *_JOINING,
    *("InputLayer", "Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D"),
    *("MaxPooling2D", "AveragePooling2D", "GlobalMaxPooling2D", "GlobalAveragePooling2D"),
    *("UpSampling2D", "ZeroPadding2D", "Cropping2D", "Dropout", "SpatialDropout2D"),
    *("GaussianNoise", "GaussianDropout", "Identity", "Activation", "LeakyReLU", "ELU", "ReLU"),
    *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"),
)


def channels_first(leaves: list[tuple[str, Entry]]) -> bool:
    """Say whether a model's maps have their channels first, in the file's order.

    Args:
        leaves: The layers by path.

    Raises:
        GraphError: If its layers differ in that, or if the channels come first and some layers
            depend on the order of the axes in a way that is not understood.
    """
    modernised = [(path, *modern(entry.class_name, entry.config)) for path, entry in leaves]
    strange = {path for path, entry in leaves if _depends_on_order(entry)}
    orders: dict[str, list[str]] = {}
    for path, _, config in modernised:
        if isinstance(order := config.get("data_format"), str):
            orders.setdefault(order, []).append(path)
    if len(orders) > 1 or not set(orders) <= {"channels_first", "channels_last"}:
        listed = "; ".join(f"{order}: {', '.join(paths)}" for order, paths in orders.items())
        raise GraphError(f"expected channels last, or first, in all layers; got {listed}")
    if "channels_first" not in orders:
        return False
    other = [
        path for path, kind, config in modernised if path in strange or not _is_alike(kind, config)
    ]
    if other:
        raise GraphError(f"with channels first, not understood: {', '.join(other)}")
    return True


def channels_last(class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Rewrite the arguments of a layer with channels first to those with channels last."""
    return {**config, "axis": -1} if class_name in _JOINING else config


def _depends_on_order(entry: Entry) -> bool:
    """Whether a function's axes or constants count on the order of the axes."""
    constants = any(call.constants() or call.kwargs for call in entry.calls)
    return entry.operation and (constants or entry.class_name in _JOINING)


def _is_alike(kind: str, config: dict[str, Any]) -> bool:
    if kind.startswith("Global") and not config.get("keepdims"):
        return False  # a vector's axis is a map's width where they are merged
    if kind in _JOINING:
        return config.get("axis") in (1, [1])
    return kind in _ALIKE and "softmax" not in str(config.get("activation"))
