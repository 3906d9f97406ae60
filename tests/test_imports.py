"""Who may import whom, and what an import may pull in."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import lit_restore

ROOT = Path(__file__).parents[1]
HEAVY = {
    "PIL", "h5py", "jsonargparse", "keras", "lightning", "pytorch_lightning", "safetensors",
    "scipy", "skimage", "tensorflow", "torchmetrics", "torchvision", "yaml",
}  # fmt: skip
TORCH_ONLY = ["nn", "models", "losses", "inference", "checkpoints", "metrics", "optim",
              "interop.graph", "interop.layouts"]  # fmt: skip
NO_TORCH = ["", "atomic", "cli", "commands", "config_errors", "malloc", "weights", "interop"]


class Rule(NamedTuple):
    """What a part of the package may import, besides itself and Python's own modules.

    Attributes:
        house: Modules of ``lit_restore``, each with what lies in it; "" is the package's root.
        others: Packages of others at the head of a module.
        inside: Further packages of others inside a function.
    """

    house: str
    others: str
    inside: str = ""


EVERYTHING = "callbacks checkpoints data datamodules inference losses metrics models tasks training"
RULES = {
    "__init__": Rule("", ""),
    "__main__": Rule("cli", ""),
    "atomic": Rule("", ""),
    "callbacks": Rule("atomic data.classes data.images data.label_files", "lightning numpy torch"),
    "carried": Rule("", "torch"),
    "checkpoints": Rule("models interop.graph atomic carried", "torch", inside="safetensors"),
    "cli": Rule("malloc", ""),
    "commands": Rule(
        f"{EVERYTHING} atomic interop nn weights",
        "",
        inside="PIL lightning matplotlib numpy skimage torch yaml",
    ),
    "config_errors": Rule("", ""),
    "data": Rule("nn atomic", "PIL numpy torch"),
    "datamodules": Rule("data atomic", "lightning torch"),
    "inference": Rule("models nn data metrics checkpoints", "torch"),
    "interop": Rule(
        "models nn atomic",
        "torch",
        inside="h5py keras numpy safetensors tensorflow torchvision",
    ),
    "losses": Rule("nn models interop.vgg_weights", "torch"),
    "malloc": Rule("", ""),
    "metrics": Rule("nn", "torch torchmetrics", inside="torch_fidelity"),
    "models": Rule("nn", "torch"),
    "nn": Rule("", "torch", inside="scipy"),
    "optim": Rule("", "torch"),
    "tasks": Rule(
        "losses metrics nn inference carried checkpoints interop.resnet_weights weights",
        "lightning torch torchmetrics",
    ),
    "training": Rule(
        "callbacks checkpoints config_errors data datamodules interop.torch_files "
        "interop.vgg_weights losses malloc models tasks",
        "lightning",
    ),
    "weights": Rule("", ""),
}
# At the head of a module, where importing it costs time: commands stay light.
COMMANDS_AT_THE_HEAD = Rule("commands", "")


class Import(NamedTuple):
    """An imported module's full name, and whether importing the file imports it."""

    module: str
    at_head: bool


