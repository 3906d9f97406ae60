"""Files of other frameworks: read as data alone, turned to networks, and written.

``lit_restore.interop.layouts``, ``.graph`` and ``.torch_files`` need only torch; what opens HDF5
files needs h5py (``pip install 'lit-restore[interop]'``). No other framework is ever imported here,
but for the module that ``lit-restore convert --verify`` starts in a process of its own.
"""

import importlib
from typing import Any

_NAMES = {
    "KerasFile": "keras_files",
    "KerasFileError": "keras_files",
    "KerasLayer": "keras_files",
    "read_keras": "keras_files",
    "write_keras": "keras_write",
    "GraphNetwork": "graph",
    "load_keras": "keras_models",
    "load_into": "filling",
    "save_keras_weights": "filling",
    "VGGWeightsError": "vgg_weights",
    "load_vgg": "vgg_weights",
    "load_backbone": "resnet_weights",
    "TorchFileError": "torch_files",
    "load_third_party": "third_party",
    "load_torch": "torch_files",
    "load_translation": "translation_files",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that a graph is rebuilt without h5py."""
    if name in _NAMES:
        return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_NAMES])
