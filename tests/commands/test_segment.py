"""Tests of lit_restore.commands.segment, and of who sends segmenters to it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image
from torch import Tensor, nn

from lit_restore.checkpoints import save_network
from lit_restore.commands import inpaint, restore, segment, translate
from lit_restore.commands._batch import UsageError
from lit_restore.commands._evaluation_open import open_models
from lit_restore.commands.segment import main
from lit_restore.data.images import read_image
from lit_restore.inference import Segmenter, decide
from lit_restore.models import MosaicUNet, ResNet, UNet

RNG = np.random.default_rng(0)
NAMES = ("background", "red newt", "../grün")
COLOURS = ((0, 0, 0), (200, 0, 0), (0, 100, 50))


class Brightest(nn.Module):
    """Says which channel is brightest: blue is background, red class 1, green class 2."""

    output = "logits"
    num_classes = 3

    def __init__(self, **carried: Any) -> None:
        super().__init__()
        for name, value in carried.items():
            setattr(self, name, value)

    def forward(self, image: Tensor) -> Tensor:
        """Judge."""
        return 20 * image[:, [2, 0, 1]]


class Bright(nn.Module):
    """Says yes to what is redder than green."""

    output = "logits"
    num_classes = 1

    def forward(self, image: Tensor) -> Tensor:
        """Judge."""
        return 4 * (image[:, :1] - image[:, 1:2])


def classifier() -> ResNet:
    """Judges whole pictures."""
    return ResNet((1,), "basic", width=4, num_classes=3)


Use = Callable[[nn.Module], None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Makes the verb find a network under whatever name."""

    def put(network: nn.Module) -> None:
        monkeypatch.setattr(segment, "load", lambda path: network)

    return put


@pytest.fixture
def newts(use: Use) -> None:
    """The verb finds a network of three classes with names and colours."""
    use(Brightest(class_names=NAMES, class_colours=COLOURS))


def picture(path: Path, height: int = 10, width: int = 14) -> Path:
    Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)
    return path


def run(*words: object) -> int:
    return main([str(word) for word in ("--weights", "any.ckpt", "--device", "cpu", *words)])


def expected(path: Path) -> Tensor:
    """Which channel of a picture is brightest."""
    return read_image(path)[[2, 0, 1]].int().argmax(0)


def labels_in(path: Path) -> Tensor:
    with Image.open(path) as image:
        assert image.mode == "P"
        return torch.from_numpy(np.array(image)).long()


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_labels_are_written_by_index_in_the_colours_of_the_training(
    newts: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = picture(tmp_path / "a.jpg")

    assert run(source, "--out", tmp_path / "out") == 0

    labels = labels_in(tmp_path / "out" / "a.png")
    assert torch.equal(labels, expected(source))
    assert set(labels.flatten().tolist()) == {0, 1, 2}
    coloured = torch.tensor(COLOURS)[labels].permute(2, 0, 1)
    assert torch.equal(read_image(tmp_path / "out" / "a.png"), coloured.byte())
    assert names_in(tmp_path / "out") == ["a.png"]
    shares = labels.flatten().bincount(minlength=3) / labels.numel()
    told = ", ".join(f"{name} {share:.1%}" for name, share in zip(NAMES, shares, strict=True))
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        f"{tmp_path / 'out' / 'a.png'}: {told}",
        "written 1, skipped 0, failed 0",
    ]
    assert captured.err == ""


def test_json_has_the_shares_of_the_classes(
    newts: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (4, 4), (0, 200, 0)).save(tmp_path / "a.png")

    assert run(tmp_path / "a.png", "--out", tmp_path / "out", "--json") == 0

    document = json.loads(capsys.readouterr().out)
    output = str(tmp_path / "out" / "a.png")
    assert document["shares"] == {output: {"background": 0, "red newt": 0, "../grün": 1}}
    assert document["written"] == 1
    assert document["results"][0]["size"] == [4, 4]


