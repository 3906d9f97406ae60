"""``lit-restore models``: list the trained networks that are shipped."""

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lit_restore.commands._parser import Parser

if TYPE_CHECKING:
    from lit_restore.weights import ShippedWeights

_SHARES = ("_accuracy", "_dice", "_f_measure", "_miou")


def main(argv: Sequence[str]) -> int:
    """List the shipped networks, their measured quality and where they come from.

    Args:
        argv: The words after ``lit-restore models``.

    Returns:
        0. Wrong usage ends in ``SystemExit`` 2.
    """
    parser = Parser(
        prog="lit-restore models",
        description="List the trained networks that are shipped, by the names that --model takes.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")
    arguments = parser.parse_args(argv)

    from lit_restore.weights import shipped

    weights = shipped()
    if arguments.json:
        document = {name: dataclasses.asdict(entry) for name, entry in weights.items()}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        entries = [_entry(name, entry) for name, entry in weights.items()]
        sys.stdout.write("\n".join(entries) or "no trained networks are shipped\n")
    return 0


def _entry(name: str, weights: "ShippedWeights") -> str:
    rows = {
        "quality": _listed(weights.quality),
        "trained by": f"{weights.recipe}, {weights.steps} steps, seed {weights.seed}",
        "trained on": weights.data,
        "license": weights.license,
    }
    lines = [f"  {title:<12}{text}" for title, text in rows.items()]
    return "\n".join([f"{name}: {weights.description}", *lines, ""])


def _digits(protocol: str) -> int:
    return 3 if protocol.endswith(_SHARES) else 2


def _listed(protocols: Mapping[str, Any]) -> str:
    """Write the figures of each protocol: ``kodak_64 mosaic 19.07, restored 20.58 dB``."""
    return "; ".join(
        f"{protocol} "
        + ", ".join(f"{name} {value:.{_digits(protocol)}f}" for name, value in figures.items())
        + ("" if protocol.endswith(_SHARES) else " dB")
        for protocol, figures in protocols.items()
    )
