"""Choosing the network of a file that translates in the direction that is asked for."""

from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._batch import UsageError
from lit_restore.commands._weights import MissingWeightsError, load

if TYPE_CHECKING:
    from torch import nn

DIRECTIONS = ("ab", "ba")


def load_translator(path: Path, direction: str | None, name: object) -> "nn.Module":
    """Build the generator of a direction.

    Args:
        path: A file of one network, or the checkpoint of a task; one of CycleGAN's has both
            directions.
        direction: ``"ab"`` or ``"ba"``; None where the file has one.
        name: Of the file, as the user gave it.

    Raises:
        UsageError: If the file has both directions and none was asked for, or another than that
            which was asked for.
        MissingWeightsError: If the file is missing, damaged or none of ours.
    """
    from lit_restore.checkpoints import CheckpointError, RoleError, load_network

    try:
        network = load_network(path)
    except RoleError as error:
        found = [way for way in DIRECTIONS if f"g_{way}" in error.roles]
        return load(path, f"g_{_chosen(found, direction, name)}" if found else None)
    except CheckpointError as error:
        raise MissingWeightsError(str(error)) from error
    own = getattr(network, "direction", None)
    if own in DIRECTIONS:
        _chosen([own], direction, name)
    return network


def _chosen(found: list[str], direction: str | None, name: object) -> str:
    if direction is None and len(found) == 1:
        return found[0]
    if direction is None:
        raise UsageError(f"{name} translates both ways: say --direction ab or --direction ba")
    if direction not in found:
        raise UsageError(f"{name} translates {found[0]} alone, got --direction {direction}")
    return direction
