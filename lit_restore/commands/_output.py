"""Single files that a verb writes beside its outputs."""

import os
from pathlib import Path

from lit_restore.commands._batch import UsageError


def check_output(path: Path, is_image: bool) -> None:
    """Find out before the work whether a file can be written; its folder is made.

    Args:
        path: Of the file.
        is_image: Whether its suffix has to be that of a picture.

    Raises:
        UsageError: If it cannot; tells why.
    """
    from lit_restore.data.images import suffix_of

    if path.is_dir():
        raise UsageError(f"{path} is a folder; expected the name of a file")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is a device or the like; expected the name of a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_image:
            suffix_of(path.suffix)
    except OSError as error:
        raise UsageError(f"{path}: {path.parent}: {error.strerror or error}") from error
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"{path}: its folder cannot be written to")
