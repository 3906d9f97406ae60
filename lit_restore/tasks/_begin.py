"""Weights that a training begins with: those of the same network, perhaps of another scale."""

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lit_restore import checkpoints, weights

_SCALES = ("scale", "enlarged_by")  # arguments that may differ


def begin_with(network: nn.Module, path: str | Path, argument: str) -> None:
    """Give a network the weights of a file.

    A file of the same network at another scale gives what fits: all of FSRCNN, and of ESPCN all but
    the last convolution, as the FSRCNN paper passes its weights from one scale to the others. What
    is left as it was drawn is named in a warning.

    Args:
        network: To be changed in place.
        path: A file of ours, or the name of shipped weights.
        argument: What the task calls the file, for errors.

    Raises:
        checkpoints.MissingNetworkError: If there is no such file, and nothing shipped under that
            name.
        ValueError: If the file is none of ours, or of a network of another class or with other
            arguments but for the scale.
    """
    trained = _load(path)
    if type(trained) is not type(network):
        raise ValueError(
            f"{argument}: expected weights of a {type(network).__name__}, "
            f"got those of a {type(trained).__name__} in {path}"
        )
    own, other = _arguments(network), _arguments(trained)
    differing = [name for name in own if own[name] != other[name]]
    if differing:
        wanted = ", ".join(f"{name}={own[name]!r}" for name in differing)
        got = ", ".join(f"{name}={other[name]!r}" for name in differing)
        raise ValueError(
            f"{argument}: expected weights of a {type(network).__name__} with {wanted}, "
            f"got one with {got} in {path}"
        )
    drawn = network.state_dict()
    given = trained.state_dict()
    left = [name for name in drawn if name not in given or given[name].shape != drawn[name].shape]
    with torch.no_grad():
        for name in drawn.keys() - left:
            drawn[name].copy_(given[name])
    if left:
        warnings.warn(
            f"{argument}: {path} is of another scale; left as drawn: {', '.join(left)}",
            stacklevel=2,
        )


def _load(path: str | Path) -> nn.Module:
    try:
        return checkpoints.load_network(path)
    except checkpoints.MissingNetworkError as error:
        names = weights.shipped()
        if str(path) in names:
            return checkpoints.load_network(weights.weights_path(str(path)))
        shipped = ", ".join(names)
        raise checkpoints.MissingNetworkError(f"{error}; shipped are {shipped}") from error


def _arguments(network: nn.Module) -> dict[str, Any]:
    arguments = checkpoints.describe_network(network)["arguments"]
    return {name: value for name, value in arguments.items() if name not in _SCALES}
