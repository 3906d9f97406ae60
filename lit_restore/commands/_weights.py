"""Finding the networks that a command line names."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._batch import UsageError
from lit_restore.commands._near import guess

if TYPE_CHECKING:
    from torch import nn


def add_weights_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a network, one of which is needed."""
    weights = parser.add_mutually_exclusive_group(required=True)
    weights.add_argument("--model", metavar="NAME", help="shipped weights; see lit-restore models")
    weights.add_argument("--weights", type=Path, metavar="FILE", help=".safetensors or .ckpt")


class MissingWeightsError(Exception):
    """The weights are not there, or not what they should be."""


def load(path: Path, role: str | None = None) -> "nn.Module":
    """Build the network of a file of ours.

    Args:
        path: The file.
        role: Which of its networks; as in ``lit_restore.checkpoints.load_network``.

    Raises:
        UsageError: If the file has several networks, and none of that role.
        MissingWeightsError: If the file is missing, damaged or none of ours.
    """
    from lit_restore.checkpoints import CheckpointError, RoleError, load_network

    try:
        return load_network(path, role)
    except RoleError as error:
        translates = {"g_ab", "g_ba"} & set(error.roles)
        hint = "; lit-restore translate has --direction for that" if translates else ""
        raise UsageError(f"{error}{hint}") from error
    except CheckpointError as error:
        raise MissingWeightsError(str(error)) from error


def shipped_file(name: str, others: Sequence[str] = ()) -> Path:
    """Find the file of shipped weights.

    Args:
        name: As in the index.
        others: What could have been meant besides.

    Raises:
        UsageError: If nothing is shipped under that name; tells the nearest.
        MissingWeightsError: If the file is missing, or not the one that was shipped.
    """
    from lit_restore.weights import shipped, weights_path

    names = list(shipped())
    if name not in names:
        near = guess(name, [*others, *names])
        raise UsageError(f"there is no model {name!r}.{near} Shipped are: {', '.join(names)}")
    try:
        return weights_path(name)
    except (OSError, ValueError) as error:
        raise MissingWeightsError(str(error)) from error
