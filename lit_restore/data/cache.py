"""Decoded pictures in one flat file on disk, so that only the first epoch decodes."""

import hashlib
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


class PictureCache:
    """Uint8 pictures of known sizes in a memory-mapped file; processes share it without locks.

    A picture counts as stored once its checksum stands beside it, which is written last. Two
    processes that store the same picture write the same bytes, so it does not matter who wins, and
    bytes that a crash has lost are noticed at the first read.

    Args:
        folder: Where the file lies; made if missing.
        key: Anything that the stored pixels depend on: two caches with different keys never mix.
        sizes: Height and width of each picture, in pixels.

    Raises:
        OSError: If the disk has no room for all pictures.
    """

    def __init__(self, folder: Path, key: str, sizes: Sequence[tuple[int, int]]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        lengths = np.array([3 * height * width for height, width in sizes], dtype=np.int64)
        self.ends = np.cumsum(lengths)
        self.starts = self.ends - lengths
        self.sizes = list(sizes)
        self.path = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.u8"
        self._trusted: set[int] = set()
        self._checksums, self._pixels = _open(self.path, len(sizes), int(lengths.sum()))

    def get(self, index: int) -> Tensor | None:
        """Read a picture, shape (3, H, W), or None if it is not stored (or damaged)."""
        stored = int(self._checksums[index])
        if stored == 0:
            return None
        pixels = self._pixels[self.starts[index] : self.ends[index]]
        if index not in self._trusted:
            if _checksum(pixels) != stored:
                return None
            self._trusted.add(index)
        return torch.from_numpy(pixels.reshape(3, *self.sizes[index]))

    def put(self, index: int, image: Tensor) -> None:
        """Store a picture, shape (3, H, W)."""
        pixels = image.contiguous().numpy().reshape(-1)
        self._pixels[self.starts[index] : self.ends[index]] = pixels
        self._checksums[index] = _checksum(pixels)

    def __getstate__(self) -> dict[str, object]:
        """Leave the maps behind: a worker process opens the file itself."""
        return {k: v for k, v in self.__dict__.items() if k not in ("_checksums", "_pixels")}

    def __setstate__(self, state: dict[str, object]) -> None:
        """Open the file again."""
        self.__dict__.update(state)
        total = int(self.ends[-1]) if len(self.ends) else 0
        self._checksums, self._pixels = _open(self.path, len(self.sizes), total)


def _open(path: Path, count: int, total: int) -> tuple[np.ndarray, np.ndarray]:
    size = 8 * count + total
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if size and os.fstat(descriptor).st_size < size:
            os.posix_fallocate(descriptor, 0, size)  # a full disk shows here, not as a crash later
    finally:
        os.close(descriptor)
    if not size:
        return np.zeros(0, np.uint64), np.zeros(0, np.uint8)
    checksums = np.memmap(path, np.uint64, "r+", shape=(count,))
    return checksums, np.memmap(path, np.uint8, "r+", offset=8 * count, shape=(total,))


def _checksum(pixels: np.ndarray) -> int:
    return zlib.crc32(pixels.data) + 1  # 0 says that nothing is stored


def file_stamp(path: Path) -> str:
    """Tell a file from others, and from itself once it is changed."""
    stat = path.stat()
    return f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}"
