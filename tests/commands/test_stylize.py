"""Tests of lit_restore.commands.stylize."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from lit_restore.commands.stylize import main
from lit_restore.data import read_image, write_image
from lit_restore.inference.luma import full_luma
from lit_restore.interop import VGGWeightsError, vgg_weights
from lit_restore.models import VGGFeatures


@pytest.fixture
def vgg(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """A thin VGG of random weights in place of the published one; says what was asked for."""
    asked: list[tuple[Any, ...]] = []

    def load_vgg(weights: Any, depth: Any, layer: str, pool: Any) -> VGGFeatures:
        asked.append((weights, depth, layer, pool))
        torch.manual_seed(0)
        return VGGFeatures(depth, layer, widths=(4, 4, 4, 4, 4), pool=pool).eval()

    monkeypatch.setattr(vgg_weights, "load_vgg", load_vgg)
    return asked


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A green and a blue picture and a grey one with transparency; 40x32 and 44x40 pixels."""
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.default_rng(0)
    for name, size, tint in (
        ("a", (32, 40), (40, 200, 60)),
        ("b", (40, 44), (30, 60, 220)),
        ("c", (40, 44), (90, 90, 90)),
    ):
        noise = random.integers(-30, 30, (*size, 1)) + np.array(tint)
        picture = Image.fromarray(noise.clip(0, 255).astype(np.uint8))
        if name == "c":
            picture.putalpha(128)
        picture.save(folder / f"{name}.png")
    return folder


def run(photos: Path, out: Path, *words: object, styles: str = "b", steps: int = 4) -> int:
    names = [photos / f"{name}.png" for name in ("a", *styles)]
    return main([str(word) for word in (*names, "--out", out, "--steps", steps, *words)])


def lines(err: str) -> Iterator[tuple[str, dict[str, float]]]:
    for line in err.splitlines():
        head, _, terms = line.partition(": ")
        if "step" in head:
            pairs = (term.rsplit(" ", 1) for term in terms.split(", "))
            yield head, {name: float(value) for name, value in pairs}


