"""Tests of lit_restore.commands.restore, and of what it shares with other verbs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import ExifTags, Image
from torch import Tensor, nn

from lit_restore.checkpoints import save_network
from lit_restore.commands import restore
from lit_restore.commands.restore import main
from lit_restore.data.images import read_image, read_pictures, write_image
from lit_restore.models import SRCNN, MosaicUNet

RNG = np.random.default_rng(0)


class Doubler(nn.Module):
    """A network of scale 2 that repeats pixels."""

    scale = 2

    def forward(self, image: Tensor) -> Tensor:
        """Enlarge."""
        return F.interpolate(image, scale_factor=2)


class Inverter(nn.Module):
    """A network that swaps light and dark."""

    def forward(self, image: Tensor) -> Tensor:
        """Invert."""
        return 1 - image


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a network that changes nothing: it starts as identity."""
    path = tmp_path_factory.mktemp("weights") / "identity.safetensors"
    save_network(MosaicUNet(widths=(4, 8)), path)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three pictures in a folder."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("b.png", "a.jpg", "c.bmp"):
        _picture(folder / name)
    return folder


def _picture(path: Path, channels: int = 3, height: int = 10, width: int = 14) -> Path:
    array = RNG.integers(0, 256, (height, width, channels), dtype=np.uint8)
    Image.fromarray(array if channels > 1 else array[..., 0]).save(path)
    return path


