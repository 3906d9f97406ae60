"""Tests of the reading of ``.keras`` archives that mean harm, or are damaged."""

import contextlib
import io
import json
import zipfile
from pathlib import Path

import h5py
import pytest

from lit_restore.interop import KerasFileError, read_keras

CONFIG = json.dumps({"class_name": "Sequential", "config": {"name": "s", "layers": []}})


def weights() -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.create_group("layers")
    return content.getvalue()


def write(path: Path, *more: tuple[str, bytes], config: str = CONFIG) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", weights())
        for name, content in more:
            archive.writestr(name, content)
    return path


def test_the_archive_that_the_others_spoil_is_sound(tmp_path: Path) -> None:
    found = read_keras(write(tmp_path / "m.keras", ("assets/words.txt", b"a")))

    assert (found.layers, found.config, found.keras_version) == ((), json.loads(CONFIG), None)


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "..\\evil", "C:evil"])
def test_names_that_lead_out_of_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()

    with pytest.raises(KerasFileError, match="must stay inside the archive"):
        read_keras(write(folder / "m.keras", (name, b"x")))
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "m.keras"]


def test_a_bomb_is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(
        KerasFileError, match="'assets/zeros' asks for 8388608 bytes but holds only"
    ):
        read_keras(write(tmp_path / "m.keras", ("assets/zeros", bytes(8 << 20))))


def test_a_declared_size_beyond_reason_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "m.keras")
    content = bytearray(path.read_bytes())
    entry = content.rfind(b"PK\x01\x02")
    content[entry + 20 : entry + 28] = b"\xf0\xff\xff\xff" * 2  # packed and unpacked
    path.write_bytes(content)

    with pytest.raises(KerasFileError, match="the archive asks for 4294967347 bytes"):
        read_keras(path)


def test_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = write(tmp_path / "m.keras", ("config.json", b"{}"))

    with pytest.raises(KerasFileError, match=r"name of its own, 2 are 'config.json'"):
        read_keras(path)


def test_methods_other_than_deflating_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "m.keras")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("assets/a", b"x", zipfile.ZIP_LZMA)

    with pytest.raises(KerasFileError, match="must be stored or deflated, and not encrypted"):
        read_keras(path)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "config.json must be JSON"),
        ("[]", "config.json must be a JSON object, got list"),
        ('{"a":' * 50_000, "nested too deeply"),
    ],
)
def test_a_broken_configuration_is_refused(tmp_path: Path, config: str, message: str) -> None:
    with pytest.raises(KerasFileError, match=message):
        read_keras(write(tmp_path / "m.keras", config=config))


def test_a_configuration_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", b"\xff\xfe")
        archive.writestr("model.weights.h5", weights())

    with pytest.raises(KerasFileError, match="JSON is not UTF-8"):
        read_keras(tmp_path / "m.keras")


def test_an_archive_without_its_parts_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("metadata.json", "{}")

    with pytest.raises(KerasFileError, match=r"lacks config.json and model.weights.h5"):
        read_keras(tmp_path / "m.keras")


def test_an_archive_cut_or_changed_anywhere_is_refused_or_read(tmp_path: Path) -> None:
    path = write(tmp_path / "m.keras")
    content = path.read_bytes()
    for size in range(0, len(content) - 1, 61):
        path.write_bytes(content[:size])
        with pytest.raises(KerasFileError, match=str(path)):
            read_keras(path)
    for position in range(0, len(content), 7):
        changed = bytearray(content)
        changed[position] ^= 0xFF
        path.write_bytes(changed)
        with contextlib.suppress(KerasFileError):
            read_keras(path)
