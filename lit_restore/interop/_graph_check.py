"""Whether plain values have the form of a graph, before anything is built of them."""

from collections.abc import Mapping
from typing import Any

from lit_restore.interop._graph_common import GraphError

AGAIN = "Again"
_MOST_NODES = 10_000


def owner_of(node: Mapping[str, Any]) -> Any:
    """Name the node whose layer a node calls: its own, or that of an earlier one."""
    return node["arguments"].get("node") if node["layer"] == AGAIN else node["name"]


def check_graph(graph: Any) -> None:
    """Check that a graph has its parts, and that each name is made before it is used.

    Raises:
        GraphError: If not.
    """
    if not isinstance(graph, Mapping) or set(graph) != {"inputs", "outputs", "nodes"}:
        found = list(graph) if isinstance(graph, Mapping) else type(graph).__name__
        raise GraphError(f"a graph must have inputs, outputs and nodes; got {found}")
    if any(not isinstance(graph[part], list) for part in graph) or not graph["outputs"]:
        raise GraphError("inputs, outputs and nodes must be lists, and there must be an output")
    if len(graph["nodes"]) > _MOST_NODES:
        raise GraphError(f"a graph has at most {_MOST_NODES} nodes, got {len(graph['nodes'])}")
    if max(len(graph["inputs"]), len(graph["outputs"])) > _MOST_NODES:
        raise GraphError(f"a graph has at most {_MOST_NODES} inputs and outputs, got more")
    known: set[str] = set()
    for entry in graph["inputs"]:
        _check_input(entry, known)
    owners: set[str] = set()
    for node in graph["nodes"]:
        _check_node(node, known, owners)
    if unknown := _unknown(graph["outputs"], known):
        raise GraphError(f"outputs must be names of nodes, got {unknown}")


def _unknown(names: list[Any], known: set[str]) -> list[Any]:
    return [name for name in names if not isinstance(name, str) or name not in known]


def _check_input(entry: Any, known: set[str]) -> None:
    if not isinstance(entry, Mapping) or set(entry) != {"name", "shape"}:
        raise GraphError(f"an input must have a name and a shape, got {entry!r}")
    shape = entry["shape"]
    sizes = [] if shape is None else shape
    if not isinstance(sizes, list) or any(
        size is not None and (type(size) is not int or size < 1) for size in sizes
    ):
        raise GraphError(f"an input's shape must be sizes or None, got {shape!r}")
    _add_name(entry["name"], known)


def _check_node(node: Any, known: set[str], owners: set[str]) -> None:
    if not isinstance(node, Mapping) or set(node) != {"name", "layer", "inputs", "arguments"}:
        raise GraphError(f"a node must have name, layer, inputs and arguments; got {node!r}")
    name, inputs, arguments = node["name"], node["inputs"], node["arguments"]
    if not isinstance(inputs, list) or not inputs or not isinstance(arguments, Mapping):
        raise GraphError(f"{name}: expected a list of inputs and a mapping of arguments")
    if unknown := _unknown(inputs, known):
        raise GraphError(f"{name}: inputs must be named before it, got {unknown}")
    _add_name(name, known)
    if node["layer"] != AGAIN:
        owners.add(name)
    elif _unknown([owner_of(node)], owners):
        raise GraphError(f"{name}: expected the name of an earlier node, got {arguments}")


def _add_name(name: Any, known: set[str]) -> None:
    if not isinstance(name, str) or not name or name in known:
        raise GraphError(f"names must be texts, each used once; got {name!r}")
    known.add(name)
