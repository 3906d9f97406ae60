"""A network built from a graph in plain values, as a whole saved Keras model becomes one.

A graph is what JSON can hold, so a file can keep it and ``GraphNetwork(graph)`` rebuild it; only
the layers of one table are ever built, each of which checks its arguments, and nothing is
executed. torch only.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lit_restore.interop import _graph_activations as activations
from lit_restore.interop import _graph_convolutions as convolutions
from lit_restore.interop import _graph_maps as maps
from lit_restore.interop import _graph_norms as norms
from lit_restore.interop import _graph_scaling as scaling
from lit_restore.interop import _graph_values as values
from lit_restore.interop._graph_check import AGAIN, check_graph, owner_of
from lit_restore.interop._graph_common import GraphError
from lit_restore.interop._graph_maps import DepthToSpace
from lit_restore.interop._graph_scale import input_multiple

__all__ = ["LAYERS", "DepthToSpace", "GraphError", "GraphNetwork", "layer_node"]

_MOST_NUMBERS = 1 << 28
_EMPTY = nn.ModuleDict()  # whose attributes no module in it may be called
_REFUSALS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)

_CLASSES: tuple[type[nn.Module], ...] = (
    convolutions.Conv2D,
    convolutions.Conv2DTranspose,
    convolutions.DepthwiseConv2D,
    convolutions.SeparableConv2D,
    convolutions.Dense,
    norms.BatchNormalization,
    norms.LayerNormalization,
    norms.GroupNormalization,
    norms.InstanceNormalization,
    scaling.Normalization,
    scaling.PReLU,
    activations.Activation,
    activations.LeakyReLU,
    activations.ELU,
    activations.ReLU,
    activations.Softmax,
    activations.Clip,
    activations.Dropout,
    activations.SpatialDropout2D,
    activations.GaussianNoise,
    activations.GaussianDropout,
    activations.Identity,
    values.Add,
    values.Subtract,
    values.Multiply,
    values.Average,
    values.Maximum,
    values.Minimum,
    values.Concatenate,
    values.Arithmetic,
    scaling.Rescaling,
    values.Flatten,
    values.Reshape,
    values.Permute,
    maps.MaxPooling2D,
    maps.AveragePooling2D,
    maps.GlobalMaxPooling2D,
    maps.GlobalAveragePooling2D,
    maps.UpSampling2D,
    maps.Resizing,
    maps.DepthToSpace,
    maps.SpaceToDepth,
    maps.ZeroPadding2D,
    maps.Cropping2D,
)
LAYERS: dict[str, type[nn.Module]] = {layer.__name__: layer for layer in _CLASSES}


class GraphNetwork(nn.Module):
    """The network that a graph describes.

    Parameters are named ``layers.<node>.<name in torch.nn>``.

    Args:
        graph: In plain values, ``{"inputs": [{"name": str, "shape": [C, H, W]}], "outputs": [str],
            "nodes": [{"name": str, "layer": str, "inputs": [str], "arguments": {...}}]}``. An
            input's shape may hold None for any size, or be None. A node's inputs are names of
            graph inputs and of nodes before it. ``layer`` is a key of ``LAYERS``, or ``"Again"``
            for another call of the node that ``arguments["node"]`` names, with its parameters.

    Attributes:
        graph: The argument.
        in_channels: Channels of the first input, where it is a map and they are known.
        multiple_of: Pixels; heights and widths of which the strides leave no rest are multiples.
        scale: Output size over input size, 1 where it is not a whole number.

    Raises:
        GraphError: If the graph is malformed, names an unknown layer, gives a layer arguments that
            it doesn't take, or describes more than 2**28 numbers.
    """

    def __init__(self, graph: Mapping[str, Any]) -> None:
        super().__init__()
        self.graph = graph
        check_graph(graph)
        _check_size(graph)
        self.layers = nn.ModuleDict(
            {_key(node["name"]): layer_node(node) for node in _built(graph)}
        )
        self._last_uses = _last_uses(graph)
        self.multiple_of, self.scale = input_multiple(graph)
        if (channels := _in_channels(graph)) is not None:
            self.in_channels = channels

    def forward(self, *images: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Run the graph.

        Args:
            *images: One per graph input, shape (N, C, H, W), or (N, features) where the input's
                shape says so.

        Returns:
            The output, shape (N, C', H', W') for a map; a tuple of them if there are several.

        Raises:
            ValueError: If the number of images or the rank or channels of one are not the graph's,
                or one holds whole numbers.
        """
        self._check_images(images)
        held = {entry["name"]: image for entry, image in zip(self._inputs, images, strict=True)}
        for position, node in enumerate(self.graph["nodes"]):
            layer = self.layers[_key(owner_of(node))]
            held[node["name"]] = layer(*[held[name] for name in node["inputs"]])
            for name in self._last_uses[position]:
                del held[name]
        results = tuple(held[name] for name in self.graph["outputs"])
        return results[0] if len(results) == 1 else results

    def layer(self, node: str) -> nn.Module:
        """Give the layer that a node calls.

        Raises:
            KeyError: If there is no such node, or it calls another node's layer.
        """
        return self.layers[_key(node)]

    def prefix(self, node: str) -> str:
        """Say how the names of a node's parameters begin, without the last dot."""
        return f"layers.{_key(node)}"

    @property
    def _inputs(self) -> list[dict[str, Any]]:
        return list(self.graph["inputs"])

    def _check_images(self, images: Sequence[Tensor]) -> None:
        if len(images) != len(self._inputs):
            raise ValueError(f"expected {len(self._inputs)} images, got {len(images)}")
        for entry, image in zip(self._inputs, images, strict=True):
            shape = entry["shape"]
            if not image.is_floating_point():
                raise ValueError(f"{entry['name']} must be of floating point, got {image.dtype}")
            if shape is None:
                continue
            if image.ndim != len(shape) + 1 or shape[0] not in (None, image.shape[1]):
                expected = ", ".join("any" if size is None else str(size) for size in shape)
                raise ValueError(
                    f"{entry['name']} must have shape (N, {expected}) in channels and rank, "
                    f"got {tuple(image.shape)}"
                )


