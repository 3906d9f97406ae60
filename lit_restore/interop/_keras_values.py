"""Which values the calls of a functional model's layers gave, found by the file's numbers."""

from collections.abc import Mapping

from lit_restore.interop._graph_common import GraphError
from lit_restore.interop._keras_calls import Entry, Ref


class Values:
    """What the calls of a functional model's layers gave, found by the file's numbers."""

    def __init__(self, listed: Mapping[str, Entry], outputs: list[Ref]) -> None:
        self.done: dict[tuple[str, int], list[str]] = {}
        refs = [ref for entry in listed.values() for call in entry.calls for ref in call.refs()]
        if strangers := sorted({ref.layer for ref in [*refs, *outputs]} - set(listed)):
            raise GraphError(f"there are no layers {strangers}")
        self._offsets = {
            name: offsets(
                name,
                max(len(entry.calls), 1),
                {ref.call for ref in refs if ref.layer == name},
                {ref.call for ref in outputs if ref.layer == name},
            )
            for name, entry in listed.items()
        }

    def ready(self, ref: Ref) -> bool:
        """Whether a layer's output that another layer takes is there."""
        return (ref.layer, ref.call - self._offsets[ref.layer][0]) in self.done

    def input(self, ref: Ref) -> str:
        """Name the value that a layer takes."""
        return self._find(ref, self._offsets[ref.layer][0])

    def output(self, ref: Ref) -> str:
        """Name the value that the model gives."""
        return self._find(ref, self._offsets[ref.layer][1])

    def _find(self, ref: Ref, offset: int) -> str:
        found = self.done.get((ref.layer, ref.call - offset), [])
        if not 0 <= ref.output < len(found):
            raise GraphError(f"{ref.layer} has {len(found)} outputs, got a call for {ref.output}")
        return found[ref.output]


def offsets(name: str, calls: int, consumers: set[int], outputs: set[int]) -> tuple[int, int]:
    """Find from which number on a file counts the calls of a layer.

    A model within a model counts from 1 in Keras 2, since its own making was call 0. In Keras 3
    its consumers count from 0, and ``output_layers`` may count from 1. Every call that is saved
    leads to an output, so only one way of counting refers to each of them.

    Args:
        name: Of the layer, for the error.
        calls: How often the layer is called.
        consumers: The numbers by which other layers refer to its calls.
        outputs: The numbers by which the model's outputs do.

    Returns:
        What to subtract from either.

    Raises:
        GraphError: If neither way fits.
    """
    if not consumers and not outputs:  # an input that nothing uses
        return 0, 0
    for before, after in ((0, 0), (0, 1), (1, 1)):
        found = {index - before for index in consumers} | {index - after for index in outputs}
        if found == set(range(calls)):
            return before, after
    raise GraphError(
        f"{name}: expected references to each of its {calls} calls, "
        f"got {sorted(consumers)} and, as outputs, {sorted(outputs)}"
    )
