"""The heaps in which HDF5 keeps texts of open length, checked before HDF5 reads them.

HDF5 walks such a heap without end if one of its sizes is damaged; and many texts may share one
place, so that a small file holds gigabytes of them. This walk stops, and tells the longest text.

Source:
    The HDF Group, "HDF5 File Format Specification", section III.E, Global Heap.
"""

from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path

from lit_restore.interop._limits import KerasFileError

_START = b"GCOL\x01\x00\x00\x00"
_HEADER = 16  # of a heap, and of each text in it
_ALIGNMENT = 8


def longest_text(source: Path | bytes) -> int:
    """Measure the longest text in all heaps of an HDF5 file.

    Args:
        source: The file, or what is in it.

    Returns:
        Bytes; 0 if there are no heaps.

    Raises:
        KerasFileError: If a heap is damaged.
    """
    if isinstance(source, bytes):
        return max(_lengths(source), default=0)
    with source.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        return max(_lengths(content), default=0)


def _lengths(content: bytes | mmap) -> Iterator[int]:
    start = content.find(_START)
    while start >= 0:
        yield from _walk(content, start)
        start = content.find(_START, start + 1)


def _walk(content: bytes | mmap, start: int) -> Iterator[int]:
    end = start + _number(content, start + 8, 8)
    if not start + _HEADER <= end <= len(content):
        raise KerasFileError(f"the heap of texts at byte {start} ends outside the file")
    position = start + _HEADER
    while position + _HEADER <= end:
        index, size = _number(content, position, 2), _number(content, position + 8, 8)
        # The entry 0 is the free space, whose size counts its header.
        step = _HEADER + -(-size // _ALIGNMENT) * _ALIGNMENT if index else size
        if step < _HEADER or position + step > end:
            raise KerasFileError(f"the heap of texts at byte {start} is damaged")
        if index:
            yield size
        position += step


def _number(content: bytes | mmap, position: int, size: int) -> int:
    return int.from_bytes(content[position : position + size], "little")
