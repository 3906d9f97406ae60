"""What a training knew of a network and the network's class does not say.

It is kept as attributes of the network, where there is anything to keep: ``direction``, which way
it translates; ``class_names`` and ``class_colours`` (red, green, blue; 0 .. 255) of what its logits
tell apart; ``working_side``, the pixels to which the longer side of a picture was brought before
the network was shown it.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from torch import nn


class _Kind(NamedTuple):
    """What an attribute may be: a check of its value, and words for it; whether one a class."""

    check: Callable[[Any], bool]
    expected: str
    of_classes: bool = False


def _is_direction(value: Any) -> bool:
    return isinstance(value, str)


def _are_names(value: Any) -> bool:
    named = isinstance(value, tuple) and all(isinstance(name, str) and name for name in value)
    return named and len(set(value)) == len(value)


def _are_colours(value: Any) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(colour, tuple)
        and len(colour) == 3
        and all(type(level) is int and 0 <= level <= 255 for level in colour)
        for colour in value
    )


def _is_side(value: Any) -> bool:
    return type(value) is int and value >= 1


CARRIED = {
    "direction": _Kind(_is_direction, "a word"),
    "class_names": _Kind(_are_names, "names, no two alike", of_classes=True),
    "class_colours": _Kind(_are_colours, "colours of three levels from 0 to 255", of_classes=True),
    "working_side": _Kind(_is_side, "a number of pixels, at least 1"),
}


def what_is_carried(network: nn.Module) -> dict[str, Any]:
    """Collect the attributes that a network has been given, by name."""
    found = {name: getattr(network, name, None) for name in CARRIED}
    return {name: value for name, value in found.items() if value is not None}


def carry(network: nn.Module, description: Mapping[str, Any]) -> None:
    """Give a network the attributes that a description has.

    Args:
        network: Is changed. Says its ``num_classes`` if it has any.
        description: May have other keys, too; lists become tuples.

    Raises:
        ValueError: If a value is not what it should be, or of more or fewer classes than the
            network tells apart (two, where it has one logit).
    """
    for name, kind in CARRIED.items():
        value = _fixed(description.get(name))
        if value is None:
            continue
        if not kind.check(value):
            raise ValueError(f"{name} must be {kind.expected}, got {str(value)[:80]}")
        if kind.of_classes:
            _check_count(network, name, len(value))
        setattr(network, name, value)


def _check_count(network: nn.Module, name: str, found: int) -> None:
    logits = getattr(network, "num_classes", None)
    if logits is None:
        raise ValueError(f"{name} are given, but {type(network).__name__} tells no classes apart")
    expected = max(int(logits), 2)
    if found != expected:
        raise ValueError(f"{name} must be {expected} for num_classes {logits}, got {found}")


def _fixed(value: Any) -> Any:
    """Make tuples of lists, inside, too."""
    return tuple(map(_fixed, value)) if isinstance(value, (list, tuple)) else value