def _run(weights: Path, *words: object) -> int:
    return main([str(word) for word in ("--weights", weights, "--device", "cpu", *words)])


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_is_restored_under_the_same_names(
    photos: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "out"

    assert _run(weights, photos, "--out", out) == 0

    assert _names(out) == ["a.jpg", "b.png", "c.bmp"]
    assert torch.equal(read_image(out / "b.png"), read_image(photos / "b.png"))
    captured = capsys.readouterr()
    assert captured.out == "restored 3, skipped 0, failed 0\n"
    assert captured.err == ""  # no progress where nobody looks


def test_the_network_is_what_changes_the_picture(
    photos: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore, "_load", lambda path: Inverter())

    assert _run(weights, photos / "b.png", "--out", tmp_path) == 0

    assert torch.equal(read_image(tmp_path / "b.png"), 255 - read_image(photos / "b.png"))


class Smeared(Doubler):
    """Doubles, and blends every pixel with the one at its left."""

    def forward(self, image: Tensor) -> Tensor:
        """Enlarge and smear."""
        large = super().forward(image)
        return (large + F.pad(large, (1, 0, 0, 0), mode="replicate")[..., :-1]) / 2


def test_a_self_ensemble_is_the_mean_over_turned_and_mirrored_pictures(
    photos: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Smeared()
    monkeypatch.setattr(restore, "_load", lambda path: network)
    image = read_image(photos / "b.png").float()[None] / 255

    assert _run(weights, photos / "b.png", "--out", tmp_path / "out", "--self-ensemble") == 0

    total = torch.zeros(1, 3, 20, 28)
    for mirrored in (False, True):
        for turns in range(4):
            seen = torch.rot90(image.flip(-1) if mirrored else image, turns, (-2, -1))
            back = torch.rot90(network(seen), -turns, (-2, -1))
            total += back.flip(-1) if mirrored else back
    expected = (total[0] / 8 * 255 + 0.5).byte()
    found = read_image(tmp_path / "out" / "b.png")
    assert (found.int() - expected.int()).abs().max() <= 1  # sums in another order
    alone = (network(image)[0] * 255 + 0.5).byte()
    assert (found.int() - alone.int()).abs().max() > 20


@pytest.mark.parametrize("options", [{}, {"padding": "valid"}])
def test_a_self_ensemble_asks_for_what_its_network_does(
    photos: Path,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
) -> None:
    torch.manual_seed(0)
    network = SRCNN(widths=(4, 4), enlarged_by=2, **options)
    monkeypatch.setattr(restore, "_load", lambda path: network)
    large = _picture(photos / "large.png", height=30, width=24)

    assert _run(weights, large, "--out", tmp_path / "out", "--self-ensemble") == 0

    assert read_image(tmp_path / "out" / "large.png").shape == (3, 60, 48)


def test_existing_outputs_are_skipped_unless_overwriting(
    photos: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    _run(weights, photos, "--out", out)
    (out / "b.png").write_bytes(b"mine")
    (out / "c.bmp").unlink()
    capsys.readouterr()

    assert _run(weights, photos, "--out", out) == 0
    assert capsys.readouterr().out == "restored 1, skipped 2, failed 0\n"
    assert (out / "b.png").read_bytes() == b"mine"

    assert _run(weights, photos, "--out", out, "--overwrite") == 0
    assert capsys.readouterr().out == "restored 3, skipped 0, failed 0\n"
    assert torch.equal(read_image(out / "b.png"), read_image(photos / "b.png"))


def test_one_bad_file_does_not_stop_the_others(
    photos: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "a.jpg").write_bytes((photos / "a.jpg").read_bytes()[:-100])
    (photos / "aa.png").write_text("no picture")
    (photos / "empty").mkdir()
    inputs = (photos, photos / "missing.png", photos / "empty")

    assert _run(weights, *inputs, "--out", tmp_path / "out") == 1

    assert _names(tmp_path / "out") == ["b.png", "c.bmp"]
    captured = capsys.readouterr()
    assert captured.out == "restored 2, skipped 0, failed 4\n"
    lines = captured.err.splitlines()
    assert len(lines) == 4
    for line, (name, reason) in zip(lines, [
        ("a.jpg", "truncated"),
        ("aa.png", "not an image"),
        ("missing.png", "no such file"),
        ("empty", "no images in this folder"),
    ], strict=True):  # fmt: skip
        assert line.startswith(f"failed: {photos / name}: ")
        assert reason in line


def test_json_is_all_that_is_printed(
    photos: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.jpg").touch()
    (photos / "b.png").write_bytes(b"")

    assert _run(weights, photos, "--out", out, "--json") == 1

    document = json.loads(capsys.readouterr().out)
    assert {key: document[key] for key in ("restored", "skipped", "failed")} == {
        "restored": 1,
        "skipped": 1,
        "failed": 1,
    }
    skipped, failed, done = document["results"]
    assert (skipped["status"], skipped["reason"]) == ("skipped", "exists already")
    assert (failed["status"], failed["output"]) == ("failed", None)
    assert failed["reason"] == f"{photos / 'b.png'}: the file is empty"
    assert (done["status"], done["size"]) == ("restored", [10, 14])
    assert (done["input"], done["output"]) == (str(photos / "c.bmp"), str(out / "c.bmp"))
    assert done["seconds"] > 0


def test_two_inputs_for_one_output_are_refused_before_anything_is_written(
    photos: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _picture(tmp_path / "b.png")

    with pytest.raises(SystemExit, match="2"):
        _run(weights, photos, tmp_path / "b.png", "--out", tmp_path / "out")

    assert not (tmp_path / "out").exists()
    error = capsys.readouterr().err
    assert str(photos / "b.png") in error
    assert str(tmp_path / "b.png") in error


def test_formats_that_are_not_written_can_collide_too(
    photos: Path, weights: Path, tmp_path: Path
) -> None:
    _picture(photos / "b.gif", channels=1)

    with pytest.raises(SystemExit, match="2"):
        _run(weights, photos, "--out", tmp_path / "out")


def test_a_file_named_twice_is_restored_once(
    photos: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(weights, photos, photos / "b.png", "--out", tmp_path / "out") == 0

    assert capsys.readouterr().out == "restored 3, skipped 0, failed 0\n"


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_an_input_is_never_overwritten(
    photos: Path, weights: Path, tmp_path: Path, overwrite: list[str]
) -> None:
    before = {path: path.read_bytes() for path in photos.iterdir()}
    (tmp_path / "link").symlink_to(photos)

    for out in (photos, tmp_path / "link", photos / ".." / "photos"):
        with pytest.raises(SystemExit, match="2"):
            _run(weights, photos, "--out", out, *overwrite)

    assert {path: path.read_bytes() for path in photos.iterdir()} == before


def test_the_output_folder_must_not_be_a_file(
    photos: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        _run(weights, photos / "a.jpg", "--out", photos / "b.png")

    assert f"--out must be a folder, got the file {photos / 'b.png'}" in capsys.readouterr().err


def test_two_names_of_one_file_are_two_inputs(photos: Path, weights: Path, tmp_path: Path) -> None:
    (photos / "link.png").symlink_to(photos / "b.png")

    assert _run(weights, photos, "--out", tmp_path / "out") == 0

    assert torch.equal(read_image(tmp_path / "out" / "link.png"), read_image(photos / "b.png"))


def test_folders_inside_are_restored_when_asked(
    photos: Path, weights: Path, tmp_path: Path
) -> None:
    for name in ("c/d.png", "c/e/b.png"):  # another b.png lies above
        (photos / name).parent.mkdir()
        _picture(photos / name)

    _run(weights, photos, "--out", tmp_path / "flat")
    _run(weights, photos, "--out", tmp_path / "deep", "--recursive")

    flat, deep = (
        {str(path.relative_to(root)) for path in root.rglob("*.*")}
        for root in (tmp_path / "flat", tmp_path / "deep")
    )
    assert "b.png" in flat
    assert deep - flat == {"c/d.png", "c/e/b.png"}


@pytest.mark.parametrize(("name", "channels", "expected"), [
    ("a.jpeg", 3, "a.jpg"),
    ("a.png", 4, "a.png"),
    ("a.tiff", 3, "a.tif"),
    ("a.webp", 4, "a.webp"),
    ("a.gif", 1, "a.png"),
    ("a.ppm", 3, "a.ppm"),
    ("a.pgm", 1, "a.pgm"),
    ("a.qoi", 3, "a.png"),
    ("a.b.png", 3, "a.b.png"),
])  # fmt: skip
def test_the_format_is_kept_where_it_can_be_written(
    weights: Path, tmp_path: Path, name: str, channels: int, expected: str
) -> None:
    _picture(tmp_path / name, channels)

    assert _run(weights, tmp_path / name, "--out", tmp_path / "out") == 0

    assert _names(tmp_path / "out") == [expected]


def test_16_bits_go_through_exactly(weights: Path, tmp_path: Path) -> None:
    image = torch.from_numpy(RNG.integers(0, 65536, (3, 9, 7)).astype(np.float32)) / 65535
    write_image(image, tmp_path / "a.png", alpha=image[:1], bit_depth=16)
    write_image(image, tmp_path / "b.tif", bit_depth=16)

    assert _run(weights, tmp_path / "a.png", tmp_path / "b.tif", "--out", tmp_path / "out") == 0

    (png,), (tif,) = (read_pictures(tmp_path / "out" / name) for name in ("a.png", "b.tif"))
    assert png.bit_depth == tif.bit_depth == 16
    assert torch.equal(png.alpha, image[:1])
    for picture in (png, tif):
        torch.testing.assert_close(picture.pixels, image, atol=0.6 / 65535, rtol=0)


def test_the_depth_can_be_chosen(weights: Path, photos: Path, tmp_path: Path) -> None:
    inputs = (photos / "a.jpg", photos / "b.png")

    assert _run(weights, *inputs, "--out", tmp_path / "out", "--bit-depth", "16") == 0

    assert _names(tmp_path / "out") == ["a.png", "b.png"]  # JPEG has no 16 bits
    assert read_pictures(tmp_path / "out" / "a.png")[0].bit_depth == 16


def test_what_a_chosen_format_loses_is_told_in_one_line(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = torch.rand(3, 8, 8)
    write_image(image, tmp_path / "a.png", alpha=image[:1], bit_depth=16)

    assert _run(weights, tmp_path / "a.png", "--out", tmp_path / "out", "--format", "jpg") == 0

    assert _names(tmp_path / "out") == ["a.jpg"]
    (line,) = capsys.readouterr().err.splitlines()
    path = tmp_path / "out" / "a.jpg"
    assert line == f"warning: {path}: the format cannot hold 16 bits and transparency"


def test_warnings_of_reading_are_a_line_too(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("CMYK", (8, 8), (0, 90, 90, 0)).save(tmp_path / "a.jpg")
    Image.new("RGB", (8, 8)).save(tmp_path / "b.png", exif=b"Exif\0\0this is no EXIF at all")

    assert _run(weights, tmp_path, "--out", tmp_path / "out") == 0

    cmyk, exif = capsys.readouterr().err.splitlines()
    assert cmyk == f"warning: {tmp_path / 'a.jpg'}: CMYK is read as RGB, without profile"
    assert exif.startswith(f"warning: {tmp_path / 'b.png'}: broken EXIF is ignored")


@pytest.mark.parametrize(("option", "alpha"), [
    ("keep", True), ("drop", False), ("composite=#00ff00", False)
])  # fmt: skip
def test_transparency_is_kept_dropped_or_composited(
    weights: Path, tmp_path: Path, option: str, alpha: bool
) -> None:
    source = _picture(tmp_path / "a.png", channels=4)
    before = read_pictures(source)[0]

    assert _run(weights, source, "--out", tmp_path / "out", "--alpha", option) == 0

    (picture,) = read_pictures(tmp_path / "out" / "a.png")
    assert (picture.alpha is not None) == alpha
    if alpha:
        assert torch.equal(picture.alpha, before.alpha)
    assert torch.equal(picture.pixels, before.pixels) == (not option.startswith("composite"))


def test_transparency_grows_with_the_picture(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore, "_load", lambda path: Doubler())
    image = torch.rand(3, 8, 8)
    alpha = torch.zeros(1, 8, 8)
    alpha[..., 4:] = 1
    write_image(image, tmp_path / "a.png", alpha=alpha)

    assert _run(weights, tmp_path / "a.png", "--out", tmp_path / "out") == 0

    (picture,) = read_pictures(tmp_path / "out" / "a.png")
    assert picture.pixels.shape == (3, 16, 16)
    assert picture.alpha.shape == (1, 16, 16)
    assert picture.alpha[0, :, :6].eq(0).all()
    assert picture.alpha[0, :, 10:].eq(255).all()


def test_grey_stays_grey_unless_colour_is_asked_for(weights: Path, tmp_path: Path) -> None:
    source = _picture(tmp_path / "a.png", channels=1)

    _run(weights, source, "--out", tmp_path / "keep")
    _run(weights, source, "--out", tmp_path / "colour", "--grey", "colour")

    (kept,) = read_pictures(tmp_path / "keep" / "a.png")
    (colour,) = read_pictures(tmp_path / "colour" / "a.png")
    assert (kept.grey, colour.grey) == (True, False)
    assert torch.equal(kept.pixels, read_image(source))
    assert torch.equal(colour.pixels, read_image(source))


def test_frames_are_refused_or_taken(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *others = [Image.new("RGB", (6, 4), colour) for colour in ("red", "lime", "blue")]
    first.save(tmp_path / "a.gif", save_all=True, append_images=others)

    assert _run(weights, tmp_path / "a.gif", "--out", tmp_path / "none") == 1
    assert "has 3 frames" in capsys.readouterr().err
    assert _run(weights, tmp_path / "a.gif", "--out", tmp_path / "one", "--frames", "first") == 0
    assert _run(weights, tmp_path / "a.gif", "--out", tmp_path / "all", "--frames", "all") == 0

    assert _names(tmp_path / "one") == ["a.png"]
    assert _names(tmp_path / "all") == ["a_0000.png", "a_0001.png", "a_0002.png"]
    assert read_image(tmp_path / "all" / "a_0002.png").float().mean((1, 2)).argmax() == 2

    (tmp_path / "all" / "a_0001.png").unlink()
    capsys.readouterr()
    _run(weights, tmp_path / "a.gif", "--out", tmp_path / "all", "--frames", "all")
    assert capsys.readouterr().out == "restored 1, skipped 2, failed 0\n"
    assert read_image(tmp_path / "all" / "a_0001.png").float().mean((1, 2)).argmax() == 1


def test_the_limit_of_pixels_holds_for_inputs_and_outputs(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    source = _picture(tmp_path / "a.png")  # 140 pixels
    out = tmp_path / "out"

    assert _run(weights, source, "--out", out, "--max-pixels", 139) == 1
    assert "140 pixels are more than the limit of 139" in capsys.readouterr().err
    assert _run(weights, source, "--out", out, "--max-pixels", 140) == 0

    monkeypatch.setattr(restore, "_load", lambda path: Doubler())
    assert _run(weights, source, "--out", tmp_path / "more", "--max-pixels", 559) == 1
    assert "the result would have 560 pixels" in capsys.readouterr().err
    assert _run(weights, source, "--out", tmp_path / "more", "--max-pixels", 560) == 0


def test_a_truncated_file_is_restored_when_allowed(
    weights: Path, photos: Path, tmp_path: Path
) -> None:
    (photos / "a.jpg").write_bytes((photos / "a.jpg").read_bytes()[:-100])

    assert _run(weights, photos / "a.jpg", "--out", tmp_path / "out", "--allow-truncated") == 0


def test_metadata_is_kept_or_stripped_and_the_picture_upright(
    weights: Path, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Artist] = "Someone"
    Image.fromarray(RNG.integers(0, 256, (10, 14, 3), dtype=np.uint8)).save(
        tmp_path / "a.jpg", exif=exif
    )

    _run(weights, tmp_path / "a.jpg", "--out", tmp_path / "kept")
    _run(weights, tmp_path / "a.jpg", "--out", tmp_path / "stripped", "--strip-metadata")

    with Image.open(tmp_path / "kept" / "a.jpg") as kept:
        assert dict(kept.getexif()) == {ExifTags.Base.Artist: "Someone"}
        assert kept.size == (10, 14)
    with Image.open(tmp_path / "stripped" / "a.jpg") as stripped:
        assert not stripped.getexif()
        assert stripped.size == (10, 14)


def test_a_network_that_gives_no_numbers_fails_the_file(
    weights: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    broken = Inverter()
    broken.forward = lambda image: image * float("nan")  # type: ignore[method-assign]
    monkeypatch.setattr(restore, "_load", lambda path: broken)

    assert _run(weights, photos / "b.png", "--out", tmp_path / "out") == 1

    assert "NaN" in capsys.readouterr().err
    assert _names(tmp_path / "out") == []


@pytest.mark.parametrize("content", [None, b"", b"these are no weights"])
def test_missing_or_broken_weights_are_told_in_one_line(
    photos: Path, tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.safetensors"
    if content is not None:
        path.write_bytes(content)

    assert _run(path, photos, "--out", tmp_path / "out") == 3

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"lit-restore restore: {path}: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("words", "message"), [
    (["--alpha", "blend"], "alpha must be keep, drop or composite=#rrggbb, got 'blend'"),
    (["--format", "gif"], "--format: format must be one of PNG, JPEG"),
    (["--max-pixels", "0"], "max_pixels must be positive"),
    (["--bit-depth", "12"], "invalid choice: '12'"),
])  # fmt: skip
def test_wrong_usage_ends_with_2(
    weights: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    words: list[str], message: str,
) -> None:  # fmt: skip
    with pytest.raises(SystemExit, match="2"):
        _run(weights, photos, "--out", tmp_path / "out", *words)

    assert message in capsys.readouterr().err


def test_weights_have_to_be_named(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(photos), "--out", str(tmp_path / "out")])


def test_an_unknown_model_is_answered_with_the_nearest(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    import lit_restore.weights

    names = {"mosaic-4": None, "denoise-25": None}
    monkeypatch.setattr(lit_restore.weights, "shipped", lambda: names, raising=False)
    monkeypatch.setattr(lit_restore.weights, "weights_path", None, raising=False)

    with pytest.raises(SystemExit, match="2"):
        main([str(photos), "--out", str(tmp_path / "out"), "--model", "mosaik-4"])

    error = capsys.readouterr().err
    assert "there is no model 'mosaik-4'. Did you mean 'mosaic-4'?" in error
    assert "Shipped are: mosaic-4, denoise-25" in error


def test_a_shipped_model_is_found_by_its_name(
    photos: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lit_restore.weights

    monkeypatch.setattr(lit_restore.weights, "shipped", lambda: {"same": None}, raising=False)
    monkeypatch.setattr(lit_restore.weights, "weights_path", lambda name: weights, raising=False)

    assert main([str(photos), "--out", str(tmp_path / "out"), "--model", "same"]) == 0


def test_an_interrupted_batch_leaves_what_is_done_and_nothing_half(
    photos: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    class Interrupted(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            """Be interrupted at the second picture."""
            calls.append(image)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return image

    monkeypatch.setattr(restore, "_load", lambda path: Interrupted())

    with pytest.raises(KeyboardInterrupt):
        _run(weights, photos, "--out", tmp_path / "out")

    assert _names(tmp_path / "out") == ["a.jpg"]


def test_progress_is_shown_on_a_terminal(
    photos: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    _run(weights, photos, "--out", tmp_path / "out")

    error = capsys.readouterr().err
    assert "1/3 a.jpg" in error
    assert "3/3 c.bmp" in error
    assert error.endswith("\r\033[K")
    assert "\n" not in error


@pytest.mark.parametrize("verb", ["restore", "inpaint", "segment", "degrade", "models"])
def test_help_is_there_without_torch(verb: str) -> None:
    code = (
        f"import sys, lit_restore.commands.{verb} as verb\n"
        "try:\n    verb.main(['--help'])\nexcept SystemExit as stop:\n    assert stop.code == 0\n"
        "assert 'torch' not in sys.modules and 'PIL' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
