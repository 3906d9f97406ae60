"""A converted Keras model's way back: what has to be kept of the model, and the writing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lit_restore.interop._names import leaves_of
from lit_restore.interop._outline import Outline, outline
from lit_restore.interop.graph import GraphNetwork
from lit_restore.interop.keras_files import KerasFile, KerasLayer
from lit_restore.interop.keras_models import keras_layers
from lit_restore.interop.keras_write import write_keras

__all__ = ["keras_listing", "write_keras_graph"]


def keras_listing(file: KerasFile) -> dict[str, Any]:
    """List what a graph doesn't say of its Keras model, in plain values.

    Args:
        file: The whole model.

    Returns:
        ``layers``, names and classes of all in the model's order, and ``models``, the classes of
        the nested ones by name. Keras finds the weights in ``.weights.h5`` by these.
    """
    models = dict(_models(outline(file.config))) if file.config is not None else {}
    return {"layers": [[one.name, one.class_name] for one in file.layers], "models": models}


def write_keras_graph(
    network: GraphNetwork, path: Path | str, listing: Mapping[str, Any] | None = None
) -> None:
    """Write a network's weights for the Keras model that it was made of.

    Args:
        network: As ``load_keras`` gives it.
        path: Ends in ``.weights.h5``, or in ``.h5``.
        listing: From ``keras_listing``; without one the layers with arrays are written alone.

    Raises:
        ValueError: If the path ends otherwise, or the listing is not this network's.
    """
    layers = {layer.name: layer for layer in keras_layers(network)}
    if listing is None:
        write_keras(path, layers.values())
        return
    entries, models = _checked(listing)
    if missing := sorted(set(layers) - {name for name, _ in entries}):
        raise ValueError(f"the list of Keras's layers lacks {', '.join(missing)} of the network's")
    listed = [_layer(name, class_name, layers.get(name)) for name, class_name in entries]
    write_keras(path, listed, models=models)


def _layer(name: str, class_name: str | None, layer: KerasLayer | None) -> KerasLayer:
    known = class_name is not None and leaves_of(class_name, None) is not None
    if layer is None:
        return KerasLayer(name, class_name, None, {})
    # Keras 1's classes have other names today.
    return KerasLayer(name, class_name if known else layer.class_name, None, layer.weights)


def _checked(
    listing: Mapping[str, Any],
) -> tuple[list[tuple[str, str | None]], dict[str, str]]:
    try:
        entries = [
            (str(name), kind if kind is None else str(kind)) for name, kind in listing["layers"]
        ]
        models = {str(name): str(kind) for name, kind in listing["models"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"a list of Keras's layers has names and classes, got {error}") from error
    return entries, models


def _models(model: Outline, prefix: str = "") -> Iterator[tuple[str, str]]:
    for layer in model.layers or ():
        if layer.layers is not None:
            name = f"{prefix}{layer.name}"
            yield name, layer.class_name
            yield from _models(layer, f"{name}/")