def test_the_result_is_a_png_named_by_both_with_the_terms_told_on_the_way(
    photos: Path, tmp_path: Path, vgg: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(photos, tmp_path / "out", steps=20) == 0

    captured = capsys.readouterr()
    assert captured.out == "stylised 1, skipped 0, failed 0\n"
    told = list(lines(captured.err))
    assert [head for head, _ in told] == [f"40x32, step {n}/20" for n in range(0, 21, 2)]
    assert list(told[0][1]) == ["content", "style", "total variation"]
    assert told[-1][1]["style"] < told[0][1]["style"] / 2
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a+b.png"]
    result = read_image(tmp_path / "out" / "a+b.png")
    assert result.shape == (3, 32, 40)
    assert not torch.equal(result, read_image(photos / "a.png"))
    assert vgg == [(None, 19, "block5_conv2", "max")]


def test_a_second_run_with_the_same_seed_is_byte_identical(
    photos: Path, tmp_path: Path, vgg: Any
) -> None:
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        assert run(photos, tmp_path / name, "--init", "noise", "--seed", seed) == 0
    one, again, other = ((tmp_path / n / "a+b.png").read_bytes() for n in ("one", "again", "other"))
    assert one == again
    assert one != other


def test_sizes_double_from_coarse_to_fine(
    photos: Path, tmp_path: Path, vgg: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(photos, tmp_path, "--size", 80, "--coarse-to-fine", 2, "--json", steps=2) == 0

    captured = capsys.readouterr()
    sizes = [head.partition(",")[0] for head, _ in lines(captured.err)]
    assert list(dict.fromkeys(sizes)) == ["20x16", "40x32", "80x64"]
    (result,) = json.loads(captured.out)["results"]
    assert (result["status"], result["size"]) == ("stylised", [64, 80])


def test_the_finer_size_goes_on_from_the_coarser_s_result(
    photos: Path, tmp_path: Path, vgg: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run(photos, tmp_path / "plain", steps=12)
    run(photos, tmp_path / "fine", "--coarse-to-fine", 1, steps=12)
    told = list(lines(capsys.readouterr().err))
    begin = [terms for head, terms in told if head == "40x32, step 0/12"]
    assert begin[1]["style"] < 0.8 * begin[0]["style"]


def test_colours_stay_if_asked(photos: Path, tmp_path: Path, vgg: Any) -> None:
    assert run(photos, tmp_path, "--keep-colour", "--init", "noise", steps=10) == 0
    content = read_image(photos / "a.png").float() / 255
    result = read_image(tmp_path / "a+b.png").float() / 255
    inside = ((result > 0) & (result < 1)).all(dim=0)
    moved = result - content
    same = moved - full_luma(moved[None])[0]
    assert same[:, inside].abs().max() < 2 / 255
    assert moved.abs().max() > 0.01
    assert run(photos, tmp_path, "--overwrite", "--init", "noise", steps=10) == 0
    free = read_image(tmp_path / "a+b.png").float() / 255 - content
    assert (free - full_luma(free[None])[0]).abs().max() > 0.1


def test_several_styles_are_mixed_by_their_weights(
    photos: Path, tmp_path: Path, vgg: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(photos, tmp_path / "both", "--style-weights", 0, 2, styles="bc", steps=6) == 0
    assert "note: " + str(photos / "c.png") in capsys.readouterr().err
    assert run(photos, tmp_path / "alone", styles="c", steps=6) == 0
    one, other = (tmp_path / "both" / "a+b+c.png", tmp_path / "alone" / "a+c.png")
    assert one.read_bytes() == other.read_bytes()


def test_a_preview_lies_beside_the_output_until_that_is_there(
    photos: Path, tmp_path: Path, vgg: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def noted(image: torch.Tensor, path: Path, **options: Any) -> None:
        written.append(path.name)
        write_image(image, path, **options)

    monkeypatch.setattr("lit_restore.data.images.write_image", noted)
    assert run(photos, tmp_path / "out", "--preview-every", 2, steps=5) == 0
    assert written == ["a+b.preview.png", "a+b.preview.png", "a+b.png"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a+b.png"]


def test_the_options_reach_what_they_are_about(
    photos: Path, tmp_path: Path, vgg: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--vgg", 16, "--weights", "some.h5", "--pool", "average", "--content-layer"]
    words += ["block2_conv2", "--style-layers", "block1_conv1", "block3_conv1"]
    words += ["--content-weight", 0, "--tv-weight", 0, "--normalize", "notes", "--style-weight", 2]
    words += ["--optimizer", "adam", "--init", photos / "b.png", "--style-size", 16]
    assert run(photos, tmp_path, *words, steps=1) == 0
    assert vgg == [(Path("some.h5"), 16, "block3_conv1", "average")]
    ((_, first), (_, _last)) = lines(capsys.readouterr().err)
    assert (first["content"], first["total variation"]) == (0, 0)


def test_an_existing_output_is_left_alone_unless_overwriting(
    photos: Path, tmp_path: Path, vgg: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a+b.png").write_bytes(b"mine")
    assert run(photos, tmp_path) == 0
    assert (tmp_path / "a+b.png").read_bytes() == b"mine"
    assert "stylised 0, skipped 1" in capsys.readouterr().out
    assert run(photos, tmp_path, "--overwrite") == 0
    assert read_image(tmp_path / "a+b.png").shape == (3, 32, 40)


def test_inputs_are_never_overwritten(photos: Path, vgg: Any) -> None:
    (photos / "b.png").rename(photos / "a+b.png")
    (photos / "b.png").symlink_to(photos / "a+b.png")
    before = (photos / "a+b.png").read_bytes()
    with pytest.raises(SystemExit, match="2"):
        run(photos, photos, "--overwrite")
    assert (photos / "a+b.png").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--steps", 0], "--steps must be at least 1, got 0"),
     (["--coarse-to-fine", -1], "--coarse-to-fine must be at least 0, got -1"),
     (["--tv-weight", "nan"], "--tv-weight must be at least 0, got nan"),
     (["--style-weights", 1, 2], "--style-weights must be 1, one for each STYLE"),
     (["--style-weights", 0], "at least 0 and not all of them 0, got 0.0"),
     (["--content-layer", "block4_con2"], "no layer 'block4_con2'. Did you mean 'block4_conv2'?"),
     (["--vgg", 16, "--style-layers", "block5_conv4"], "VGG16 has no layer 'block5_conv4'"),
     (["--restart-every", 20, "--optimizer", "adam"], "--restart-every belongs to"),
     (["--optimizer", "sgd"], "invalid choice: 'sgd'")],
)  # fmt: skip
def test_wrong_usage_is_told_in_one_line(
    words: list[object],
    message: str,
    photos: Path,
    tmp_path: Path,
    vgg: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(photos, tmp_path / "out", *words)
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_without_weights_one_sentence_says_so(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def load_vgg(*_: Any) -> None:
        raise VGGWeightsError(
            "put it there, or give a .h5 as the argument weights, where the config has weights: "
            "null"
        )

    monkeypatch.setattr(vgg_weights, "load_vgg", load_vgg)
    assert run(photos, tmp_path) == 3
    expected = "lit-restore stylize: put it there, or give a .h5 by --weights\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--init", "nowhere.png"], "nowhere.png: "),
        (["--size", 12], "VGG needs 16: lower --coarse-to-fine, or raise --size"),
    ],
)
def test_what_fails_is_told_and_leaves_nothing(
    words: list[object],
    reason: str,
    photos: Path,
    tmp_path: Path,
    vgg: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(photos, tmp_path / "out", *words) == 1
    assert reason in capsys.readouterr().err
    assert list((tmp_path / "out").glob("*")) == []


def test_a_term_that_is_not_finite_stops_the_run(
    photos: Path, tmp_path: Path, vgg: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--style-weight", 1e38, "--normalize", "notes")
    assert run(photos, tmp_path, *words) == 1
    assert "stopped, since a term is not finite; 40x32, step 0/4" in capsys.readouterr().err
