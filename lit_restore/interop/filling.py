"""Networks of ours filled from weights-only Keras files, and written to such."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from lit_restore.interop._fitting import Layers, Modules, converted, unmatched
from lit_restore.interop._kernels import Order
from lit_restore.interop._modules import keras_shapes, layer_kind, own_state, weighted_modules
from lit_restore.interop.keras_files import KerasFileError, KerasLayer, read_keras
from lit_restore.interop.keras_write import write_keras
from lit_restore.interop.layouts import to_keras
from lit_restore.interop.name_maps import Names, name_maps


def load_into(
    network: nn.Module,
    path: Path | str,
    names: Names | None = None,
    *,
    order: Order | None = None,
    without: Sequence[str] = (),
) -> None:
    """Fill a network from a Keras file: all of it, from all of the file, or not at all.

    Only weights are compared. That the file's model pads, activates and orders the channels of a
    pixel shuffle as the network does is for the caller to know.

    Args:
        network: What to fill; its parameters keep their type and device.
        path: A file that ``read_keras`` reads.
        names: The module's path for each layer of the file that has weights, ``None`` for one
            that is left out on purpose. If not given: the table of ``name_maps`` that names the
            file's layers; or its layers must be called what the network's modules are called.
        order: How the file's kernels are laid out, where ``read_keras`` cannot tell.
        without: Paths of modules that stay as they are.

    Raises:
        KerasFileError: If the file cannot be read, or a layer, a module or a shape does not fit;
            then all that does not is listed, of both sides, and the network is as it was.
        ValueError: If the network has a module that Keras has no layer for.
    """
    layers = {one.name: one for one in read_keras(path, order=order).layers if one.weights}
    modules = {
        place: module for place, module in weighted_modules(network).items() if place not in without
    }
    chosen = names or _table(network, layers, modules)
    tensors: dict[str, Tensor] = {}
    problems = list(unmatched(layers, modules, chosen))
    for name, place in chosen.items():
        if name in layers and place in modules:
            found, problem = converted(layers[name], place, modules[place])
            tensors |= {f"{place}.{key}": value for key, value in found.items()}
            problems += problem
    if problems:
        raise KerasFileError(
            f"{path} does not fill {type(network).__name__}: {'; '.join(problems)}"
        )
    state = network.state_dict()
    with torch.no_grad():
        for key, value in tensors.items():
            state[key].copy_(value)


def save_keras_weights(network: nn.Module, path: Path | str, names: Names | None = None) -> None:
    """Write a network's weights as a weights-only Keras file.

    Args:
        network: What to write.
        path: Ends in ``.weights.h5`` for the format of Keras 3, or in ``.h5`` for that of Keras 2.
        names: The module's path for each layer of the file, in the file's order, as for
            ``load_into``. If not given, the layers are called what the modules are called.

    Raises:
        ValueError: If ``names`` does not lead to every module with weights exactly once, or Keras
            has no such layer.
    """
    modules = weighted_modules(network)
    names = names or {place: place for place in modules}
    pairs = {name: place for name, place in names.items() if place is not None}
    if sorted(pairs.values()) != sorted(modules):
        raise ValueError(
            f"names must lead once to each of {', '.join(modules)}; got {', '.join(pairs.values())}"
        )
    write_keras(path, [_layer(name, modules[place]) for name, place in pairs.items()])


def _table(network: nn.Module, layers: Layers, modules: Modules) -> Names:
    """Choose the table that names exactly the layers of the file."""
    tables = [{place: place for place in modules}, *name_maps(network).values()]
    fitting = [table for table in tables if set(table) == set(layers)]
    return fitting[0] if fitting else max(tables, key=lambda table: len(set(table) & set(layers)))


def _layer(name: str, module: nn.Module) -> KerasLayer:
    kind = layer_kind(module)
    return KerasLayer(
        name=name,
        class_name=kind,
        config=None,
        weights=to_keras(kind, own_state(module), keras_shapes(module)),
    )
