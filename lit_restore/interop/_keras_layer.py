"""A Keras layer's configuration beside the shapes of its arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lit_restore.interop._graph_common import GraphError

Shapes = Mapping[str, Sequence[int]]


class Layer:
    """A configuration, and the shapes of the arrays that the file has for it."""

    def __init__(self, config: Mapping[str, Any], shapes: Shapes, keras2: bool) -> None:
        self.config = config
        self.shapes = shapes
        self.keras2 = keras2

    def get(self, key: str, default: Any = None) -> Any:
        """Give an argument; the default where the file has none, or null."""
        value = self.config.get(key, default)
        return default if value is None else value

    def pair(self, key: str, default: Any = (1, 1)) -> list[int]:
        """Give an argument for the two axes of a map; one number stands for both."""
        value = self.get(key, default)
        return list(value) if isinstance(value, (list, tuple)) else [value, value]

    def shape(self, *names: str) -> list[int]:
        """Give the shape of the first of these arrays that the file has."""
        for name in names:
            if name in self.shapes:
                return [int(size) for size in self.shapes[name]]
        found = ", ".join(self.shapes) or "none"
        raise GraphError(f"expected an array {' or '.join(names)}, got {found}")

    def kernel(self, *names: str) -> list[int]:
        """Give the shape of a kernel of four axes."""
        shape = self.shape(*names)
        if len(shape) != 4:
            raise GraphError(f"expected a {names[0]} of four axes, got the shape {shape}")
        return shape

    def affine(self) -> dict[str, Any]:
        """Say whether there is a scale and an offset."""
        return {"scale": self.get("scale", True), "center": self.get("center", True)}

    def features(self) -> int | None:
        """Give the length of a normalisation's arrays; None where it has none."""
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        found = [name for name in names if name in self.shapes]
        return self.shape(*found)[-1] if found else None

    def agree(self, key: str, found: Any) -> None:
        """Raise if an argument is there and says something else than the arrays do."""
        value = self.config.get(key)
        if value is not None and (self.pair(key) if isinstance(found, list) else value) != found:
            raise GraphError(f"the model wants {key}={value!r}, the arrays have {found!r}")

    def refuse(self, key: str, *allowed: Any) -> None:
        """Raise unless an argument is missing or one of these values."""
        if (value := self.config.get(key)) not in (None, *allowed):
            raise GraphError(f"{key}={value!r} is not understood")
