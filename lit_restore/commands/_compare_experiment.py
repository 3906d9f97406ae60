"""The file of an experiment: a config, what varies, and what is measured."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lit_restore.commands._batch import UsageError
from lit_restore.commands._compare_config import Config, with_options
from lit_restore.commands._near import guess

_NEEDED = ("config", "figures", "arms")
_KEYS = (*_NEEDED, "seeds", "seeded", "curve", "checkpoint", "common")
_SEEDED = ("seed_everything", "data.seed")


@dataclass(frozen=True)
class Experiment:
    """What is compared.

    Attributes:
        configs: The whole config of each arm, in the file's order, but for the seeds.
        seeds: One run of every arm each.
        seeded: Dotted keys that are set to the seed.
        figures: Names of what ``test`` logs.
        curve: Name of what is drawn against epochs; None draws nothing.
        checkpoint: Which one is tested: the stem of a file in the run's folder.
    """

    configs: dict[str, Config]
    seeds: tuple[int, ...]
    seeded: tuple[str, ...]
    figures: tuple[str, ...]
    curve: str | None
    checkpoint: str

    def config(self, arm: str, seed: int) -> Config:
        """Give the config of a run."""
        return with_options(self.configs[arm], dict.fromkeys(self.seeded, seed))


def read_experiment(
    path: Path, seeds: int | None = None, options: Mapping[str, Any] | None = None
) -> Experiment:
    """Read and check the file of an experiment, and the config that it names.

    Args:
        path: A YAML file of plain data.
        seeds: How many, in place of the file's.
        options: For every arm, over those of the file.

    Raises:
        UsageError: If the file is no experiment; tells why.
    """
    content = _mapping(_read(path), f"{path}")
    for key in content:
        if key not in _KEYS:
            near = guess(str(key), _KEYS)
            raise UsageError(f"{path}: unknown key {key!r}.{near} It may have: {', '.join(_KEYS)}")
    for key in _NEEDED:
        if key not in content:
            raise UsageError(f"{path}: expected the key {key!r}")
    base_path = path.parent / _text(content["config"], f"{path}: config")
    base = _mapping(_read(base_path), f"{base_path}")
    common = _options(content.get("common"), f"{path}: common")
    arms = _arms(content["arms"], path)
    seeded = _names(content.get("seeded", list(_SEEDED)), f"{path}: seeded")
    for name, given in (("common", common), *arms, ("--set", options or {})):
        for key in set(given) & set(seeded):
            raise UsageError(f"{path}: {name}: {key} is what the seeds set")
    base = with_options(base, common)
    curve = content.get("curve")
    return Experiment(
        {name: with_options(with_options(base, arm), options or {}) for name, arm in arms},
        _seeds(content.get("seeds", 3) if seeds is None else seeds, path),
        seeded,
        _names(content["figures"], f"{path}: figures"),
        None if curve is None else _text(curve, f"{path}: curve"),
        _text(content.get("checkpoint", "last"), f"{path}: checkpoint"),
    )


def parse_yaml(text: str, place: str) -> Any:
    """Read plain data.

    Raises:
        UsageError: If it is no YAML; ``place`` tells where.
    """
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{place}: no YAML: {' '.join(str(error).split())}") from error


def folder_name(arm: str) -> str:
    """Name the folder of an arm: letters, digits, and ``_`` for all else."""
    return re.sub(r"[^\w.+-]+", "_", arm).strip("._") or "_"


def _read(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', '') or error}") from error
    return parse_yaml(text, f"{path}")


def _arms(value: Any, path: Path) -> list[tuple[str, Config]]:
    arms = _mapping(value, f"{path}: arms")
    taken: dict[str, str] = {}
    for name in arms:
        if not isinstance(name, str):
            raise UsageError(f"{path}: arms: expected text for a name, got {name!r}: quote it")
        other = taken.setdefault(folder_name(name).lower(), name)
        if other != name:
            raise UsageError(f"{path}: arms: {other!r} and {name!r} would share a folder")
    if not arms:
        raise UsageError(f"{path}: arms: expected one at least")
    return [(name, _options(arm, f"{path}: arms: {name}")) for name, arm in arms.items()]


def _options(value: Any, place: str) -> Config:
    options = {} if value is None else _mapping(value, place)
    _names(list(options), place, least=0)
    return options


def _seeds(value: Any, path: Path) -> tuple[int, ...]:
    if _is_count(value) and value > 0:
        return tuple(range(value))
    of_counts = isinstance(value, list) and all(map(_is_count, value))
    if not (of_counts and value and len(set(value)) == len(value)):
        raise UsageError(
            f"{path}: seeds: expected a number from 1, or a list of different ones from 0, "
            f"got {value!r}"
        )
    return tuple(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _mapping(value: Any, place: str) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{place}: expected keys and values, got {_short(value)}")
    return value


def _names(value: Any, place: str, least: int = 1) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) < least:
        raise UsageError(f"{place}: expected a list of names, got {_short(value)}")
    return tuple(dict.fromkeys(_text(name, place) for name in value))


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str) or not value:
        raise UsageError(f"{place}: expected text, got {_short(value)}")
    return value


def _short(value: Any) -> str:
    return "nothing" if value is None else repr(value)[:60]
