"""Keras files of every version, read as data: HDF5, ZIP and JSON, and nothing in them executed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lit_restore.interop._groups import read_groups, root_of
from lit_restore.interop._h5 import Tree, open_tree
from lit_restore.interop._kernels import ORDERS, KernelOrder, Order, find_order
from lit_restore.interop._limits import KerasFileError, parse_json
from lit_restore.interop._outline import Outline, outline, wants_theano_order
from lit_restore.interop._raw import RawLayer
from lit_restore.interop._variables import has_variables, read_variables
from lit_restore.interop._zip import WEIGHTS, read_members

if TYPE_CHECKING:
    from lit_restore.interop._h5 import Array

__all__ = ["KerasFile", "KerasFileError", "KerasLayer", "read_keras"]

_CONFIG, _METADATA = "config.json", "metadata.json"


@dataclass(frozen=True)
class KerasLayer:
    """One layer of a Keras file.

    Attributes:
        name: Its name; in a nested model with the names around it, ``outer/conv``.
        class_name: Its class, from the model's configuration or the names of Keras 3's groups;
            None where neither tells.
        config: Its arguments, from the model's configuration; None without one.
        weights: Its arrays by the names of Keras 2 and 3: ``kernel``, ``bias``, ``gamma``,
            ``beta``, ``moving_mean``, ``moving_variance``, ``alpha``, ``depthwise_kernel``,
            ``pointwise_kernel`` ... Kernels are (height, width, in, out), those of transposed
            convolutions (height, width, out, in), and applied as correlations, whatever the file's
            order. Arrays that the file only numbers, of a layer we don't know, are ``"0"``,
            ``"1"`` ...
    """

    name: str
    class_name: str | None
    config: dict[str, Any] | None
    weights: dict[str, Array] = field(repr=False)


@dataclass(frozen=True)
class KerasFile:
    """What a Keras file holds.

    Attributes:
        path: The file.
        layers: In the order of the model's configuration, or without one in the file's, which is
            alphabetical in ``.weights.h5``. A nested model is there as its inner layers.
        config: The configuration of the whole model; None in a file of weights.
        keras_version: Of the Keras that wrote it, if the file says so.
        backend: What that Keras ran on, if the file says so.
        kernel_order: How the file keeps its kernels: ``"hwio"``, or ``"oihw"`` (Theano's).
        rotated: Whether its kernels were a true convolution's and were turned by 180 degrees here.
    """

    path: Path
    layers: tuple[KerasLayer, ...] = field(repr=False)
    config: dict[str, Any] | None = field(repr=False)
    keras_version: str | None
    backend: str | None
    kernel_order: Order
    rotated: bool


class _Content(NamedTuple):
    layers: list[RawLayer]
    keras1: bool
    config: dict[str, Any] | None
    version: str | None
    backend: str | None


def read_keras(
    path: Path | str, *, order: Order | None = None, config: Mapping[str, Any] | None = None
) -> KerasFile:
    """Read a Keras file: ``.h5`` of Keras 1, 2 and 3, ``.weights.h5`` and ``.keras``.

    Files of weights and whole models alike. The format is told by the content, not the suffix.
    Nothing in the file is executed or imported; a Lambda's code stays text. Links out of the file,
    arrays kept elsewhere, and sizes beyond reason are refused.

    Args:
        path: The file.
        order: How Keras 1 kept the kernels, where the file doesn't tell: ``"hwio"`` (TensorFlow),
            or ``"oihw"`` (Theano; such kernels are turned by 180 degrees unless the file says that
            its Keras ran on TensorFlow).
        config: The configuration of the model that a file of weights belongs to, as from
            ``json.loads(model.to_json())``; it tells classes and the layers of nested models.

    Raises:
        KerasFileError: If the file is missing, broken, none of Keras's or asks for too much; if
            the order of its kernels cannot be told; if arrays cannot be named.
        ValueError: If ``order`` is another word.
    """
    if order is not None and order not in ORDERS:
        raise ValueError(f"order must be one of {', '.join(ORDERS)}, got {order!r}")
    path = Path(path)
    if not path.is_file():
        raise KerasFileError(f"{path}: there is no such file")
    try:
        content = _read(path, config)
        return _finished(path, content, order)
    except RecursionError:
        raise KerasFileError(f"{path}: the configuration is nested too deeply") from None
    except KerasFileError as error:
        message = str(error)
        raise KerasFileError(message if str(path) in message else f"{path}: {message}") from error


def _read(path: Path, config: Mapping[str, Any] | None) -> _Content:
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == b"PK\x03\x04":
        return _read_archive(path, config)
    with open_tree(path) as tree:
        stored = tree.text("", "model_config")
        whole = dict(config) if config is not None else _parsed(stored)
        model = outline(whole) if whole is not None else None
        root = root_of(tree)
        version, backend = (_note(tree, root or "", key) for key in ("keras_version", "backend"))
        if root is not None:
            layers, keras1 = read_groups(tree, root, model)
            old = keras1 or (version or "").startswith("1.")
            return _Content(layers, old, whole, version, backend)
        return _Content(_variables(tree, model), False, whole, version, backend)


def _read_archive(path: Path, config: Mapping[str, Any] | None) -> _Content:
    members = read_members(path, (_CONFIG, _METADATA, WEIGHTS))
    if missing := {_CONFIG, WEIGHTS} - set(members):
        raise KerasFileError(f"the archive lacks {' and '.join(sorted(missing))}")
    whole = dict(config) if config is not None else parse_json(_text(members[_CONFIG]), _CONFIG)
    metadata = parse_json(_text(members.get(_METADATA, b"{}")), _METADATA)
    version = metadata.get("keras_version")
    with open_tree(members[WEIGHTS]) as tree:
        layers = _variables(tree, outline(whole))
    return _Content(layers, False, whole, version if isinstance(version, str) else None, None)


def _finished(path: Path, content: _Content, told: Order | None) -> KerasFile:
    model: Outline | None = outline(content.config) if content.config is not None else None
    if told is None and content.keras1 and model is not None and wants_theano_order(model):
        told = "oihw"
    kernels = find_order(
        [layer.weights for layer in content.layers],
        keras1=content.keras1,
        backend=content.backend,
        told=told,
    )
    layers = tuple(_layer(layer, kernels) for layer in content.layers)
    facts = (content.config, content.version, content.backend, kernels.order, kernels.rotated)
    return KerasFile(path, layers, *facts)


def _layer(raw: RawLayer, kernels: KernelOrder) -> KerasLayer:
    weights = {
        leaf: kernels.apply(leaf, array, raw.class_name) for leaf, array in raw.weights.items()
    }
    config = raw.outline.config if raw.outline else None
    return KerasLayer(raw.name, raw.class_name, config, weights)


def _variables(tree: Tree, model: Outline | None) -> list[RawLayer]:
    if not has_variables(tree):
        raise KerasFileError("the file holds no layers as any Keras writes them")
    return read_variables(tree, model)


def _note(tree: Tree, root: str, key: str) -> str | None:
    """Read what the file says of its writer, at its root or beside its layers."""
    return tree.text(root, key) or tree.text("", key)


def _parsed(text: str | None) -> dict[str, Any] | None:
    return None if text is None else parse_json(text, "model_config")


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise KerasFileError("the archive's JSON is not UTF-8") from None
