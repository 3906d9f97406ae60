"""Tests of lit_restore.commands.inpaint, and of where it finds the holes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image
from torch import Tensor, nn

from lit_restore.checkpoints import save_network
from lit_restore.commands import inpaint, restore
from lit_restore.commands.inpaint import main
from lit_restore.data.images import read_image, read_pictures, write_image
from lit_restore.models import MosaicUNet, PartialConvUNet

RNG = np.random.default_rng(0)
HEIGHT, WIDTH = 11, 14
HOLE = (slice(2, 6), slice(3, 9))


class Painter(nn.Module):
    """Paints half of full light."""

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Paint."""
        return torch.full_like(image, 0.5)


@pytest.fixture(autouse=True)
def painted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a network there that paints grey, but for tests with real weights."""
    if "weights" not in request.fixturenames:
        monkeypatch.setattr(inpaint, "_load", lambda path: Painter())


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Weights of a real network, as they come."""
    torch.manual_seed(0)
    path = tmp_path / "weights" / "pconv.safetensors"
    path.parent.mkdir()
    save_network(PartialConvUNet((4, 4), norm="none"), path)
    return path


def _picture(path: Path, channels: int = 3, height: int = HEIGHT, width: int = WIDTH) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = RNG.integers(0, 100, (height, width, channels), dtype=np.uint8)
    Image.fromarray(array if channels > 1 else array[..., 0]).save(path)
    return path


def _hole(height: int = HEIGHT, width: int = WIDTH, where: tuple[slice, slice] = HOLE) -> Tensor:
    hole = torch.zeros(1, height, width, dtype=torch.bool)
    hole[:, *where] = True
    return hole