def layer_node(node: Mapping[str, Any]) -> nn.Module:
    """Build the layer of one node.

    Args:
        node: With ``layer`` and ``arguments``, and a ``name`` for errors.

    Raises:
        GraphError: If the layer is unknown, or does not take these arguments.
    """
    name, kind, arguments = node["name"], node["layer"], node["arguments"]
    if not isinstance(kind, str) or kind not in LAYERS:
        raise GraphError(f"{name}: expected a layer of {', '.join(LAYERS)}; got {kind!r}")
    try:
        return LAYERS[kind](**arguments)
    except GraphError as error:
        raise GraphError(f"{name}: {kind}: {error}") from error
    except _REFUSALS as error:
        reason = " ".join(str(error).split())
        raise GraphError(f"{name}: {kind} does not take {dict(arguments)}: {reason}") from error


def _check_size(graph: Mapping[str, Any]) -> None:
    total = 0
    with torch.device("meta"):  # counted before any memory is taken
        for node in _built(graph):
            state = layer_node(node).state_dict()
            total += sum(value.numel() for value in state.values())
            if total > _MOST_NUMBERS:
                raise GraphError(f"{node['name']}: expected 2**28 numbers at most, got {total}")


def _built(graph: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [node for node in graph["nodes"] if node["layer"] != AGAIN]


def _key(name: str) -> str:
    """Spell a node's name as a module's, which must hold no dot and be no attribute's."""
    escaped = name.replace("%", "%25").replace(".", "%2E")
    return f"{escaped}%" if hasattr(_EMPTY, escaped) else escaped


def _last_uses(graph: Mapping[str, Any]) -> list[list[str]]:
    """Say which values each node is the last to use, so that their memory can go."""
    last: dict[str, int] = {}
    for position, node in enumerate(graph["nodes"]):
        last |= dict.fromkeys(node["inputs"], position)
    kept = set(graph["outputs"])
    uses: list[list[str]] = [[] for _ in graph["nodes"]]
    for name, position in last.items():
        if name not in kept:
            uses[position].append(name)
    return uses


def _in_channels(graph: Mapping[str, Any]) -> int | None:
    if not graph["inputs"]:
        return None
    first = graph["inputs"][0]
    shape = first["shape"]
    if shape is not None and len(shape) != 3:
        return None
    if shape is not None and shape[0] is not None:
        return int(shape[0])
    for node in graph["nodes"]:
        if first["name"] in node["inputs"] and "in_channels" in node["arguments"]:
            return int(node["arguments"]["in_channels"])
    return None
