"""The layers that a model's configuration lists, nested models with theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lit_restore.interop._limits import KerasFileError

_CHANNELS_FIRST = "th"


@dataclass(frozen=True)
class Outline:
    """A layer as a configuration lists it.

    Attributes:
        name: Its own name, without that of the model around it.
        class_name: As in the file.
        config: Its arguments.
        layers: Of a nested model, its layers; None of a plain layer.
    """

    name: str
    class_name: str
    config: dict[str, Any]
    layers: tuple[Outline, ...] | None = None

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, Outline]]:
        """Yield the plain layers with their paths, ``mid/conv``, in order."""
        if self.layers is None:
            yield prefix, self
            return
        for layer in self.layers:
            yield from layer.leaves(f"{prefix}/{layer.name}" if prefix else layer.name)


def outline(config: Mapping[str, Any]) -> Outline:
    """List the layers of a model.

    Args:
        config: The model's JSON: ``{"class_name": ..., "config": ...}``.

    Raises:
        KerasFileError: If it is no model's configuration.
    """
    found = _outline(config)
    if found.layers is None:
        raise KerasFileError(
            f"the configuration must be a model's with its layers, got a {found.class_name}"
        )
    return found


def wants_theano_order(model: Outline) -> bool:
    """Whether a layer of a Keras 1 model says that its kernels are in Theano's order."""
    return any(layer.config.get("dim_ordering") == _CHANNELS_FIRST for _, layer in model.leaves())


def _outline(value: Any) -> Outline:
    if not isinstance(value, Mapping) or not isinstance(value.get("class_name"), str):
        raise KerasFileError("the configuration lists something that is no layer")
    config = value.get("config")
    if isinstance(config, list):  # a Sequential of Keras 1 and early 2
        config = {"layers": config}
    if not isinstance(config, Mapping):
        raise KerasFileError(f"a {value['class_name']} of the configuration has no arguments")
    name = value.get("name", config.get("name", ""))
    if not isinstance(name, str):
        raise KerasFileError(f"a layer's name must be a text, got {name!r}")
    layers = config.get("layers")
    inner = tuple(_outline(layer) for layer in layers) if isinstance(layers, list) else None
    return Outline(name, value["class_name"], dict(config), inner)