def imports(tree: ast.AST, at_head: bool = True) -> Iterator[Import]:
    """Yield what a piece of source imports; under TYPE_CHECKING counts as inside a function."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, at_head) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (Import(f"{node.module}.{a.name}", at_head) for a in node.names)
        else:
            inside = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            unseen = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            yield from imports(node, at_head and not inside and not unseen)


def lies_in(module: str, allowed: str) -> bool:
    return any(f"{module}.".startswith(f"{name}.") for name in allowed.split())


def allows(rule: Rule, part: str, found: Import) -> bool:
    """Whether a file of ``part`` may import ``found``."""
    package, _, rest = found.module.partition(".")
    if package in sys.stdlib_module_names:
        return True
    if package != "lit_restore":
        return lies_in(package, rule.others if found.at_head else f"{rule.others} {rule.inside}")
    of_root = not rest or rest in ("__version__", "__name__")
    return of_root or lies_in(rest, f"{part} {rule.house}")


def forbidden(part: str, source: str) -> list[str]:
    """What a file of ``part`` imports against the rules."""
    found = list(imports(ast.parse(source)))
    bad = [one.module for one in found if not allows(RULES[part], part, one)]
    if part == "commands":
        head = [one for one in found if one.at_head]
        bad += [one.module for one in head if not allows(COMMANDS_AT_THE_HEAD, part, one)]
    return bad


def part_of(path: Path) -> str:
    return path.relative_to(ROOT / "lit_restore").parts[0].removesuffix(".py")


FILES = sorted((ROOT / "lit_restore").rglob("*.py"))


def test_every_part_of_the_package_has_a_rule_and_every_rule_a_part() -> None:
    assert {part_of(path) for path in FILES} == set(RULES)


@pytest.mark.parametrize("part", RULES)
def test_a_part_imports_only_what_its_rule_allows(part: str) -> None:
    files = [path for path in FILES if part_of(path) == part]
    against = {path.name: forbidden(part, path.read_text(encoding="utf-8")) for path in files}
    assert {name: modules for name, modules in against.items() if modules} == {}


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("tasks", "from lit_restore.models import MosaicUNet"),
        ("tasks", "from lit_restore import data"),
        ("tasks", "def f():\n    import lit_restore.datamodules"),
        ("nn", "from lit_restore.models.mosaic_unet import MosaicUNet"),
        ("models", "from lit_restore.losses import L1Loss"),
        ("models", "import numpy as np"),
        ("losses", "def f():\n    from torchvision.models import vgg16"),
        ("inference", "import lightning"),
        ("interop", "import h5py"),
        ("interop", "from lit_restore.data import read_image"),
        ("checkpoints", "from lit_restore.interop import read_keras"),
        ("callbacks", "from lit_restore.data import Mosaic"),
        ("commands", "import torch"),
        ("commands", "from lit_restore.inference import Restorer"),
        ("cli", "from lit_restore.training import main"),
        ("training", "from parity.case import Case"),
        ("data", "import keras"),
    ],
)
def test_the_rules_find_what_they_forbid(part: str, source: str) -> None:
    assert forbidden(part, source) != []


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("commands", "def f():\n    import torch"),
        ("commands", "if TYPE_CHECKING:\n    from torch import Tensor"),
        ("tasks", "from lit_restore import checkpoints"),
        ("callbacks", "from lit_restore.data.images import write_image"),
        ("cli", "from lit_restore import __version__"),
        ("nn", "import math\nfrom lit_restore.nn.conv import SameConv2d"),
    ],
)
def test_the_rules_allow_what_they_should(part: str, source: str) -> None:
    assert forbidden(part, source) == []


def test_keras_stays_on_its_own_side_of_parity() -> None:
    """The two frameworks in one process crash: neither side imports the other's framework."""
    keras_side, theirs, ours = "worker references", "keras tensorflow", "torch lit_restore"
    for path in sorted((ROOT / "parity").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT / "parity").with_suffix("").parts)
        found = [one.module for one in imports(ast.parse(path.read_text())) if one.at_head]
        if lies_in(name, keras_side):
            assert [module for module in found if lies_in(module, ours)] == [], path
        else:
            inner = [module.removeprefix("parity.") for module in found]
            assert [module for module in found if lies_in(module, theirs)] == [], path
            assert [module for module in inner if lies_in(module, keras_side)] == [], path


def loaded(*parts: str) -> set[str]:
    """Names of the packages that a fresh interpreter holds after importing parts of ours."""
    names = [f"lit_restore.{part}".removesuffix(".") for part in parts]
    code = f"import sys, {', '.join(names)}; print(*{{name.split('.')[0] for name in sys.modules}})"
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(process.stdout.split())


@pytest.mark.parametrize("part", TORCH_ONLY)
def test_torch_is_all_that_these_parts_import(part: str) -> None:
    found = loaded(part)
    assert "torch" in found
    assert found & HEAVY == set()


def test_the_command_and_what_it_needs_at_once_do_not_even_import_torch() -> None:
    assert loaded(*NO_TORCH) & (HEAVY | {"torch", "numpy"}) == set()


def test_data_imports_pillow_and_numpy_but_no_lightning() -> None:
    assert loaded("data") & HEAVY == {"PIL"}


def test_public_names_of_the_root_arrive_on_first_use() -> None:
    for name in (*lit_restore._SUBPACKAGES, *lit_restore._NAMES):
        assert getattr(lit_restore, name) is not None
        assert name in dir(lit_restore)
    with pytest.raises(AttributeError, match="has no attribute 'load_networks'"):
        _ = lit_restore.load_networks
