"""Tests of lit_restore.data.cache."""

import os
import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lit_restore.data.cache import PictureCache

SIZES = [(5, 7), (4, 4), (1, 9)]


def _pictures() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randint(256, (3, *size), dtype=torch.uint8, generator=generator) for size in SIZES
    ]


def _filled(folder: Path, key: str = "key") -> PictureCache:
    cache = PictureCache(folder, key, SIZES)
    for index, image in enumerate(_pictures()):
        cache.put(index, image)
    return cache


def _holds_all(cache: PictureCache) -> bool:
    found = [cache.get(index) for index in range(len(SIZES))]
    return all(
        image is not None and torch.equal(image, expected)
        for image, expected in zip(found, _pictures(), strict=True)
    )


def test_a_new_cache_holds_nothing(tmp_path: Path) -> None:
    cache = PictureCache(tmp_path / "made" / "here", "key", SIZES)

    assert [cache.get(index) for index in range(3)] == [None, None, None]


def test_what_is_put_comes_back_whatever_its_order_in_memory(tmp_path: Path) -> None:
    cache = PictureCache(tmp_path, "key", SIZES)
    image = _pictures()[0]

    cache.put(0, image.permute(1, 2, 0).contiguous().permute(2, 0, 1))

    assert torch.equal(cache.get(0), image)
    assert cache.get(1) is None
    assert cache.get(2) is None


def test_a_black_picture_is_told_from_none(tmp_path: Path) -> None:
    cache = PictureCache(tmp_path, "key", SIZES)

    cache.put(1, torch.zeros(3, 4, 4, dtype=torch.uint8))

    assert torch.equal(cache.get(1), torch.zeros(3, 4, 4, dtype=torch.uint8))


def test_two_caches_of_one_key_share_what_either_stores(tmp_path: Path) -> None:
    reader = PictureCache(tmp_path, "key", SIZES)

    writer = _filled(tmp_path)

    assert writer.path == reader.path
    assert _holds_all(reader)


def test_pictures_outlast_the_process_that_stored_them(tmp_path: Path) -> None:
    path = _filled(tmp_path).path

    assert path.stat().st_size == 8 * 3 + 3 * (35 + 16 + 9)
    assert _holds_all(PictureCache(tmp_path, "key", SIZES))


def test_another_key_is_another_file(tmp_path: Path) -> None:
    _filled(tmp_path, "one")

    other = PictureCache(tmp_path, "two", SIZES)

    assert other.get(0) is None
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("byte", [0, 52, 104])  # of the first picture's 105
def test_a_damaged_picture_is_noticed_and_the_others_are_not_lost(
    tmp_path: Path, byte: int
) -> None:
    cache = _filled(tmp_path)
    content = bytearray(cache.path.read_bytes())
    content[8 * 3 + byte] ^= 1
    cache.path.write_bytes(content)

    again = PictureCache(tmp_path, "key", SIZES)

    assert again.get(0) is None
    assert torch.equal(again.get(1), _pictures()[1])
    again.put(0, _pictures()[0])
    assert _holds_all(again)


def test_a_picture_that_a_crash_cut_off_before_its_checksum_is_not_stored(tmp_path: Path) -> None:
    cache = _filled(tmp_path)
    content = bytearray(cache.path.read_bytes())
    content[8:16] = bytes(8)
    cache.path.write_bytes(content)

    assert PictureCache(tmp_path, "key", SIZES).get(1) is None


def test_a_worker_process_gets_the_file_and_not_a_copy_of_its_bytes(tmp_path: Path) -> None:
    cache = PictureCache(tmp_path, "key", [(500, 500), *SIZES])

    pickled = pickle.dumps(cache)
    worker = pickle.loads(pickled)

    assert len(pickled) < 2000
    worker.put(1, _pictures()[0])
    assert torch.equal(cache.get(1), _pictures()[0])


def test_a_cache_of_no_pictures_is_allowed(tmp_path: Path) -> None:
    cache = pickle.loads(pickle.dumps(PictureCache(tmp_path, "key", [])))

    assert cache.path.stat().st_size == 0


def test_a_full_disk_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def full(descriptor: int, offset: int, length: int) -> None:
        asked.append((offset, length))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)

    with pytest.raises(OSError, match="No space left on device"):
        PictureCache(tmp_path, "key", SIZES)

    assert asked == [(0, 8 * 3 + 180)]
