"""What an array of an HDF5 file must be to be read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lit_restore.interop._limits import KerasFileError, Limits, check_size

if TYPE_CHECKING:
    import h5py

_FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}
_KINDS = "fiub"


def check_array(path: str, array: h5py.Dataset, limits: Limits) -> int:
    """Check that an array is of plain numbers inside the file and of a believable size.

    Returns:
        Its size in bytes once read.

    Raises:
        KerasFileError: If it is not.
    """
    if array.external or array.is_virtual:
        raise KerasFileError(f"array {path!r} lies outside the file: not followed")
    if array.dtype.kind not in _KINDS or array.dtype.itemsize > 8 or array.dtype.subdtype:
        raise KerasFileError(f"array {path!r} must hold plain numbers, got {array.dtype}")
    if array.shape is None or len(array.shape) > limits.rank:
        raise KerasFileError(f"array {path!r} may have {limits.rank} axes, got {array.shape}")
    creation = array.id.get_create_plist()
    filters = [creation.get_filter(index)[0] for index in range(creation.get_nfilters())]
    if unknown := set(filters) - set(_FILTERS):
        known = ", ".join(_FILTERS.values())
        raise KerasFileError(f"array {path!r} must use no filter but {known}, got {unknown}")
    size: int = math.prod(array.shape) * array.dtype.itemsize
    chunk = math.prod(array.chunks or (0,)) * array.dtype.itemsize
    check_size(f"array {path!r}", max(size, chunk), array.id.get_storage_size(), limits)
    return size
