"""One line for what is wrong with a config, with the nearest right name.

The parser of Lightning's command line answers a typo with some sixty lines: its usage, every type
that it tried, and the whole value. The line that matters is among them.
"""

import ast
import difflib
import importlib
import inspect
import re
from collections.abc import Iterable

_KEYS = re.compile(r'Parser key "([^"]+)"')
_CLASSES = re.compile(r"class_path '([\w.]+)'")
_CALLABLE = re.compile(r"Got value: Namespace\(class_path='([\w.]+)'")
_OPTION = re.compile(r"Option '([^']+)' is not accepted")
_MODULE = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'")
_VALUE = re.compile(r"Expected an? (.+?)\. Got value: (.*)")
_KINDS = re.compile(r"Expected an? (<class '[^']+'>|typing\.Literal\[[^\]]*\]|typing\.\S+)")
_UNKNOWN = re.compile(r"(?:does not accept option '|unrecognized arguments: --)([\w.]+)")
_IMPORT = re.compile(r"Expected a dot import path string: (\S+)")
_REQUIRED = re.compile(r"the following arguments are required: ([\w., ]+)")
_NOT_GIVEN = ("args", "kwargs", "params")  # the code gives them, a config cannot
_SHORT = ("tasks", "datamodules", "callbacks", "models", "losses", "data")


def explain(message: str, options: Iterable[str] = ()) -> str:
    """Reduce a parser's message to the line that matters.

    Args:
        message: What the parser says.
        options: The parser's own keys, for the nearest right one.
    """
    known = list(options)
    for rule in (_unknown_option, _unknown_argument, _unknown_name, _missing, _wrong_value):
        line = rule(message, known)
        if line:
            return line
    return " ".join(message.split())[:300]


def _unknown_argument(message: str, options: list[str]) -> str:
    """A key that no class on the way accepts."""
    found = _OPTION.search(message)
    if not found:
        return ""
    owners = _CALLABLE.findall(message[found.end() :]) or _CLASSES.findall(message[: found.start()])
    place = _place(message[: found.start()])
    accepted = _parameters(owners[-1]) if owners else options
    owner = owners[-1].rpartition(".")[2] if owners else "the config"
    head = found[1].partition(".")[0]
    name = found[1] if head in accepted else head  # the keys below a wrong one are no news
    near = _near(name, accepted)
    return f"{place}: {owner} has no argument {name!r}.{near} It has: {', '.join(accepted)}"


def _unknown_name(message: str, options: list[str]) -> str:
    """A class or function that its module does not have, or a name that is none at all."""
    found = _MODULE.search(message)
    if found:
        module, name = found.groups()
        names = _public(module)
        return f"{_place(message[: found.start()])}: {module} has no {name!r}.{_near(name, names)}"
    found = _IMPORT.search(message)
    if found and "float" not in message[: found.start()]:
        names = [name for part in _SHORT for name in _public(f"lit_restore.{part}")]
        near = _near(found[1], names)
        return f"{_place(message[: found.start()])}: there is no class {found[1]!r}.{near}"
    return ""


def _missing(message: str, options: list[str]) -> str:
    """Arguments without a default that a class was not given."""
    found = _REQUIRED.search(message)
    classes = _CLASSES.findall(message[: found.start()]) if found else []
    if not (found and classes):
        return ""
    place = _place(message[: found.start()])
    return f"{place}: {classes[-1].rpartition('.')[2]} needs {found[1].strip()}"


def _wrong_value(message: str, options: list[str]) -> str:
    """A value of another type, or outside a closed choice."""
    found = _VALUE.search(message)
    if found:
        expected, got = _type(found[1]), found[2].strip()
        choices = _choices(found[1])
        near = _near(got, choices)
        return f"{_place(message[: found.start()])}: expected {expected}, got {got!r}.{near}"
    kinds = re.findall(
        r"Expected an? (<class '[^']+'>|typing\.Literal\[[^\]]*\]|typing\.\S+)", message
    )
    value = re.search(r"Given value: (.*?)(?:\. Got value|$)", message, re.MULTILINE)
    if not (kinds and value):
        return ""
    expected = " or ".join(dict.fromkeys(_type(kind) for kind in kinds[:2]))
    before = message[: value.start()]
    return f"{_place(before)}: expected {expected}, got {value[1].strip()[:80]!r}."


def _unknown_option(message: str, options: list[str]) -> str:
    """A key that the Trainer or the command itself does not have."""
    found = _UNKNOWN.search(message)
    if not found:
        return ""
    key = found[1]
    heads = {option.partition(".")[0] for option in options}
    if key.partition(".")[0] not in heads:  # the first word is wrong: the rest is no news
        key, options = key.partition(".")[0], sorted(heads)
    return f"there is no key {key!r}.{_near(key, options)}"


def _place(before: str) -> str:
    """The path of keys that leads to the error, as it would be written on the command line."""
    return ".".join(_KEYS.findall(before)) or "config"


def _near(name: str, names: Iterable[str]) -> str:
    by_lower = {candidate.lower(): candidate for candidate in names}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    return f" Did you mean {by_lower[near[0]]!r}?" if near else ""


def _public(module: str) -> list[str]:
    loaded = importlib.import_module(module)
    return list(getattr(loaded, "__all__", [])) or [n for n in dir(loaded) if n[:1] != "_"]


def _parameters(class_path: str) -> list[str]:
    module, _, name = class_path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
        return [name for name in inspect.signature(found).parameters if name not in _NOT_GIVEN]
    except (ImportError, AttributeError, ValueError, TypeError):
        return []


def _choices(expected: str) -> list[str]:
    found = re.search(r"Literal(\[.*?\])", expected)
    return [str(choice) for choice in ast.literal_eval(found[1])] if found else []


def _type(expected: str) -> str:
    choices = _choices(expected)
    if choices:
        return "one of " + ", ".join(choices)
    return re.sub(r"<class '([^']+)'>", r"\1", expected).replace("NoneType", "null")
