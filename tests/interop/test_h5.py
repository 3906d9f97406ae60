"""Tests of the reading of HDF5 files that mean harm, or are damaged: all refused, none run."""

import json
import marshal
import random
import struct
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lit_restore.interop import KerasFileError, read_keras
from lit_restore.interop._h5 import open_tree
from lit_restore.interop._heaps import longest_text
from lit_restore.interop._limits import Limits

KERNEL = np.arange(6, dtype=np.float32).reshape(2, 3)
PLACE = "a/a/kernel:0"


def write(path: Path, spoil: Callable[[h5py.File], object] = lambda file: None) -> Path:
    """Write a sound file of one layer, and then spoil it."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["a"]
        file.create_group("a").attrs["weight_names"] = ["a/kernel:0"]
        file[PLACE] = KERNEL
        spoil(file)
    return path


def replaced(**arguments: Any) -> Callable[[h5py.File], object]:
    def spoil(file: h5py.File) -> None:
        del file[PLACE]
        file.create_dataset(PLACE, **arguments)

    return spoil


def linked(link: Any) -> Callable[[h5py.File], object]:
    def spoil(file: h5py.File) -> None:
        del file[PLACE]
        file[PLACE] = link

    return spoil


def test_the_file_that_the_others_spoil_is_sound(tmp_path: Path) -> None:
    assert (read_keras(write(tmp_path / "w.h5")).layers[0].weights["kernel"] == KERNEL).all()


@pytest.mark.parametrize("outside", [True, False])
def test_links_are_not_followed(tmp_path: Path, outside: bool) -> None:
    write(tmp_path / "secret.h5")
    link = h5py.ExternalLink("secret.h5", PLACE) if outside else h5py.SoftLink("/elsewhere")

    with pytest.raises(KerasFileError, match=r"'a/a/kernel:0' is a link to elsewhere, .*not foll"):
        read_keras(write(tmp_path / "w.h5", linked(link)))


def test_links_anywhere_in_the_file_are_refused_even_if_no_layer_needs_them(tmp_path: Path) -> None:
    def spoil(file: h5py.File) -> None:
        file["other"] = h5py.ExternalLink("/etc/passwd", "/")

    with pytest.raises(KerasFileError, match="'other' is a link to elsewhere, '/etc/passwd'"):
        read_keras(write(tmp_path / "w.h5", spoil))


def test_arrays_kept_in_another_file_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(24))
    spoil = replaced(shape=(2, 3), dtype="f4", external=[(str(secret), 0, 24)])

    with pytest.raises(KerasFileError, match="'a/a/kernel:0' lies outside the file"):
        read_keras(write(tmp_path / "w.h5", spoil))


def test_virtual_arrays_are_not_read(tmp_path: Path) -> None:
    write(tmp_path / "secret.h5")

    def spoil(file: h5py.File) -> None:
        del file[PLACE]
        layout = h5py.VirtualLayout((2, 3), "f4")
        layout[:] = h5py.VirtualSource(tmp_path / "secret.h5", PLACE, (2, 3))
        file.create_virtual_dataset(PLACE, layout)

    with pytest.raises(KerasFileError, match="'a/a/kernel:0' lies outside the file"):
        read_keras(write(tmp_path / "w.h5", spoil))


@pytest.mark.parametrize("inner", ["a/again", "a/a/again"])
def test_groups_that_hold_themselves_end(tmp_path: Path, inner: str) -> None:
    def spoil(file: h5py.File) -> None:
        file[inner] = file["a"]

    with pytest.raises(KerasFileError, match=f"'{inner}' is linked twice"):
        read_keras(write(tmp_path / "w.h5", spoil))


@pytest.mark.parametrize("arguments", [
    {"data": ["text"], "dtype": h5py.string_dtype()},
    {"data": np.array([b"text"])},
    {"shape": (2,), "dtype": h5py.ref_dtype},
    {"shape": (2,), "dtype": h5py.regionref_dtype},
    {"shape": (2,), "dtype": h5py.vlen_dtype(np.float32)},
    {"shape": (2,), "dtype": [("x", "f4"), ("y", "f4")]},
    {"shape": (2,), "dtype": np.dtype(("f4", (3,)))},
    {"shape": (2,), "dtype": "c8"},
    {"shape": (2,), "dtype": np.void(5).dtype},
])  # fmt: skip
def test_arrays_of_anything_but_numbers_are_refused(
    tmp_path: Path, arguments: dict[str, Any]
) -> None:
    with pytest.raises(KerasFileError, match="must hold plain numbers, got"):
        read_keras(write(tmp_path / "w.h5", replaced(**arguments)))


@pytest.mark.parametrize("arguments", [
    {"shape": (100_000, 100_000)},
    {"shape": (1 << 62,), "dtype": "i1"},
    {"shape": (1 << 40, 1 << 40), "chunks": (1, 1)},
    {"shape": (2_000, 2_000)},
    {"shape": (2, 3), "maxshape": (None, None), "chunks": (20_000, 20_000)},
    {"data": np.zeros((2_000, 2_000)), "compression": "gzip"},
])  # fmt: skip
def test_absurd_sizes_are_refused_before_any_memory_is_taken(
    tmp_path: Path, arguments: dict[str, Any]
) -> None:
    with pytest.raises(KerasFileError, match=r"array 'a/a/kernel:0' asks for \d+ bytes"):
        read_keras(write(tmp_path / "w.h5", replaced(**arguments)))


def test_what_is_honestly_compressed_is_read(tmp_path: Path) -> None:
    value = np.random.default_rng(0).standard_normal((600, 600))
    options = {"compression": "gzip", "shuffle": True, "fletcher32": True}

    found = read_keras(write(tmp_path / "w.h5", replaced(data=value, **options)))

    assert (found.layers[0].weights["kernel"] == value).all()


def test_filters_that_hdf5_would_load_from_a_library_are_refused(tmp_path: Path) -> None:
    def spoil(file: h5py.File) -> None:
        del file[PLACE]
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk((2, 3))
        creation.set_filter(305, h5py.h5z.FLAG_OPTIONAL)
        space = h5py.h5s.create_simple((2, 3))
        h5py.h5d.create(file["a/a"].id, b"kernel:0", h5py.h5t.IEEE_F32LE, space, creation)

    with pytest.raises(KerasFileError, match=r"no filter but gzip, .*, got \{305\}"):
        read_keras(write(tmp_path / "w.h5", spoil))


def test_types_and_axes_beyond_reason_are_refused(tmp_path: Path) -> None:
    def named_type(file: h5py.File) -> None:
        file["a/type"] = np.dtype("f4")

    with pytest.raises(KerasFileError, match="'a/type' must be a group or an array"):
        read_keras(write(tmp_path / "w.h5", named_type))
    with pytest.raises(KerasFileError, match="may have 8 axes"):
        read_keras(write(tmp_path / "w.h5", replaced(data=np.zeros((1,) * 9))))
    with pytest.raises(KerasFileError, match="may have 8 axes, got None"):
        read_keras(write(tmp_path / "w.h5", replaced(data=h5py.Empty("f4"))))
    with pytest.raises(KerasFileError, match="groups may be 64 deep"):
        read_keras(write(tmp_path / "w.h5", lambda file: file.create_group("b/" * 70)))


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(arrays=3), "at most 3 arrays and groups"),
        (Limits(total_bytes=20), "array 'b' asks for 24 bytes; at most 20"),
        (Limits(total_bytes=40), "the file asks for 48 bytes; at most 40"),
    ],
)
def test_the_whole_has_its_limits(tmp_path: Path, limits: Limits, message: str) -> None:
    path = write(tmp_path / "w.h5", lambda file: file.create_dataset("b", data=KERNEL))

    with pytest.raises(KerasFileError, match=message), open_tree(path, limits):
        pass


def test_many_names_in_one_place_are_refused(tmp_path: Path) -> None:
    """Each of 4,000 names may be the one long text of the file: 4,000 times its size."""

    def spoil(file: h5py.File) -> None:
        file.attrs["long"] = "x" * 1_000_000
        file.attrs["layer_names"] = ["a"] * 4_000

    with pytest.raises(KerasFileError, match="'layer_names' asks for 4000 texts in 64000 bytes"):
        read_keras(write(tmp_path / "w.h5", spoil))


def test_the_longest_text_is_found_in_the_heaps(tmp_path: Path) -> None:
    path = write(tmp_path / "w.h5", lambda file: file.attrs.update({"long": "x" * 5_000}))

    assert longest_text(path) == longest_text(path.read_bytes()) == 5_000


def test_a_damaged_heap_is_refused_instead_of_walked_without_end(tmp_path: Path) -> None:
    path = write(tmp_path / "w.h5")
    content = path.read_bytes()
    start = content.find(b"GCOL") + 16
    for size in (0x207, 1 << 63, (1 << 64) - 1):
        path.write_bytes(content[: start + 8] + struct.pack("<Q", size) + content[start + 16 :])
        with pytest.raises(KerasFileError, match=r"w.h5: the heap of texts at byte \d+ is damaged"):
            read_keras(path)


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "w.h5")
    content = path.read_bytes()
    for size in range(0, len(content) - 1, 97):
        path.write_bytes(content[:size])
        with pytest.raises(KerasFileError, match=str(path)):
            read_keras(path)


def test_damaged_files_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    path = write(tmp_path / "w.h5")
    content, draw = path.read_bytes(), random.Random(0)
    refused = 0
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(draw.randint(1, 4)):
            damaged[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        try:
            read_keras(path)
        except KerasFileError:
            refused += 1
    assert 10 < refused < 150


def test_the_code_of_a_lambda_stays_text(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    code = compile(f"open({str(trace)!r}, 'w')", "harm", "eval")
    function = [b64encode(marshal.dumps(code)).decode(), None, None]
    lambda_ = {"class_name": "Lambda", "config": {"name": "a", "function": function}}
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [lambda_]}}

    def spoil(file: h5py.File) -> None:
        file.attrs["model_config"] = json.dumps(config)

    found = read_keras(write(tmp_path / "w.h5", spoil))

    assert found.layers[0].config == lambda_["config"]
    assert not trace.exists()
    eval(code)  # the code is harmful, indeed
    assert trace.exists()