def _mask(path: Path, hole: Tensor | None = None) -> Path:
    """Write a mask, white in the hole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = (_hole() if hole is None else hole)[0].numpy().astype(np.uint8) * 255
    Image.fromarray(levels).save(path)
    return path


def _run(tmp_path: Path, *words: object, weights: Path = Path("unread")) -> int:
    options = ("--out", tmp_path / "out", "--device", "cpu", "--weights", weights)
    return main([str(word) for word in (*words, *options)])


def _names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))


def _painted(before: Path, after: Path) -> Tensor:
    """Tell which pixels are painted, and that all others are the very same."""
    old, new = (read_image(path) for path in (before, after))
    painted = new.eq(128 if new.dtype == torch.uint8 else 32768 / 65535).all(0, keepdim=True)
    assert torch.equal(torch.where(painted, 0, new), torch.where(painted, 0, old))
    return painted


@pytest.mark.parametrize(("channels", "alpha", "depth"), [
    (3, False, 8), (3, True, 8), (1, False, 8), (1, True, 8),
    (3, False, 16), (3, True, 16), (1, False, 16), (1, True, 16),
])  # fmt: skip
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_valid_pixels_keep_every_bit_and_the_file_its_kind(
    weights: Path, tmp_path: Path, channels: int, alpha: bool, depth: int, suffix: str
) -> None:
    most = 2**depth - 1
    drawn = torch.from_numpy(RNG.integers(0, most + 1, (4, 13, 22)).astype(np.float32)) / most
    image = drawn[:3] if channels == 3 else drawn[:1].expand(3, -1, -1)
    source, mask = tmp_path / f"a.{suffix}", _mask(tmp_path / "mask.png", _hole(13, 22))
    write_image(
        image, source, alpha=drawn[3:] if alpha else None, grey=channels == 1,
        bit_depth=depth,  # type: ignore[arg-type]
    )  # fmt: skip

    assert _run(tmp_path, source, "--mask", mask, weights=weights) == 0

    (before,), (after,) = (read_pictures(path) for path in (source, tmp_path / "out" / source.name))
    assert (after.grey, after.bit_depth) == (before.grey, depth)
    valid = ~_hole(13, 22).expand(3, -1, -1)
    assert torch.equal(after.pixels[valid], before.pixels[valid])
    assert not torch.equal(after.pixels, before.pixels)
    if alpha:
        assert torch.equal(after.alpha, before.alpha)
    else:
        assert after.alpha is None


def test_the_mask_is_white_in_the_hole_unless_told_otherwise(tmp_path: Path) -> None:
    source, mask = _picture(tmp_path / "a.png"), _mask(tmp_path / "mask.png", ~_hole())

    assert _run(tmp_path, source, "--mask", mask, "--mask-valid", "white") == 0

    assert torch.equal(_painted(source, tmp_path / "out" / "a.png"), _hole())


@pytest.mark.parametrize(("valid", "other"), [("black", "white"), ("white", "black")])
def test_a_mask_that_looks_inverted_is_told_in_a_line(
    tmp_path: Path, valid: str, other: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = _picture(tmp_path / "a.png")
    mask = _mask(tmp_path / "mask.png", ~_hole() if valid == "black" else _hole())

    assert _run(tmp_path, source, "--mask", mask, "--mask-valid", valid) == 0

    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"warning: {source}: the mask {mask} makes 84% of it a hole; if {other} is what to keep, "
        f"say --mask-valid {other}"
    )
    assert torch.equal(_painted(source, tmp_path / "out" / "a.png"), ~_hole())


def test_masks_of_a_folder_belong_to_the_pictures_of_their_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = [_picture(tmp_path / "photos" / name) for name in ("a.png", "b.png", "deep/a.png")]
    for name in ("c.png", "d.png"):
        _picture(tmp_path / "photos" / name)
    holes = [_hole(where=(slice(n, n + 2), slice(4, 5))) for n in range(3)]
    for name, hole in zip(("a.gif", "b.png", "deep/a.bmp"), holes, strict=True):
        _mask(tmp_path / "masks" / name, hole)
    for suffix in ("png", "bmp"):
        _mask(tmp_path / "masks" / f"d.{suffix}")

    assert _run(tmp_path, tmp_path / "photos", "--recursive", "--mask", tmp_path / "masks") == 1

    captured = capsys.readouterr()
    assert captured.out == "inpainted 3, skipped 0, failed 2\n"
    photos, folder = tmp_path / "photos", tmp_path / "masks"
    assert captured.err.splitlines() == [
        f"failed: {photos / 'c.png'}: expected one mask called c in {folder}, got none",
        f"failed: {photos / 'd.png'}: expected one mask called d in {folder}, got d.bmp and d.png",
    ]
    for source, hole in zip(sources, holes, strict=True):
        out = tmp_path / "out" / source.relative_to(tmp_path / "photos")
        assert torch.equal(_painted(source, out), hole)


def test_one_bad_file_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mask = _mask(tmp_path / "mask.png")
    names = ("a.png", "b.png", "c.png")
    files = [_picture(tmp_path / "photos" / name) for name in names]
    files[0].write_text("no picture")
    _picture(files[1], height=HEIGHT + 1)

    assert _run(tmp_path, tmp_path / "photos", "--mask", mask, "--json") == 1

    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert [document[key] for key in ("inpainted", "skipped", "failed")] == [1, 0, 2]
    assert document["results"][2]["status"] == "inpainted"
    assert captured.err.splitlines()[1] == (
        f"failed: {files[1]}: the mask {mask} has 14x11 pixels, the picture 14x12"
    )
    assert _names(tmp_path / "out") == ["c.png"]


@pytest.mark.parametrize("depth", [8, 16])
def test_what_is_transparent_is_filled_and_the_result_is_opaque(
    tmp_path: Path, depth: int, capsys: pytest.CaptureFixture[str]
) -> None:
    image = torch.rand(3, HEIGHT, WIDTH) / 3
    alpha = torch.where(_hole(), 127 / 255, 128 / 255)
    write_image(image, tmp_path / "a.png", alpha=alpha, bit_depth=depth)  # type: ignore[arg-type]
    opaque = _picture(tmp_path / "b.png")

    assert _run(tmp_path, tmp_path / "a.png", opaque, "--mask-alpha") == 1

    assert read_pictures(tmp_path / "out" / "a.png")[0].alpha is None
    assert torch.equal(_painted(tmp_path / "a.png", tmp_path / "out" / "a.png"), _hole())
    assert "b.png: it has no transparency, which --mask-alpha needs" in capsys.readouterr().err


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(("away", "tolerance", "found"), [
    (0, 0, True), (1, 0, False), (3, 3, True), (4, 3, False)
])  # fmt: skip
def test_what_has_a_colour_is_filled(
    tmp_path: Path, depth: int, away: int, tolerance: int, found: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    image = torch.rand(3, HEIGHT, WIDTH) / 3
    colour = torch.tensor([255, away, 255 - away]).view(3, 1, 1) / 255
    image = torch.where(_hole(), colour, image)
    source = tmp_path / "a.png"
    write_image(image, source, bit_depth=depth)  # type: ignore[arg-type]
    words = ("--mask-color", "#FF00ff", "--mask-tolerance", tolerance)

    assert _run(tmp_path, source, *words) == 0

    painted = _painted(source, tmp_path / "out" / "a.png")
    assert torch.equal(painted, _hole() if found else torch.zeros_like(painted))
    note = f"note: {source}: nothing to fill; it is written as it is\n"
    assert capsys.readouterr().err == ("" if found else note)


def test_rectangles_are_filled_as_far_as_they_lie_in_the_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wide, small = _picture(tmp_path / "a.png"), _picture(tmp_path / "b.png", height=5, width=5)
    words = ("--mask-rect", "3,2,6,4", "--mask-rect=-2,8,4,99")

    assert _run(tmp_path, wide, small, *words) == 1

    expected = _hole() | _hole(where=(slice(8, 11), slice(0, 2)))
    assert torch.equal(_painted(wide, tmp_path / "out" / "a.png"), expected)
    told = f"failed: {small}: --mask-rect -2,8,4,99 lies outside of its 5x5 pixels\n"
    assert capsys.readouterr().err == told


def test_holes_grow_to_all_sides_and_corners(tmp_path: Path) -> None:
    source = _picture(tmp_path / "a.png")

    assert _run(tmp_path, source, "--mask-rect", "3,2,6,4", "--grow", 3) == 0

    expected = _hole(where=(slice(0, 9), slice(0, 12)))
    assert torch.equal(_painted(source, tmp_path / "out" / "a.png"), expected)


def test_nothing_to_fill_writes_the_picture_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, mask = _picture(tmp_path / "a.png", 4), _mask(tmp_path / "mask.png", _hole() & False)

    assert _run(tmp_path, source, "--mask", mask) == 0

    captured = capsys.readouterr()
    assert captured.out == "inpainted 1, skipped 0, failed 0\n"
    assert captured.err == f"note: {source}: nothing to fill; it is written as it is\n"
    (before,), (after,) = (read_pictures(path) for path in (source, tmp_path / "out" / "a.png"))
    assert torch.equal(after.pixels, before.pixels)
    assert torch.equal(after.alpha, before.alpha)


def test_a_mask_without_valid_pixels_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, mask = _picture(tmp_path / "a.png"), _mask(tmp_path / "mask.png", _hole() | True)

    assert _run(tmp_path, source, "--mask", mask) == 1

    assert f"failed: {source}: no valid pixel" in capsys.readouterr().err
    assert not list((tmp_path / "out").iterdir())


def test_a_photograph_is_no_mask_but_smooth_rims_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = _picture(tmp_path / "a.png")
    photo = tmp_path / "photo.png"
    Image.fromarray(RNG.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8) // 2 + 60).save(photo)
    levels = np.zeros((HEIGHT, WIDTH), np.uint8)
    levels[HOLE], levels[2, 3:9] = 255, 128
    Image.fromarray(levels).save(tmp_path / "smooth.png")

    assert _run(tmp_path, source, "--mask", photo) == 1
    assert f"the mask {photo} must be black and white, got 100%" in capsys.readouterr().err
    assert _run(tmp_path, source, "--mask", tmp_path / "smooth.png") == 0
    assert torch.equal(_painted(source, tmp_path / "out" / "a.png"), _hole())


def test_what_a_mask_has_transparent_is_black(tmp_path: Path) -> None:
    source, mask = _picture(tmp_path / "a.png"), tmp_path / "mask.png"
    write_image(torch.ones(3, HEIGHT, WIDTH), mask, alpha=_hole().float())

    assert _run(tmp_path, source, "--mask", mask) == 0

    assert torch.equal(_painted(source, tmp_path / "out" / "a.png"), _hole())


def test_the_mask_belongs_to_the_picture_as_it_is_when_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Artist] = "Someone"
    source, turned = tmp_path / "a.png", (WIDTH, HEIGHT, 3)
    Image.fromarray(RNG.integers(0, 100, turned, dtype=np.uint8)).save(source, exif=exif)

    assert _run(tmp_path, source, "--mask", _mask(tmp_path / "mask.png")) == 0

    assert torch.equal(_painted(source, tmp_path / "out" / "a.png"), _hole())
    with Image.open(tmp_path / "out" / "a.png") as image:
        assert dict(image.getexif()) == {ExifTags.Base.Artist: "Someone"}


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
def test_a_format_that_changes_valid_pixels_is_written_only_when_asked_for(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = _picture(tmp_path / name)
    words = (source, "--mask-rect", "3,2,6,4")

    assert _run(tmp_path, *words) == 0
    assert capsys.readouterr().err == ""
    assert torch.equal(_painted(source, tmp_path / "out" / "a.png"), _hole())

    assert _run(tmp_path, *words, "--format", name[2:]) == 0
    told = f"warning: {tmp_path / 'out' / name}: the format changes pixels outside of the holes"
    assert capsys.readouterr().err.startswith(told)
    assert _names(tmp_path / "out") == sorted(["a.png", name])


def test_every_frame_gets_the_mask(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("red", "lime")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    mask = _mask(tmp_path / "mask.png")

    assert _run(tmp_path, tmp_path / "a.gif", "--mask", mask, "--frames", "all") == 0

    for number, channel in ((0, 0), (1, 1)):
        image = read_image(tmp_path / "out" / f"a_000{number}.png")
        assert image[:, *HOLE].eq(128).all()
        assert image[:, 0, 0].argmax() == channel


def test_neither_pictures_nor_masks_are_ever_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = _picture(tmp_path / "photos" / "a.png")
    mask = _mask(tmp_path / "out" / "a.png")
    before = [path.read_bytes() for path in (source, mask)]

    for given in (mask, mask.parent):
        with pytest.raises(SystemExit, match="2"):
            _run(tmp_path, source, "--mask", given, "--overwrite")
        assert f"{mask} is an input, and inputs are never overwritten" in capsys.readouterr().err

    assert [path.read_bytes() for path in (source, mask)] == before


def test_existing_outputs_are_skipped_unless_overwriting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (_picture(tmp_path / "a.png"), "--mask-rect", "3,2,6,4")
    _run(tmp_path, *words)
    (tmp_path / "out" / "a.png").write_bytes(b"mine")
    capsys.readouterr()

    assert _run(tmp_path, *words) == 0
    assert capsys.readouterr().out == "inpainted 0, skipped 1, failed 0\n"
    assert (tmp_path / "out" / "a.png").read_bytes() == b"mine"
    assert _run(tmp_path, *words, "--overwrite") == 0
    assert torch.equal(_painted(tmp_path / "a.png", tmp_path / "out" / "a.png"), _hole())


@pytest.mark.parametrize(("words", "message"), [
    ([], "--mask-alpha --mask-color/--mask-colour --mask-rect is required"),
    (["--mask-alpha", "--mask-color", "#000000"], "not allowed with argument"),
    (["--mask", "nowhere"], "--mask nowhere: there is no such file or folder"),
    (["--mask-rect", "1,2,3"], "expected X,Y,W,H in pixels, W and H at least 1, got '1,2,3'"),
    (["--mask-rect", "1,2,0,3"], "expected X,Y,W,H in pixels"),
    (["--mask-color", "red"], "--mask-color must be #rrggbb, got 'red'"),
    (["--mask-color", "#000000", "--mask-tolerance", "256"], "must be 0 to 255, got 256"),
    (["--mask-alpha", "--mask-tolerance", "2"], "--mask-tolerance belongs to --mask-color"),
    (["--mask-alpha", "--mask-valid", "white"], "--mask-valid belongs to --mask"),
    (["--mask-alpha", "--alpha", "drop"], "--mask-alpha needs --alpha keep"),
    (["--mask-alpha", "--grow", "-1"], "--grow must be at least 0 pixels, got -1"),
    (["--mask-alpha", "--format", "gif"], "--format: format must be one of PNG, JPEG"),
])  # fmt: skip
def test_wrong_usage_ends_with_2(
    tmp_path: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        _run(tmp_path, _picture(tmp_path / "a.png"), *words)

    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_empty_folder_of_masks_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "masks").mkdir()

    with pytest.raises(SystemExit, match="2"):
        _run(tmp_path, _picture(tmp_path / "a.png"), "--mask", tmp_path / "masks")

    assert "there are no pictures in this folder" in capsys.readouterr().err


def test_a_network_that_takes_no_mask_is_wrong_usage(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_network(MosaicUNet(widths=(4, 8)), weights)

    with pytest.raises(SystemExit, match="2"):
        _run(tmp_path, _picture(tmp_path / "a.png"), "--mask-rect", "0,0,2,2", weights=weights)

    error = capsys.readouterr().err
    assert error.startswith(f"lit-restore inpaint: {weights}: ")
    assert "got MosaicUNet, which takes no mask" in error


def test_restore_sends_who_has_a_network_for_holes_to_inpaint(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [_picture(tmp_path / "a.png"), "--out", tmp_path / "out", "--weights", weights]

    with pytest.raises(SystemExit, match="2"):
        restore.main([str(word) for word in words])

    assert "use lit-restore inpaint" in capsys.readouterr().err


def test_missing_weights_end_with_3(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights.unlink()
    words = (_picture(tmp_path / "a.png"), "--mask-rect", "0,0,2,2")

    assert _run(tmp_path, *words, weights=weights) == 3

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"lit-restore inpaint: {weights}: ")


def test_the_shipped_network_is_taken_unless_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(inpaint, "shipped_file", lambda name: asked.append(name) or Path(name))
    words = [_picture(tmp_path / "a.png"), "--out", tmp_path / "out", "--mask-rect", "0,0,2,2"]

    assert main([str(word) for word in words]) == 0

    assert asked == ["inpaint_pconv"]
    assert (tmp_path / "out" / "a.png").exists()
