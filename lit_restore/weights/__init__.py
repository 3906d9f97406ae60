"""Trained networks that are shipped with the package, and what is known of them."""

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class ShippedWeights:
    """What ``index.json`` records of one network.

    Attributes:
        file: Name of the .safetensors file in this folder.
        sha256: Of the file; checked before it is used.
        description: What the network does.
        recipe: The command that trained it.
        data: What it was trained on.
        steps: Batches of training.
        seed: Of the run.
        quality: By protocol, PSNR in dB of the input, of a simple remedy, of the result. Where the
            protocol's name says so by its end, a share of 1 instead: ``_f_measure`` that of edges,
            ``_miou`` the mean intersection over union of classes, ``_dice`` their mean Dice
            coefficient, ``_accuracy`` what was judged rightly, pixels or pictures.
        license: Of the weights.
    """

    file: str
    sha256: str
    description: str
    recipe: str
    data: str
    steps: int
    seed: int
    quality: dict[str, dict[str, float]]
    license: str


def shipped() -> dict[str, ShippedWeights]:
    """Read the index of shipped weights, by name."""
    index = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))
    known = {field.name for field in fields(ShippedWeights)}
    return {
        name: ShippedWeights(**{key: value for key, value in entry.items() if key in known})
        for name, entry in index.items()
    }


def weights_path(name: str) -> Path:
    """Find the file of shipped weights, and check that it is the one that was shipped.

    Args:
        name: As in the index.

    Raises:
        KeyError: If nothing is shipped under that name.
        ValueError: If the file's hash is not the index's.
        FileNotFoundError: If the file is not there.
    """
    index = shipped()
    if name not in index:
        raise KeyError(f"nothing is shipped as {name!r}, only {', '.join(index)}")
    entry = index[name]
    path = FOLDER / entry.file
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != entry.sha256:
        raise ValueError(
            f"{path.name} is not the file that was shipped: expected sha256 {entry.sha256[:12]}, "
            f"got {found[:12]}"
        )
    return path