def test_the_overlay_blends_all_but_the_background(newts: None, tmp_path: Path) -> None:
    source = picture(tmp_path / "a.png")

    assert run(source, "--out", tmp_path / "out", "--overlay") == 0

    assert names_in(tmp_path / "out") == ["a.png", "a_overlay.png"]
    labels, image = expected(source), read_image(source)
    colours = torch.tensor(COLOURS)[labels].permute(2, 0, 1)
    blended = ((image + colours.float()) / 2 + 0.5).floor()
    found = read_image(tmp_path / "out" / "a_overlay.png")
    assert torch.equal(found, torch.where(labels == 0, image, blended.byte()))


@pytest.mark.parametrize(("words", "bits"), [([], 8), (["16"], 16)])
def test_probabilities_are_written_for_each_class_inside_the_folder(
    newts: None, tmp_path: Path, words: list[str], bits: int
) -> None:
    source = picture(tmp_path / "a.png")

    assert run(source, "--out", tmp_path / "out", "--probabilities", *words) == 0

    assert names_in(tmp_path / "out") == [
        "a.png", "a__grün.png", "a_background.png", "a_red_newt.png",
    ]  # fmt: skip
    found = [
        read_image(tmp_path / "out" / f"a_{name}.png")[0].double()
        for name in ("background", "red_newt", "_grün")
    ]
    wanted = (20 * read_image(source)[[2, 0, 1]].double() / 255).softmax(0)
    scale = 255.0 if bits == 8 else 1.0  # files of 16 bits are read in unit range
    torch.testing.assert_close(torch.stack(found) / scale, wanted, rtol=0, atol=0.6 / 2**bits)


def test_of_one_class_the_threshold_is_that_of_the_foreground(use: Use, tmp_path: Path) -> None:
    use(Bright())
    source = picture(tmp_path / "a.png")
    image = read_image(source).float() / 255
    probability = (4 * (image[0] - image[1])).sigmoid()
    for words, least in (([], 0.5), (["--threshold", "0.8"], 0.8)):
        out = tmp_path / str(least)
        assert run(source, "--out", out, "--probabilities", *words) == 0
        assert torch.equal(labels_in(out / "a.png"), (probability >= least).long())
        assert names_in(out) == ["a.png", "a_foreground.png"]
    white = read_image(out / "a.png").unique()
    assert white.tolist() == [0, 255]


def test_of_several_classes_the_unsure_is_background(newts: None, tmp_path: Path) -> None:
    source = picture(tmp_path / "a.png")

    assert run(source, "--out", tmp_path / "out", "--threshold", "0.9") == 0

    sure = (20 * read_image(source)[[2, 0, 1]].float() / 255).softmax(0).amax(0) >= 0.9
    assert 0.1 < sure.float().mean() < 0.9
    found = labels_in(tmp_path / "out" / "a.png")
    assert torch.equal(found, expected(source).where(sure, 0))


