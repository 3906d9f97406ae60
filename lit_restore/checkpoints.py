"""Networks in files: written with a description in plain values, rebuilt from it alone.

A ``.safetensors`` file carries the description in its header, a Lightning ``.ckpt`` under the key
``lit_restore``. Only classes that ``lit_restore.models`` exports are ever built, and the
``GraphNetwork`` of a converted Keras model, which in turn builds only layers of one table; and a
``.ckpt`` is read with ``weights_only=True``, so that a file cannot run code.
"""

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import lit_restore
from lit_restore import models
from lit_restore.atomic import replace_file

KEY = "lit_restore"
_GRAPH = "GraphNetwork"
_FOREIGN = (
    "says nothing of a network of lit_restore; weights that others trained are read by "
    "lit_restore.interop.load_third_party or load_into, and saved by save_network"
)


class CheckpointError(ValueError):
    """A file that holds no network of ours, and why."""


class MissingNetworkError(CheckpointError):
    """There is no such file."""


def describe_network(network: nn.Module) -> dict[str, Any]:
    """Describe a network in plain values: its class, its constructor's arguments, its needs.

    Raises:
        ValueError: If ``lit_restore.models`` does not export the network's class, and it is no
            ``GraphNetwork``.
    """
    name = type(network).__name__
    if _class_of(name) is not type(network):
        raise ValueError(
            f"only networks of lit_restore.models can be described, got {type(network)!r}; "
            f"these are {', '.join(models.__all__)}"
        )
    arguments = {
        argument: _plain(getattr(network, argument))
        for argument in inspect.signature(type(network)).parameters
    }
    return {
        "network": name,
        "arguments": arguments,
        "scale": getattr(network, "scale", 1),
        "value_range": getattr(network, "value_range", "unit"),
        "versions": {"lit_restore": lit_restore.__version__, "torch": str(torch.__version__)},
    }


def save_network(network: nn.Module, path: Path | str, **extra: Any) -> None:
    """Write a network as ``.safetensors``, under a temporary name that is then renamed.

    Args:
        network: A network of ``lit_restore.models``, or a ``GraphNetwork``.
        path: Where to; must end in ``.safetensors``.
        **extra: Plain values to keep beside the description (recipe, data, quality).

    Raises:
        ValueError: If ``path`` has another suffix, or the network cannot be described.
    """
    from safetensors.torch import save

    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"weights are written as .safetensors, got {path.name}")
    description = describe_network(network) | extra
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    replace_file(path, save(tensors, metadata={KEY: json.dumps(description)}))


def load_network(path: Path | str) -> nn.Module:
    """Rebuild a network from a ``.safetensors`` or ``.ckpt`` file, in eval mode, on the CPU.

    Of a task with several networks the one called ``network`` or ``generator`` is loaded; of a run
    with weight averaging, or a task that averages its generator itself, the averaged weights.

    Raises:
        CheckpointError: If the file is missing, unreadable, or not one of ours.
    """
    description, tensors = _read(Path(path))
    try:
        network = build_network(description)
        # A graph's tensors keep the types that they had in Keras.
        network.load_state_dict(tensors, assign=description["network"] == _GRAPH)
        if "value_range" in description:  # a training may have meant another than the class says
            network.value_range = description["value_range"]
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise CheckpointError(f"{path}: the weights do not fit their network: {reason}") from error
    return network.eval()


def build_network(description: Mapping[str, Any]) -> nn.Module:
    """Build the network that ``describe_network`` described, with fresh weights.

    Raises:
        ValueError: If there is no such class, or it does not take these arguments.
    """
    name = description["network"]
    network = _class_of(name)
    if network is None:
        raise ValueError(f"{name!r} is no network of lit_restore {lit_restore.__version__}")
    return network(**description["arguments"])


def read_description(path: Path | str) -> dict[str, Any]:
    """Read what a file says of its network, without building it.

    Raises:
        CheckpointError: If the file is missing, unreadable, or not one of ours.
    """
    return _read(Path(path))[0]


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    if not path.is_file():
        raise MissingNetworkError(f"{path}: there is no such file")
    reader = _read_safetensors if path.suffix == ".safetensors" else _read_checkpoint
    try:
        return reader(path)
    except CheckpointError:
        raise
    except Exception as error:  # the readers raise whatever they like on a broken file
        reason = _reason(error)
        raise CheckpointError(f"{path}: cannot be read as weights: {reason}") from error


def _reason(error: Exception) -> str:
    reason = " ".join(str(error).split())[:200]
    if "Weights only load failed" in reason:  # whose advice is to load it all the same
        return "it is damaged, no checkpoint at all, or would run code"
    if isinstance(error, KeyError):  # of what the unpickler met in a file of another kind
        return "it is damaged, or no checkpoint at all"
    return reason


def _read_safetensors(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        if KEY not in metadata:
            raise CheckpointError(f"{path}: {_FOREIGN}")
        return json.loads(metadata[KEY]), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _read_checkpoint(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    content = torch.load(path, map_location="cpu", weights_only=True)
    networks = content.get(KEY, {}).get("networks", {}) if isinstance(content, dict) else {}
    role = next((role for role in ("network", "generator") if role in networks), None)
    if role is None:
        raise CheckpointError(f"{path}: {_FOREIGN}")
    description = dict(networks[role])
    prefix = description.pop("weights", role) + "."  # a task may keep averaged ones beside
    tensors = {
        name.removeprefix(prefix): value
        for name, value in content["state_dict"].items()
        if name.startswith(prefix)
    }
    return description, tensors


def _class_of(name: Any) -> type[nn.Module] | None:
    """Find the class of a network by its name; None if it is none that may be built."""
    if name == _GRAPH:
        from lit_restore.interop.graph import GraphNetwork

        return GraphNetwork
    return getattr(models, name) if name in models.__all__ else None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
