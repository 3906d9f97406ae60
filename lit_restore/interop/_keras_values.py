"""Which values the calls of a functional model's layers gave, found by the file's numbers."""

from collections.abc import Mapping

from lit_restore.interop._graph_common import GraphError
from lit_restore.interop._keras_calls import Entry, Ref


class Values:
    """What the calls of a functional model's layers gave, found by the file's numbers."""

    def __init__(self, listed: Mapping[str, Entry], outputs: list[Ref], keras2: bool) -> None:
        self.done: dict[tuple[str, int], list[str]] = {}
        refs = [ref for entry in listed.values() for call in entry.calls for ref in call.refs()]
        taken, given = _numbers(refs), _numbers(outputs)
        if strangers := sorted({*taken, *given} - set(listed)):
            raise GraphError(f"there are no layers {strangers}")
        self._offsets = {
            name: offsets(entry, taken.get(name, set()), given.get(name, set()), keras2)
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


def offsets(entry: Entry, consumers: set[int], outputs: set[int], keras2: bool) -> tuple[int, int]:
    """Find from which number on a file counts the calls of a layer.

    A model within a model counts from 1 in Keras 2, since its own making was call 0. In Keras 3
    its consumers count from 0, and ``output_layers`` from 1. Every call that is saved leads to an
    output, so a way of counting has to refer to each of them; where two do, the version decides.

    Args:
        entry: The layer.
        consumers: The numbers by which other layers refer to its calls.
        outputs: The numbers by which the model's outputs do.
        keras2: Whether the model is of Keras 1 or 2.

    Returns:
        What to subtract from either.

    Raises:
        GraphError: If no way fits.
    """
    if not consumers and not outputs:  # an input that nothing uses
        return 0, 0
    calls = max(len(entry.calls), 1)
    for before, after in _ways(entry.class_name, keras2):
        found = {index - before for index in consumers} | {index - after for index in outputs}
        if found == set(range(calls)):
            return before, after
    raise GraphError(
        f"{entry.name}: expected references to each of its {calls} calls, "
        f"got {sorted(consumers)} and, as outputs, {sorted(outputs)}"
    )


def _ways(class_name: str, keras2: bool) -> list[tuple[int, int]]:
    if keras2:
        return [(0, 0), (1, 1)]
    return [(0, 1), (0, 0)] if class_name in ("Functional", "Model") else [(0, 0), (0, 1)]


def _numbers(refs: list[Ref]) -> dict[str, set[int]]:
    """Collect by which numbers each layer's calls are referred to."""
    numbers: dict[str, set[int]] = {}
    for ref in refs:
        numbers.setdefault(ref.layer, set()).add(ref.call)
    return numbers
