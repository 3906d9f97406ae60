"""A setting of the C library's allocator that makes training and restoring on a CPU faster."""

import ctypes
import os
import sys

VARIABLE = "LIT_RESTORE_MALLOC"
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # names of <malloc.h>, with M_ before them
_SETTINGS = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 256 * 2**20))


def keep_freed_memory() -> bool:
    """Let this process keep the memory that it frees, for its next allocation.

    By default glibc maps every large block from the kernel and unmaps it when it is freed. A
    network frees all its activations at every step, so the kernel clears the same pages again and
    again, at a fraction of the speed at which memory is copied. Kept memory makes a training step
    1.05 to 1.25 times as fast (measured on one core, convolutional networks at 64 to 256 pixels);
    results don't change. The price: the process stays as large as it once was.

    It holds for the whole process and cannot be taken back, so only commands call it, and nothing
    does on import. ``LIT_RESTORE_MALLOC=0`` in the environment leaves the allocator alone.

    Returns:
        Whether the setting was made: False without glibc, or where the environment says no.

    Source:
        The GNU C Library manual, "Malloc Tunable Parameters".
    """
    if os.environ.get(VARIABLE) == "0" or not _is_glibc():
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return all([mallopt(name, value) == 1 for name, value in _SETTINGS])


def _is_glibc() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        version = os.confstr("CS_GNU_LIBC_VERSION")
    except (OSError, ValueError):  # another C library does not know the name
        return False
    return bool(version) and str(version).startswith("glibc")
