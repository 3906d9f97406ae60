"""Whether the layers of a Keras file and the modules of a network fit each other, and why not."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from lit_restore.interop._modules import layer_kind, own_state
from lit_restore.interop.keras_files import KerasLayer
from lit_restore.interop.layouts import to_torch
from lit_restore.interop.name_maps import Names

Layers = Mapping[str, KerasLayer]
Modules = Mapping[str, nn.Module]

# Layers of other classes whose arrays mean the same.
_ALIKE = {
    "Conv2D": ("DepthwiseConv2D",),
    "DepthwiseConv2D": ("Conv2D",),
    "GroupNormalization": ("InstanceNormalization",),
    "InstanceNormalization": ("GroupNormalization",),
}


def unmatched(layers: Layers, modules: Modules, names: Names) -> Iterator[str]:
    """Say what has no partner, of the file and of the network, and what is named wrongly."""
    left = [f"{name} {_shapes(one.weights)}" for name, one in layers.items() if name not in names]
    if left:
        yield f"layers of the file without a module: {', '.join(left)}"
    sources = {place: name for name, place in names.items() if place is not None}
    empty = [
        f"{place} {_shapes(own_state(module))}{_expected(place, sources)}"
        for place, module in modules.items()
        if sources.get(place) not in layers
    ]
    if empty:
        yield f"modules of the network without a layer: {', '.join(empty)}"
    strange = [f"{place} for {name}" for place, name in sources.items() if place not in modules]
    if strange:
        yield f"modules that are named and not in the network: {', '.join(strange)}"
    places = [place for place in names.values() if place is not None]
    twice = sorted({place for place in places if places.count(place) > 1})
    if twice:
        yield f"modules that are named more than once: {', '.join(twice)}"


def _expected(place: str, sources: Mapping[str, str]) -> str:
    return f" from {sources[place]}" if sources.get(place, place) != place else ""


def converted(
    layer: KerasLayer, place: str, module: nn.Module
) -> tuple[dict[str, Tensor], list[str]]:
    """Turn a layer's arrays to the module's tensors; and say what of them does not fit."""
    kind, expected = layer_kind(module), own_state(module)
    if layer.class_name not in (None, kind, *_ALIKE.get(kind, ())):
        return {}, [f"{layer.name} is a {layer.class_name}, but {place} stands for a {kind}"]
    try:
        tensors = to_torch(kind, layer.weights)
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        return {}, [f"{layer.name} {_shapes(layer.weights)}: {reason}"]
    if _shapes(tensors) == _shapes(expected):
        return tensors, []
    problem = (
        f"{layer.name} {_shapes(layer.weights)} gives {_shapes(tensors)}, "
        f"but {place} has {_shapes(expected)}"
    )
    return {}, [problem]


def _shapes(arrays: Mapping[str, Any]) -> str:
    return "(" + ", ".join(f"{name} {tuple(arrays[name].shape)}" for name in sorted(arrays)) + ")"
