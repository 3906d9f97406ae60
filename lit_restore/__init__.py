"""Image restoration and image-to-image translation for PyTorch Lightning.

``lit_restore.nn``, ``.models``, ``.losses`` and ``.inference`` need only torch.
``lit_restore.data`` needs NumPy and Pillow as well.
``lit_restore.tasks``, ``.datamodules``, ``.callbacks`` and ``.training`` need Lightning.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_SUBPACKAGES = (
    "callbacks",
    "checkpoints",
    "data",
    "datamodules",
    "inference",
    "interop",
    "losses",
    "metrics",
    "models",
    "nn",
    "optim",
    "tasks",
    "weights",
)
_NAMES = {
    "load_network": "checkpoints",
    "save_network": "checkpoints",
    "Inpainter": "inference",
    "Restorer": "inference",
    "Segmenter": "inference",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that a torch-only user never pays for Lightning."""
    if name in _SUBPACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_SUBPACKAGES, *_NAMES])
