"""What the repository's files say of where they were made and of where packages come from."""

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==(\d[A-Za-z0-9.]*)")  # no +cpu: those have an index
# Each in two parts, so that this file doesn't hold what it looks for.
HOSTS = ("py" + "pi.", "python" + "hosted", "--index" + "-url", "--extra-index" + "-url")
INDEX = re.compile(r"https?://[^\s\"'<>)]*/(?:sim" + r"ple|w" + r"hl)\b")
FOLDERS = tuple(f"/{name}/" for name in ("work", "root", "home", "Users"))


@cache
def tracked() -> dict[str, bytes]:
    """The repository's files as they lie there, by name; those to come, too, unless ignored."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    paths = {name.decode(): ROOT / name.decode() for name in names if name}
    return {name: path.read_bytes() for name, path in paths.items() if path.is_file()}


@cache
def pins() -> dict[str, str]:
    """Versions in constraints.txt by normalised name."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    matches = [PIN.fullmatch(line) for line in lines]
    return {canonicalize_name(match[1]): match[2] for match in matches if match}


def requirements() -> list[Requirement]:
    """What pyproject.toml names: to build, to run, and in each extra."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = content["project"]
    lists = [content["build-system"]["requires"], project["dependencies"]]
    lists += project["optional-dependencies"].values()
    found = [Requirement(line) for group in lists for line in group]
    return [one for one in found if one.name != project["name"]]


def says_where_packages_come_from(content: bytes) -> bool:
    text = content.decode("utf-8", errors="replace").lower()
    return any(host in text for host in HOSTS) or INDEX.search(text) is not None


def names_a_folder_of_a_machine(content: bytes) -> bool:
    text = content.decode("utf-8", errors="replace")
    return any(re.search(rf"(?:(?<![\w./-])|file://){folder}", text) for folder in FOLDERS)


def test_constraints_are_exact_pins_each_once_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not PIN.fullmatch(line)] == []
    assert len(pins()) == len(lines)


@pytest.mark.parametrize(
    "line", ["torch>=2.10", "torch", "torch==2.10.0+cpu", "torch @ https://x/y.whl", "-e .", ""]
)
def test_what_is_no_exact_pin_would_be_found(line: str) -> None:
    assert PIN.fullmatch(line) is None


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_every_direct_dependency_is_pinned_to_a_version_that_it_allows(
    requirement: Requirement,
) -> None:
    version = pins()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(Version(version))


def test_no_file_says_where_packages_come_from() -> None:
    assert [name for name, text in tracked().items() if says_where_packages_come_from(text)] == []


def test_no_file_names_a_folder_of_the_machine_it_was_made_on() -> None:
    assert [name for name, text in tracked().items() if names_a_folder_of_a_machine(text)] == []


def test_such_mentions_would_be_found() -> None:
    assert says_where_packages_come_from(f"pip install -i https://{HOSTS[0]}org".encode())
    assert says_where_packages_come_from(("https://mirror.example/sim" + "ple/torch").encode())
    assert not says_where_packages_come_from(b"https://arxiv.org/abs/1505.04597")
    for folder in FOLDERS:
        for before in ("", "cache: ", "PATH=bin:", "file://"):
            assert names_a_folder_of_a_machine(f"{before}{folder}me".encode())
    assert not names_a_folder_of_a_machine(b"https://example.org/home/page and frame/work/flow")


def test_the_files_that_a_repository_needs_are_there() -> None:
    needed = {"README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", ".ci/run"}
    assert needed <= set(tracked())
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_what_the_readme_links_to_is_there_and_nothing_is_left_to_fill_in() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []
    prose = re.sub(r"```.*?```|`[^`]*`|\[[^\]]*\]\([^)]*\)", "", text, flags=re.DOTALL)
    assert re.findall(r"\b[A-Z]{8,}\b", prose) == []
