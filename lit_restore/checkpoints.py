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
from lit_restore.carried import carry, what_is_carried

KEY = "lit_restore"
_GRAPH = "GraphNetwork"
_DEFAULT_ROLES = ("network", "generator")
_Stored = tuple[dict[str, Any], dict[str, Tensor]]  # what is said of a network, and its tensors
_FOREIGN = (
    "says nothing of a network of lit_restore; weights that others trained are read by "
    "lit_restore.interop.load_third_party or load_into, and saved by save_network"
)


class CheckpointError(ValueError):
    """A file that holds no network of ours, and why."""


class MissingNetworkError(CheckpointError):
    """There is no such file."""


class RoleError(CheckpointError):
    """A file of several networks, none of which is the one that was asked for.

    Args:
        message: What was expected and what came.
        roles: The networks that there are.
    """

    def __init__(self, message: str, roles: tuple[str, ...]) -> None:
        super().__init__(message)
        self.roles = roles


def describe_network(network: nn.Module) -> dict[str, Any]:
    """Describe a network in plain values: its class, its constructor's arguments, its needs.

    What a training knew besides (``lit_restore.carried``) is described where the network has it.

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
    described = {
        "network": name,
        "arguments": arguments,
        "scale": getattr(network, "scale", 1),
        "value_range": getattr(network, "value_range", "unit"),
        "versions": {"lit_restore": lit_restore.__version__, "torch": str(torch.__version__)},
    }
    return described | {name: _plain(value) for name, value in what_is_carried(network).items()}


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


def load_network(path: Path | str, role: str | None = None) -> nn.Module:
    """Rebuild a network from a ``.safetensors`` or ``.ckpt`` file, in eval mode, on the CPU.

    Of a run with weight averaging, or a task that averages its generator itself, the averaged
    weights are loaded.

    Args:
        path: The file.
        role: Which network of a task with several, as ``network_roles`` lists them, such as
            ``"g_ab"``; None: the one called ``network`` or ``generator``.

    Raises:
        RoleError: If the file holds no network of that role, or none of those two.
        CheckpointError: If the file is missing, unreadable, or not one of ours.
    """
    description, tensors = _read(Path(path), role)
    try:
        network = build_network(description)
        # A graph's tensors keep the types that they had in Keras.
        network.load_state_dict(tensors, assign=description["network"] == _GRAPH)
        carry(network, description)
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


def read_description(path: Path | str, role: str | None = None) -> dict[str, Any]:
    """Read what a file says of its network, without building it.

    Args:
        path: The file.
        role: As in ``load_network``.

    Raises:
        RoleError: As in ``load_network``.
        CheckpointError: If the file is missing, unreadable, or not one of ours.
    """
    return _read(Path(path), role)[0]


def network_roles(path: Path | str) -> tuple[str, ...]:
    """List the networks that a file describes, by the roles that ``load_network`` takes.

    Returns:
        Of a ``.safetensors`` file, which holds one network, ``("network",)``.

    Raises:
        CheckpointError: If the file is missing, unreadable, or not one of ours.
    """
    return tuple(_described(Path(path)))


def _read(path: Path, role: str | None = None) -> _Stored:
    networks = _described(path)
    return networks[_chosen(path, tuple(networks), role)]


def _chosen(path: Path, roles: tuple[str, ...], role: str | None) -> str:
    """Choose a network's role among those of a file."""
    wanted = _DEFAULT_ROLES if role is None else (role,)
    found = next((one for one in wanted if one in roles), None)
    if found is not None:
        return found
    there = ", ".join(map(repr, roles))
    if role is None:
        raise RoleError(f"{path}: say which of its networks is meant, by role=: {there}", roles)
    raise RoleError(f"{path}: holds no network of the role {role!r}, only {there}", roles)


def _described(path: Path) -> dict[str, _Stored]:
    """Read the networks of a file, by role."""
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


def _read_safetensors(path: Path) -> dict[str, _Stored]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        if KEY not in metadata:
            raise CheckpointError(f"{path}: {_FOREIGN}")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return {"network": (json.loads(metadata[KEY]), tensors)}


def _read_checkpoint(path: Path) -> dict[str, _Stored]:
    content = torch.load(path, map_location="cpu", weights_only=True)
    networks = content.get(KEY, {}).get("networks", {}) if isinstance(content, dict) else {}
    if not networks:
        raise CheckpointError(f"{path}: {_FOREIGN}")
    return {
        role: _part(role, dict(description), content["state_dict"])
        for role, description in networks.items()
    }


def _part(role: str, description: dict[str, Any], state: Mapping[str, Tensor]) -> _Stored:
    """Take the network of one role out of a task's state."""
    prefix = description.pop("weights", role) + "."  # a task may keep averaged ones beside
    tensors = {
        name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)
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
