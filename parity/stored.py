"""Keras's results as stored in ``parity/golden``: one npz file per level of cases.

Each file holds all numbers in one vector, and an index in JSON: what each case follows from, which
arrays it has, of which shapes, and the versions that made them. Large arrays are sketches.
"""

import json
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from parity.arrays import LIMIT, Array, Arrays, sketch
from parity.case import Case
from parity.judge import Reference

FOLDER = Path(__file__).with_name("golden")


class StaleReferenceError(LookupError):
    """A case is not stored, or has changed since."""


def read(case: Case) -> Reference:
    """Read what Keras computed for a case.

    Raises:
        StaleReferenceError: If the case is not stored, or other inputs or settings are.
    """
    index, values = _load(FOLDER / f"{group(case)}.npz")
    entry = index.get(case.name)
    if entry is None:
        raise StaleReferenceError(f"{case.name} is not stored yet: {_remedy(case)}")
    if entry["follows_from"] != case.digest():
        raise StaleReferenceError(f"{case.name} has changed since it was stored: {_remedy(case)}")
    arrays: Arrays = {}
    start = entry["start"]
    shapes = {name: tuple(shape) for name, shape in entry["shapes"].items()}
    for name, shape in shapes.items():
        kept = values[start : start + min(math.prod(shape), LIMIT)]
        arrays[name] = kept.reshape(shape) if math.prod(shape) <= LIMIT else kept
        start += kept.size
    return Reference(arrays, entry["own"], shapes)


def _remedy(case: Case) -> str:
    of = "" if case.framework == "keras" else f" --framework {case.framework}"
    return f"python -m parity golden{of}"


def group(case: Case) -> str:
    """Name the file, without its suffix, that holds a case."""
    return case.level if case.framework == "keras" else f"{case.framework}-{case.level}"


def versions(name: str) -> dict[str, str]:
    """Tell the versions that made a file; empty if there is no such file."""
    return _read_index(FOLDER / f"{name}.npz").get("versions", {})


def write(
    name: str, references: Iterable[tuple[Case, Reference]], versions: Mapping[str, str]
) -> Path:
    """Store the results of all cases of a group, in place of what was stored.

    Returns:
        The file.
    """
    cases: dict[str, Any] = {}
    parts: list[Array] = []
    start = 0
    for case, reference in references:
        shapes = {name: array.shape for name, array in reference.arrays.items()}
        cases[case.name] = {
            "follows_from": case.digest(),
            "start": start,
            "shapes": shapes,
            "own": {name: float(f"{error:.3g}") for name, error in reference.own.items()},
        }
        parts += [sketch(array).reshape(-1) for array in reference.arrays.values()]
        start = sum(part.size for part in parts)
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.npz"
    index = json.dumps({"versions": dict(versions), "cases": cases}, separators=(",", ":"))
    np.savez_compressed(path, index=np.array(index), values=np.concatenate(parts))
    _load.cache_clear()
    return path


@lru_cache
def _load(path: Path) -> tuple[dict[str, Any], Array]:
    if not path.is_file():
        return {}, np.empty(0)
    with np.load(path, allow_pickle=False) as file:
        return json.loads(file["index"].item())["cases"], file["values"]


def _read_index(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    with np.load(path, allow_pickle=False) as file:
        return json.loads(file["index"].item())
