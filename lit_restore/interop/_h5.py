"""HDF5 files surveyed before they are read: groups, arrays and texts, and nothing beyond the file.

Only hard links are followed, each object once. Arrays outside the file, virtual ones, references,
texts and compounds as arrays, and filters that HDF5 would load from a library are refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_restore.interop._arrays import check_array
from lit_restore.interop._attributes import Room, decoded, read_number, read_texts
from lit_restore.interop._heaps import longest_text
from lit_restore.interop._limits import LIMITS, KerasFileError, Limits, check_size

if TYPE_CHECKING:
    import h5py
    import numpy as np

    Array = np.ndarray[Any, Any]

_ADDRESS = 8  # bytes


@contextlib.contextmanager
def open_tree(source: Path | bytes, limits: Limits = LIMITS) -> Iterator[Tree]:
    """Open and survey an HDF5 file.

    Args:
        source: A file, or what is in one.
        limits: The most that may be asked for.

    Raises:
        KerasFileError: If it is none, is broken, or holds what is refused.
    """
    import h5py

    name = str(source) if isinstance(source, Path) else "the archive's weights"
    try:
        file = h5py.File(source if isinstance(source, Path) else BytesIO(source), "r")
    except (OSError, ValueError, RuntimeError) as error:
        raise KerasFileError(f"{name}: cannot be read as HDF5: {error}") from error
    with file:
        try:
            yield Tree(file, longest_text(source), limits)
        except KerasFileError:
            raise
        except (OSError, RuntimeError, LookupError, TypeError, ValueError) as error:
            raise KerasFileError(f"{name}: is damaged: {error}") from error


class Tree:
    """The groups and arrays of an open HDF5 file by their paths, all checked.

    Attributes:
        children: The names in each group, by its path; the root's is "".
    """

    def __init__(self, file: h5py.File, longest: int, limits: Limits) -> None:
        if file.id.get_create_plist().get_sizes() != (_ADDRESS, _ADDRESS):
            raise KerasFileError("the file's addresses must have 8 bytes")
        self.limits = limits
        self._room = Room(longest, file.id.get_filesize(), limits.text_bytes)
        self.children: dict[str, list[str]] = {}
        self._arrays: dict[str, h5py.Dataset] = {}
        self._groups: dict[str, h5py.Group] = {}
        self._seen: set[int] = set()
        self._total = 0
        self._survey(file)

    def arrays(self, group: str) -> list[str]:
        """Name the arrays right in a group, sorted as the file sorts them."""
        return [name for name in self.children[group] if join(group, name) in self._arrays]

    def groups(self, group: str) -> list[str]:
        """Name the groups right in a group."""
        return [name for name in self.children[group] if join(group, name) in self._groups]

    def has(self, path: str) -> bool:
        """Whether there is such an array or group."""
        return path in self._arrays or path in self._groups

    def array(self, path: str) -> Array:
        """Read an array, in the machine's byte order.

        Raises:
            KerasFileError: If there is none.
        """
        if path not in self._arrays:
            raise KerasFileError(f"there is no array {path!r} in the file: it is cut or damaged")
        value = self._arrays[path][()]
        return value.astype(value.dtype.newbyteorder("="), copy=False)  # a scalar's too

    def text(self, group: str, name: str) -> str | None:
        """Read a text attribute of a group; None if there is none.

        Raises:
            KerasFileError: If it is no single text.
        """
        found = self._attribute(group, name)
        if found is None:
            return None
        if len(found) != 1:
            raise KerasFileError(f"attribute {name!r} must be one text, got {len(found)}")
        return found[0]

    def texts(self, group: str, name: str) -> list[str] | None:
        """Read an attribute of texts, which may be cut into ``name0``, ``name1`` ...; or None."""
        whole = self._attribute(group, name)
        if whole is not None:
            return whole
        found: list[str] = []
        for number in range(self.limits.arrays):
            part = self._attribute(group, f"{name}{number}")
            if part is None:
                return found if number else None
            found += part
        raise KerasFileError(f"attribute {name!r} is in too many pieces")

    def number(self, group: str, name: str) -> int | None:
        """Read an attribute that is one whole number; None if there is none."""
        return read_number(self._groups[group], name)

    def _attribute(self, group: str, name: str) -> list[str] | None:
        return read_texts(self._groups[group], name, self._room)

    def _survey(self, file: h5py.File) -> None:
        waiting = [("", file["/"], 0)]
        while waiting:
            path, group, depth = waiting.pop()
            self._enter(path, group, depth)
            for name in self.children[path]:
                child = self._child(path, group, name)
                if child is not None:
                    waiting.append((join(path, name), child, depth + 1))

    def _enter(self, path: str, group: h5py.Group, depth: int) -> None:
        if depth > self.limits.depth:
            raise KerasFileError(f"groups may be {self.limits.depth} deep, {path!r} is deeper")
        self._count(path, group)
        self._groups[path] = group
        if len(group) > self.limits.arrays:
            raise KerasFileError(f"group {path!r} may hold {self.limits.arrays}, got {len(group)}")
        self.children[path] = [decoded(name, path) for name in group]

    def _child(self, path: str, group: h5py.Group, name: str) -> h5py.Group | None:
        import h5py

        whole = join(path, name)
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise KerasFileError(f"{whole!r} is a link to elsewhere, {_target(link)}: not followed")
        child = group[name]
        if isinstance(child, h5py.Group):
            return child
        if not isinstance(child, h5py.Dataset):
            raise KerasFileError(f"{whole!r} must be a group or an array, got {child!r}")
        self._count(whole, child)
        self._total += check_array(whole, child, self.limits)
        check_size("the file", self._total, self._total, self.limits)
        self._arrays[whole] = child
        return None

    def _count(self, path: str, thing: h5py.Group | h5py.Dataset) -> None:
        import h5py

        address = h5py.h5o.get_info(thing.id).addr
        if address in self._seen:
            raise KerasFileError(f"{path!r} is linked twice, and may go in a circle")
        self._seen.add(address)
        if len(self._seen) > self.limits.arrays:
            raise KerasFileError(f"at most {self.limits.arrays} arrays and groups are read")


def join(group: str, name: str) -> str:
    """Join a group's path and a name in it."""
    return f"{group}/{name}" if group else name


def _target(link: Any) -> str:
    return " ".join(repr(getattr(link, key)) for key in ("filename", "path") if hasattr(link, key))
