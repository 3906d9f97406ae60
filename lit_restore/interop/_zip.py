"""The members of a ``.keras`` archive, read into memory one by one; nothing is extracted."""

import zipfile
import zlib
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import IO

from lit_restore.interop._limits import LIMITS, KerasFileError, Limits, check_size

WEIGHTS = "model.weights.h5"
_ENCRYPTED = 0x1
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_members(path: Path, names: tuple[str, ...], limits: Limits = LIMITS) -> dict[str, bytes]:
    """Read the named members of an archive, as far as they are there.

    Args:
        path: The archive.
        names: Of the members wanted. The others are checked, but not read.
        limits: The most that may be asked for.

    Returns:
        The contents by name.

    Raises:
        KerasFileError: If the archive is broken, a member's name leads out of it, or its sizes
            are absurd.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check(members, limits)
            return {
                member.filename: _read(archive, member)
                for member in members
                if member.filename in names
            }
    except KerasFileError as error:
        raise KerasFileError(f"{path}: {error}") from None
    except (*_BROKEN, OSError, ValueError, RuntimeError) as error:
        raise KerasFileError(f"{path}: cannot be read as a .keras archive: {error}") from error


def _check(members: list[zipfile.ZipInfo], limits: Limits) -> None:
    if not 0 < len(members) <= limits.arrays:
        raise KerasFileError(f"1 to {limits.arrays} members are read, got {len(members)}")
    name, count = Counter(member.filename for member in members).most_common(1)[0]
    if count > 1:
        raise KerasFileError(f"every member must have a name of its own, {count} are {name!r}")
    for member in members:
        _check_member(member, limits)
    total = sum(member.file_size for member in members)
    check_size("the archive", total, total, limits)


def _check_member(member: zipfile.ZipInfo, limits: Limits) -> None:
    name = member.orig_filename
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name:
        raise KerasFileError(f"a member's name must stay inside the archive, got {name!r}")
    if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
        raise KerasFileError(f"member {name!r} must be stored or deflated, and not encrypted")
    check_size(f"member {name!r}", member.file_size, member.compress_size, limits)


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as file:
        return _exactly(file, member)


def _exactly(file: IO[bytes], member: zipfile.ZipInfo) -> bytes:
    content = file.read(member.file_size)
    if len(content) != member.file_size:
        raise KerasFileError(
            f"member {member.filename!r} declares {member.file_size} bytes, holds {len(content)}"
        )
    return content
