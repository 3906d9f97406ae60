"""The nodes of a graph as they are written, each under a name of its own."""

from typing import Any

from lit_restore.interop._graph_common import GraphError

Step = tuple[str, dict[str, Any]]
_MOST_NODES = 10_000
_SCALING = ("Rescaling", "Normalization")


class Nodes:
    """Collects the inputs and nodes of a graph."""

    def __init__(self) -> None:
        self.inputs: list[dict[str, Any]] = []
        self.nodes: list[dict[str, Any]] = []
        self._names: dict[str, int] = {}
        self._chains: dict[str, list[str]] = {}
        self._whole: set[str] = set()

    def add_input(self, name: str, shape: list[int | None] | None, *, whole: bool = False) -> str:
        """Add an input of the graph, maybe of whole numbers; give its name."""
        name = self._name(name)
        self._whole |= {name} if whole else set()
        self.inputs.append({"name": name, "shape": shape})
        return name

    def add(self, path: str, steps: list[Step], given: list[str]) -> str:
        """Add a layer, or a layer and its activation; give the name of the last.

        A path that was added before is called again, with the same parameters.

        Args:
            path: The layer's name.
            steps: The graph's layers and their arguments, in order; the first takes ``given``.
            given: Names of the values that are passed.
        """
        if path not in self._chains:
            self._chains[path] = self.add_once(path, steps, given)
            return self._chains[path][-1]
        owners = self._chains[path]
        again: list[Step] = [("Again", {"node": owner}) for owner in owners]
        return self._chain([self._name(owner) for owner in owners], again, given)[-1]

    def add_once(self, path: str, steps: list[Step], given: list[str]) -> list[str]:
        """Add layers that hold no parameters another call could share; give their names."""
        names = [
            self._name(path if step == 0 else f"{path}/activation") for step in range(len(steps))
        ]
        return self._chain(names, steps, given)

    def check_whole(self) -> None:
        """Check that inputs of whole numbers go where they become others.

        Raises:
            GraphError: If a layer would compute with whole numbers.
        """
        for node in self.nodes:
            if node["layer"] not in _SCALING and self._whole & set(node["inputs"]):
                raise GraphError(
                    f"{node['name']}: an input of whole numbers must be scaled first, by "
                    f"{' or '.join(_SCALING)}"
                )

    def _chain(self, names: list[str], steps: list[Step], given: list[str]) -> list[str]:
        for name, (kind, arguments) in zip(names, steps, strict=True):
            if len(self.nodes) >= _MOST_NODES:
                raise GraphError(f"expected a graph of {_MOST_NODES} nodes at most, got more")
            self.nodes.append(
                {"name": name, "layer": kind, "inputs": list(given), "arguments": arguments}
            )
            given = [name]
        return names

    def _name(self, wanted: str) -> str:
        name = wanted
        while name in self._names:
            self._names[wanted] += 1
            name = f"{wanted}@{self._names[wanted]}"
        self._names[name] = 1
        return name
