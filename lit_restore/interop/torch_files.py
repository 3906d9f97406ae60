"""Networks of ours filled from other people's PyTorch files, which are read as data alone."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from lit_restore.interop.torch_name_maps import TorchNames

MAX_BYTES = 1 << 30
_MOST_PROBLEMS = 20


class TorchFileError(ValueError):
    """A PyTorch file that cannot be used, and why."""


def read_torch(path: Path | str) -> dict[str, Tensor]:
    """Read the arrays of a ``.pth`` file, on the CPU; no code of the file is run.

    A dictionary of arrays is wanted, or one that holds such a dictionary as ``state_dict``.

    Args:
        path: A file that ``torch.save`` wrote.

    Returns:
        The arrays by their names.

    Raises:
        TorchFileError: If the file is missing, damaged, holds other things than plain
            arrays, as a whole pickled module, or would fill more than a gibibyte of memory.
    """
    path = Path(path)
    if not path.is_file():
        raise TorchFileError(f"{path}: there is no such file")
    try:
        if (size := _unpacked(path)) > MAX_BYTES:
            raise TorchFileError(f"{path}: expected at most {MAX_BYTES} bytes, got {size}")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except TorchFileError:
        raise
    except Exception as error:  # the unpickler raises whatever it likes on a broken file
        raise TorchFileError(
            f"{path}: expected a dictionary of arrays, got a file that is damaged, or that holds "
            "more than arrays, which is not read since it could run code"
        ) from error
    return _arrays(path, content)


def load_torch(path: Path | str, network: nn.Module, names: TorchNames) -> None:
    """Fill a network from a PyTorch file: all of it, from all of the file, or not at all.

    Args:
        path: A file that ``read_torch`` reads.
        network: What to fill; its parameters keep their type and device.
        names: The path of our module for each module of the file that has weights.

    Raises:
        TorchFileError: If the file cannot be read, or a name, a shape or a type does not fit; then
            what does not is listed, of both sides, and the network is as it was.
    """
    arrays = read_torch(path)
    places = {name: _place(name, names) for name in arrays}
    found = {place: arrays[name] for name, place in places.items() if place is not None}
    strange = [f"no place for {name}" for name, place in places.items() if place is None]
    fill(path, network, found, strange)


def fill(
    path: Path | str, network: nn.Module, found: Mapping[str, Tensor], strange: Sequence[str] = ()
) -> None:
    """Fill a network with arrays that have its own names already: with all of them, or not at all.

    Args:
        path: The file that they are from, to say so.
        network: What to fill.
        found: The arrays.
        strange: What is wrong already.

    Raises:
        TorchFileError: If anything is, or a name, a shape or a type does not fit.
    """
    problems = [*strange, *_misfits(found, network.state_dict())]
    if problems:
        raise TorchFileError(f"{path} does not fill {type(network).__name__}: {_listed(problems)}")
    network.load_state_dict(dict(found))


def _unpacked(path: Path) -> int:
    """Say how many bytes a file holds, which a packed one does not show."""
    if not zipfile.is_zipfile(path):
        return path.stat().st_size
    with zipfile.ZipFile(path) as file:
        return sum(entry.file_size for entry in file.infolist())


def _arrays(path: Path, content: object) -> dict[str, Tensor]:
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping):
        raise TorchFileError(
            f"{path}: expected a dictionary of arrays, got {type(content).__name__}"
        )
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            kind = type(value).__name__
            raise TorchFileError(f"{path}: expected arrays by name, got {kind} at {name!r}")
        if value.is_meta or value.is_quantized or value.layout != torch.strided:
            raise TorchFileError(f"{path}: expected plain arrays, got another kind at {name!r}")
    return dict(content)


def _place(name: str, names: TorchNames) -> str | None:
    """Turn the name of an array to that of ours; None if there is no such module."""
    module, _, leaf = name.rpartition(".")
    return f"{names[module]}.{leaf}" if module in names else None


def _listed(problems: Sequence[str]) -> str:
    """Join the first ones; names that a file chose are made printable."""
    more = len(problems) - _MOST_PROBLEMS
    text = "; ".join(problems[:_MOST_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def _misfits(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> list[str]:
    """Say what lacks, what is too much, which shapes differ, and what holds no real numbers."""
    missing = [f"nothing for {name}" for name in expected if name not in found]
    strange = [f"{name} is none of the network's" for name in found if name not in expected]
    shapes = [
        f"{name} must have shape {tuple(value.shape)}, got {tuple(found[name].shape)}"
        for name, value in expected.items()
        if name in found and found[name].shape != value.shape
    ]
    kinds = [
        f"{name} must hold {value.dtype} or the like, got {found[name].dtype}"
        for name, value in expected.items()
        if name in found and found[name].is_floating_point() != value.is_floating_point()
    ]
    return [*missing, *strange, *shapes, *kinds]