def test_classes_without_names_and_colours_get_some(
    use: Use, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use(Brightest())
    Image.new("RGB", (4, 4), (200, 0, 0)).save(tmp_path / "a.png")

    assert run(tmp_path / "a.png", "--out", tmp_path / "out") == 0

    assert "class_0 0.0%, class_1 100.0%, class_2 0.0%" in capsys.readouterr().out
    assert read_image(tmp_path / "out" / "a.png")[:, 0, 0].tolist() == [128, 0, 0]


def test_a_picture_is_judged_upright_and_what_it_hides_is_composited_if_asked(
    newts: None, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned by a quarter
    pixels = RNG.integers(0, 256, (10, 14, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    hidden = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    hidden.save(tmp_path / "hidden.png")

    assert run(tmp_path / "turned.png", tmp_path / "hidden.png", "--out", tmp_path / "out") == 0
    blue = ("--alpha", "composite=#0000ff")
    assert run(tmp_path / "hidden.png", "--out", tmp_path / "blue", *blue) == 0

    upright = torch.from_numpy(np.rot90(pixels, -1).copy()).permute(2, 0, 1)
    labels = upright[[2, 0, 1]].int().argmax(0)
    assert torch.equal(labels_in(tmp_path / "out" / "turned.png"), labels)
    assert labels_in(tmp_path / "out" / "hidden.png").unique().tolist() == [1]
    assert labels_in(tmp_path / "blue" / "hidden.png").unique().tolist() == [0]


def test_frames_of_an_animation_get_files_of_their_own(newts: None, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ((255, 0, 0), (0, 255, 0))]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])

    words = ("--frames", "all", "--overlay")
    assert run(tmp_path / "a.gif", "--out", tmp_path / "out", *words) == 0

    assert names_in(tmp_path / "out") == [
        "a_0000.png", "a_0000_overlay.png", "a_0001.png", "a_0001_overlay.png",
    ]  # fmt: skip
    for frame, label in ((0, 1), (1, 2)):
        found = labels_in(tmp_path / "out" / f"a_000{frame}.png")
        assert found.unique().tolist() == [label]


def test_what_is_there_already_is_kept_and_what_is_missing_is_made(
    newts: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = picture(tmp_path / "a.png"), tmp_path / "out"
    out.mkdir()
    (out / "a.png").write_bytes(b"mine")

    assert run(source, "--out", out, "--overlay") == 0

    assert (out / "a.png").read_bytes() == b"mine"
    assert read_image(out / "a_overlay.png").shape == (3, 10, 14)
    assert capsys.readouterr().out.endswith("written 1, skipped 1, failed 0\n")
    assert run(source, "--out", out, "--overwrite") == 0
    assert torch.equal(labels_in(out / "a.png"), expected(source))


@pytest.mark.parametrize(
    ("others", "words"),
    [(["b/a.png"], []), (["a_overlay.png"], ["--overlay"])],
)
def test_two_inputs_for_one_output_are_refused(
    newts: None, tmp_path: Path, others: list[str], words: list[str]
) -> None:
    (tmp_path / "b").mkdir()
    sources = [picture(tmp_path / name) for name in ("a.png", *others)]

    with pytest.raises(SystemExit, match="2"):
        run(*sources, "--out", tmp_path / "out", *words)

    assert not (tmp_path / "out").exists()


def test_an_input_is_never_overwritten(newts: None, tmp_path: Path) -> None:
    source, kept = picture(tmp_path / "a.png"), picture(tmp_path / "a_overlay.png")
    before = kept.read_bytes()
    for words in ([source], [source, kept, "--overlay"]):
        with pytest.raises(SystemExit, match="2"):
            run(*words, "--out", tmp_path, "--overwrite")
    assert kept.read_bytes() == before


def test_one_bad_file_does_not_stop_the_others(
    newts: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.png").write_text("no picture")

    assert run(tmp_path / "a.png", picture(tmp_path / "b.png"), "--out", tmp_path / "out") == 1

    captured = capsys.readouterr()
    assert captured.out.endswith("written 1, skipped 0, failed 1\n")
    assert captured.err.startswith(f"failed: {tmp_path / 'a.png'}: ")


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_weights_of_a_file_are_used_with_all_that_it_says(tmp_path: Path, padding: str) -> None:
    torch.manual_seed(0)
    network = UNet(num_classes=3, widths=(4, 6), padding=padding).eval()  # type: ignore[arg-type]
    network.class_names, network.class_colours = NAMES, COLOURS  # type: ignore[assignment]
    network.working_side = 20  # type: ignore[assignment]
    save_network(network, tmp_path / "unet.safetensors")
    source = picture(tmp_path / "a.png", 31, 50)
    words = (source, "--weights", tmp_path / "unet.safetensors", "--out", tmp_path / "out")

    assert main([*map(str, words), "--device", "cpu", "--tile", "8"]) == 0

    probabilities = Segmenter(network, "cpu")(read_image(source))
    labels = labels_in(tmp_path / "out" / "a.png")
    assert (labels == decide(probabilities)).float().mean() > 0.99  # the last bits may differ
    assert labels.unique().numel() > 1
    colours = read_image(tmp_path / "out" / "a.png").flatten(1).T.unique(dim=0).tolist()
    assert set(map(tuple, colours)) <= set(COLOURS)


@pytest.mark.parametrize("words", [["--tile", "4"], ["--tta"], ["--tta", "eightfold"]])
def test_tiles_and_mirror_images_change_nothing_for_a_network_of_single_pixels(
    newts: None, tmp_path: Path, words: list[str]
) -> None:
    source = picture(tmp_path / "a.png")
    assert run(source, "--out", tmp_path / "out", *words) == 0
    assert torch.equal(labels_in(tmp_path / "out" / "a.png"), expected(source))


class Leftmost(Brightest):
    """Says class 1 of the left half and else background, whatever the picture is."""

    def forward(self, image: Tensor) -> Tensor:
        """Judge."""
        logits = torch.zeros_like(image)
        logits[..., : image.shape[-1] // 2] = torch.tensor([0.0, 8, 0]).view(1, 3, 1, 1)
        logits[..., image.shape[-1] // 2 :] = torch.tensor([0.1, 0, 0]).view(1, 3, 1, 1)
        return logits


def test_the_mean_is_taken_over_mirror_images(use: Use, tmp_path: Path) -> None:
    use(Leftmost())
    source = picture(tmp_path / "a.png")
    for words, places in (([], [0, 1]), (["--tta"], [1])):
        out = tmp_path / f"out{len(words)}"
        assert run(source, "--out", out, *words) == 0
        assert labels_in(out / "a.png").unique().tolist() == places


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--threshold", "1.5"], "--threshold must be a probability, 0 to 1, got 1.5"),
        (["--tile", "0"], "tile must be at least 1 pixel, got 0"),
        (["--probabilities", "12"], "invalid choice: 12"),
        (["--tta", "upside"], "invalid choice: 'upside'"),
        (["--alpha", "green"], "alpha must be"),
    ],
)
def test_a_mistake_is_one_line(
    newts: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(picture(tmp_path / "a.png"), "--out", tmp_path / "out", *words)
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_network_for_another_verb_is_refused_by_that_verbs_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "mosaic.safetensors"
    save_network(MosaicUNet(widths=(4, 8)), weights)
    with pytest.raises(SystemExit, match="2"):
        main([str(picture(tmp_path / "a.png")), "--out", str(tmp_path), "--weights", str(weights)])
    assert capsys.readouterr().err.endswith("use lit-restore restore\n")


def test_a_classifier_is_refused(
    use: Use, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use(classifier())
    with pytest.raises(SystemExit, match="2"):
        run(picture(tmp_path / "a.png"), "--out", tmp_path / "out")
    assert "tells the class of a whole picture" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("network", "message"),
    [(Brightest(), "use lit-restore segment"), (classifier(), "use lit-restore predict")],
)
def test_other_verbs_refuse_networks_that_tell_classes(
    network: nn.Module,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = picture(tmp_path / "a.png")
    (tmp_path / "net.safetensors").touch()
    monkeypatch.setattr(restore, "_load", lambda path: network)
    monkeypatch.setattr(inpaint, "_load", lambda path: network)
    monkeypatch.setattr(translate, "load_translator", lambda *words: network)
    for verb, words in ((restore, []), (inpaint, ["--mask-rect", "1,1,3,3"]), (translate, [])):
        with pytest.raises(SystemExit, match="2"):
            verb.main([
                *map(str, (source, "--out", tmp_path / "out", "--weights", "net.safetensors")),
                *words,
            ])  # fmt: skip
        assert message in capsys.readouterr().err
    monkeypatch.setattr("lit_restore.commands._evaluation_open.load", lambda path: network)
    with pytest.raises(UsageError, match=message):
        open_models([str(tmp_path / "net.safetensors")], [1], "auto", "cpu")


def test_names_that_are_no_names_of_classes_are_broken_weights(
    use: Use, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use(Brightest(class_colours=((1, 1, 1),) * 3))
    assert run(picture(tmp_path / "a.png"), "--out", tmp_path / "out") == 3
    assert "different colours" in capsys.readouterr().err
