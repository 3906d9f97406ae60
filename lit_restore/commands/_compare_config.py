"""A run's config: a base config, options put into it, and a folder for all that the run writes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lit_restore.commands._batch import UsageError

Config = dict[str, Any]
_OF_A_CLASS = ("class_path", "init_args", "dict_kwargs")


def with_options(config: Mapping[str, Any], options: Mapping[str, Any]) -> Config:
    """Put options into a config, as the Trainer's command line would.

    Args:
        config: As a file holds it.
        options: Values by dotted keys; those between a class and its arguments may leave out
            ``init_args``, as in ``data.seed``. A value replaces what was there.

    Returns:
        A new config; ``config`` stays as it is.

    Raises:
        UsageError: If a key leads through something that holds no keys.
    """
    made: Config = plain(config)
    for key, value in options.items():
        _put(made, key, plain(value))
    return made


def in_folder(config: Mapping[str, Any], folder: Path) -> Config:
    """Let a run write its log and its checkpoints into a folder of its own, and no progress bar.

    Args:
        config: Of the run.
        folder: Gets ``logs/version_N``, and the files of every ``ModelCheckpoint``, each of which
            replaces its own of before.

    Returns:
        A new config; ``config`` stays as it is.
    """
    made: Config = plain(config)
    trainer = made["trainer"] = made.get("trainer") or {}
    trainer["default_root_dir"] = str(folder)
    trainer["logger"] = {
        "class_path": "lightning.pytorch.loggers.CSVLogger",
        "init_args": {"save_dir": str(folder), "name": "logs"},
    }
    trainer.setdefault("enable_progress_bar", False)
    callbacks = trainer.get("callbacks") or []
    for callback in callbacks if isinstance(callbacks, list) else [callbacks]:
        name = callback.get("class_path", "") if isinstance(callback, dict) else ""
        if name.rpartition(".")[2] == "ModelCheckpoint":
            arguments = callback["init_args"] = callback.get("init_args") or {}
            arguments.update(dirpath=str(folder), enable_version_counter=False)
    return made


def differing(one: Any, other: Any, key: str = "") -> list[str]:
    """List the dotted keys at which two plain values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = dict.fromkeys([*one, *other])
        return [
            found
            for name in names
            for found in differing(one.get(name), other.get(name), f"{key}.{name}".lstrip("."))
        ]
    return [] if one == other else [key]


def plain(value: Any) -> Any:
    """Copy a value as JSON would have it: text for keys, and for what JSON lacks."""
    return json.loads(json.dumps(value, default=str))


def _put(config: Config, key: str, value: Any) -> None:
    *way, last = key.split(".")
    place, passed = config, ""
    for word in way:
        place = _arguments(place, word)
        passed = f"{passed}.{word}".lstrip(".")
        inner = place.setdefault(word, {})
        if not isinstance(inner, dict):
            raise UsageError(f"{key}: expected keys below {passed}, which is {json.dumps(inner)}")
        place = inner
    _arguments(place, last)[last] = value


def _arguments(place: Config, word: str) -> Config:
    """Where a key of a class is: among its arguments, unless it says what class that is."""
    if "class_path" not in place or word in _OF_A_CLASS:
        return place
    if place.get("init_args") is None:
        place["init_args"] = {}
    inner: Config = place["init_args"]
    return inner
