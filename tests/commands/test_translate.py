"""Tests of lit_restore.commands.translate, of what finds its network, and what measures."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lit_restore.checkpoints import KEY, describe_network, load_network, save_network
from lit_restore.commands import inpaint, restore, translate
from lit_restore.commands.translate import main
from lit_restore.data import matlab_resize
from lit_restore.data.images import read_image, read_pictures, write_image
from lit_restore.inference import Restorer
from lit_restore.metrics import psnr, ssim
from lit_restore.models import DCGANGenerator, MosaicUNet, UNetGenerator

RNG = torch.Generator().manual_seed(0)


def tiny(seed: int = 0, **options: Any) -> UNetGenerator:
    """A translator that changes pictures much."""
    torch.manual_seed(seed)
    chosen: dict[str, Any] = {"widths": (4, 6, 6), "norm": "instance", "dropout_stages": 1}
    network = UNetGenerator(**(chosen | options))
    for parameter in network.parameters():
        parameter.data.mul_(10)
    return network


def save_task(path: Path, networks: Mapping[str, nn.Module], **said: str) -> Path:
    """Write a checkpoint as a task of several networks does."""
    described = {role: describe_network(network) | said for role, network in networks.items()}
    state = {
        f"{role}.{name}": value
        for role, network in networks.items()
        for name, value in network.state_dict().items()
    }
    torch.save({KEY: {"networks": described}, "state_dict": state}, path)
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_network(tiny(), path)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three pictures in a folder, of different sizes."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, size in (("a", (24, 16)), ("b", (15, 30)), ("c", (16, 16))):
        write_image(torch.rand(3, *size, generator=RNG), folder / f"{name}.png")
    return folder


def run(tmp_path: Path, *words: object) -> int:
    options = ("--out", tmp_path / "out", "--device", "cpu")
    return main([str(word) for word in (*words, *options)])


def expected(network: nn.Module, path: Path) -> Tensor:
    """What the file of a picture's translation holds."""
    return (Restorer(network, "cpu")(read_image(path)) * 255 + 0.5).byte()


def test_pictures_of_any_size_are_translated_under_their_names(
    weights: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, photos, "--weights", weights) == 0

    assert capsys.readouterr().out == "translated 3, skipped 0, failed 0\n"
    for name in ("a.png", "b.png", "c.png"):
        found = read_image(tmp_path / "out" / name)
        assert torch.equal(found, expected(tiny(), photos / name))
        assert found.shape == read_image(photos / name).shape
        assert not torch.equal(found, read_image(photos / name))


@pytest.mark.parametrize("direction", ["ab", "ba"])
def test_of_two_directions_the_one_that_is_asked_for_is_taken(
    photos: Path, tmp_path: Path, direction: str
) -> None:
    networks = {"g_ab": tiny(1), "g_ba": tiny(2)}
    path = save_task(tmp_path / "cycle.ckpt", networks)

    assert run(tmp_path, photos / "a.png", "--weights", path, "--direction", direction) == 0

    found = read_image(tmp_path / "out" / "a.png")
    assert torch.equal(found, expected(networks[f"g_{direction}"], photos / "a.png"))


def test_a_network_of_both_directions_has_to_be_told_which(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save_task(tmp_path / "cycle.ckpt", {"g_ab": tiny(1), "g_ba": tiny(2)})

    with pytest.raises(SystemExit, match="2"):
        run(tmp_path, photos, "--weights", path)

    assert "both ways: say --direction ab or --direction ba" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["ckpt", "safetensors"])
def test_a_network_of_one_direction_refuses_the_other(
    photos: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"pix2pix.{kind}"
    if kind == "ckpt":
        save_task(path, {"generator": tiny()}, direction="ba")
    else:
        save_network(tiny(), path, direction="ba")

    with pytest.raises(SystemExit, match="2"):
        run(tmp_path, photos, "--weights", path, "--direction", "ab")
    assert f"{path} translates ba alone, got --direction ab" in capsys.readouterr().err
    for words in ([], ["--direction", "ba"]):
        assert run(tmp_path, photos, "--weights", path, "--overwrite", *words) == 0


def test_a_network_that_says_no_direction_is_taken_at_the_users_word(
    weights: Path, photos: Path, tmp_path: Path
) -> None:
    assert run(tmp_path, photos, "--weights", weights, "--direction", "ba") == 0


@pytest.mark.parametrize(
    ("network", "verb"),
    [(MosaicUNet(widths=(4, 8)), "restore"), (DCGANGenerator(4, size=8, width=4), "generate")],
    ids=["restore", "generate"],
)
def test_a_network_for_another_verb_is_refused_by_that_verbs_name(
    network: nn.Module, verb: str, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_network(network, tmp_path / "other.safetensors")

    with pytest.raises(SystemExit, match="2"):
        run(tmp_path, photos, "--weights", tmp_path / "other.safetensors")

    assert capsys.readouterr().err.endswith(f"use lit-restore {verb}\n")


def test_other_verbs_send_a_translator_here(
    weights: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cycle = save_task(tmp_path / "cycle.ckpt", {"g_ab": tiny(1), "g_ba": tiny(2)})
    for verb, path, message in (
        (restore, weights, "makes pictures of one kind into another: use lit-restore translate"),
        (restore, cycle, "lit-restore translate has --direction for that"),
        (inpaint, weights, "got UNetGenerator, which takes no mask"),
    ):
        words = [photos, "--out", tmp_path / "out", "--weights", path]
        words += ["--mask-rect", "1,1,3,3"] if verb is inpaint else []
        with pytest.raises(SystemExit, match="2"):
            verb.main([str(word) for word in words])
        assert message in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, b"these are no weights"])
def test_missing_or_broken_weights_are_told_in_one_line(
    photos: Path, tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.ckpt"
    if content is not None:
        path.write_bytes(content)

    assert run(tmp_path, photos, "--weights", path, "--direction", "ab") == 3

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"lit-restore translate: {path}: ")


def test_the_longer_side_is_brought_to_size_first_and_transparency_with_it(
    weights: Path, tmp_path: Path
) -> None:
    image = torch.rand(3, 20, 30, generator=RNG)
    write_image(image, tmp_path / "a.png", alpha=image[:1])
    (before,) = read_pictures(tmp_path / "a.png")

    assert run(tmp_path, tmp_path / "a.png", "--weights", weights, "--size", 48) == 0

    (after,) = read_pictures(tmp_path / "out" / "a.png")
    seen = matlab_resize(before.pixels, size=(32, 48))
    made = Restorer(load_network(weights), "cpu")(seen)
    assert torch.equal(after.pixels, (made * 255 + 0.5).byte())
    assert after.alpha is not None
    assert before.alpha is not None
    assert torch.equal(after.alpha, matlab_resize(before.alpha, size=(32, 48)))


def test_the_limit_of_pixels_counts_the_size_that_is_asked_for(
    weights: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (photos / "c.png", "--weights", weights, "--size", 40, "--max-pixels")

    assert run(tmp_path, *words, 1599) == 1
    assert "the result would have 1600 pixels" in capsys.readouterr().err
    assert run(tmp_path, *words, 1600) == 0


def test_a_drawing_becomes_a_coloured_picture_unless_grey_is_asked_for(
    weights: Path, tmp_path: Path
) -> None:
    write_image(torch.rand(1, 16, 16, generator=RNG), tmp_path / "a.png", grey=True)

    assert run(tmp_path, tmp_path / "a.png", "--weights", weights) == 0
    (colour,) = read_pictures(tmp_path / "out" / "a.png")
    words = ("--grey", "keep", "--overwrite")
    assert run(tmp_path, tmp_path / "a.png", "--weights", weights, *words) == 0
    (grey,) = read_pictures(tmp_path / "out" / "a.png")

    assert (colour.grey, grey.grey) == (False, True)
    assert not torch.equal(colour.pixels[0], colour.pixels[1])


def test_a_network_of_one_channel_writes_grey(photos: Path, tmp_path: Path) -> None:
    save_network(tiny(in_channels=1, out_channels=1), tmp_path / "grey.safetensors")

    assert run(tmp_path, photos / "a.png", "--weights", tmp_path / "grey.safetensors") == 0

    assert read_pictures(tmp_path / "out" / "a.png")[0].grey


def test_16_bits_stay_16_bits(weights: Path, tmp_path: Path) -> None:
    image = torch.rand(3, 16, 8, generator=RNG)
    write_image(image, tmp_path / "a.png", bit_depth=16)

    assert run(tmp_path, tmp_path / "a.png", "--weights", weights) == 0

    (found,) = read_pictures(tmp_path / "out" / "a.png")
    made = Restorer(load_network(weights), "cpu")(read_image(tmp_path / "a.png"))
    assert found.bit_depth == 16
    torch.testing.assert_close(found.pixels, made, atol=0.6 / 65535, rtol=0)


def test_noise_is_of_the_seed_alone(photos: Path, tmp_path: Path) -> None:
    save_network(tiny(noise=True), tmp_path / "noisy.safetensors")
    words = (photos, "--weights", tmp_path / "noisy.safetensors", "--overwrite")
    found = []
    for more in (("--seed", 1), ("--seed", 1), ("--seed", 2)):
        torch.manual_seed(len(found))
        run(tmp_path, *words, *more)
        found.append(read_image(tmp_path / "out" / "c.png"))
    run(tmp_path, photos / "c.png", *words[1:], "--seed", 1)

    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    assert torch.equal(found[0], read_image(tmp_path / "out" / "c.png"))


@pytest.fixture
def targets(photos: Path, tmp_path: Path) -> Path:
    """Partners of a.png and c.png, of other formats, and one of nothing."""
    folder = tmp_path / "targets"
    folder.mkdir()
    for name in ("a", "c"):
        size = read_image(photos / f"{name}.png").shape
        write_image(torch.rand(size, generator=RNG), folder / f"{name}.bmp")
    write_image(torch.rand(3, 12, 12, generator=RNG), folder / "lonely.png")
    return folder


def test_outputs_are_compared_with_their_partners_as_they_are_written(
    weights: Path, photos: Path, targets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, photos, "--weights", weights, "--target", targets) == 0

    pairs = [
        [
            read_image(path)[None].double() / 255
            for path in (tmp_path / "out" / f"{x}.png", targets / f"{x}.bmp")
        ]
        for x in ("a", "c")
    ]
    decibels = [float(psnr(*pair)) for pair in pairs]
    likeness = [float(ssim(*pair)) for pair in pairs]
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        "1 output has no partner of the same name",
        f"mean of 2 pairs: PSNR {sum(decibels) / 2:.2f} dB, SSIM {sum(likeness) / 2:.4f}",
        "translated 3, skipped 0, failed 0",
    ]
    assert "FID and KID are left out: they need the weights of Inception" in captured.err

    run(tmp_path, photos, "--weights", weights, "--target", targets, "--json")
    found = json.loads(capsys.readouterr().out)["target"]
    assert [pair["psnr"] for pair in found["pairs"]] == pytest.approx(decibels)
    assert [found["psnr"], found["ssim"]] == pytest.approx([sum(decibels) / 2, sum(likeness) / 2])
    assert (found["without_partner"], found["fid"], found["kid"]) == (1, None, None)


def test_a_pair_of_two_sizes_is_named_and_left_out(
    weights: Path, photos: Path, targets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(torch.rand(3, 16, 24), targets / "a.bmp")

    assert run(tmp_path, photos, "--weights", weights, "--target", targets) == 1

    captured = capsys.readouterr()
    pair = f"{tmp_path / 'out' / 'a.png'} with {targets / 'a.bmp'}"
    assert (
        f"not compared: {pair}: expected pictures of one size, got 24x16 and 16x24" in captured.err
    )
    assert "mean of 1 pair: " in captured.out
    assert captured.out.endswith("translated 3, skipped 0, failed 0\n")


def test_equal_files_are_infinitely_alike_in_words(
    weights: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, photos, "--weights", weights)
    (tmp_path / "out").rename(tmp_path / "earlier")
    capsys.readouterr()

    words = (photos, "--weights", weights, "--target", tmp_path / "earlier", "--json")
    assert run(tmp_path, *words) == 0

    text = capsys.readouterr().out
    assert json.loads(text)["target"]["psnr"] == "inf"
    assert "Infinity" not in text


class Inception:
    """Stands for what measures FID and KID, and remembers what it was given."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seen: dict[bool, list[Tensor]] = {True: [], False: []}

    def update(self, images: Tensor, real: bool) -> None:
        """Remember."""
        self.seen[real] += images

    def compute(self) -> dict[str, Tensor]:
        """Say how many of both were seen."""
        return {"fid": torch.tensor(len(self.seen[True])), "kid": torch.tensor(0.5)}

    def protocol(self) -> str:
        """Say what the figures are of."""
        return f"{len(self.seen[True])} real pictures, {len(self.seen[False])} fakes"


def test_fid_and_kid_compare_all_outputs_with_all_targets(
    weights: Path, photos: Path, targets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    made = Inception(tmp_path)
    monkeypatch.setattr(translate, "load_inception", lambda path: made)

    words = ("--target", targets, "--inception", tmp_path / "inception.pth")
    assert run(tmp_path, photos, "--weights", weights, *words) == 0

    captured = capsys.readouterr()
    assert "FID 3.00, KID 0.50000: 3 real pictures, 3 fakes" in captured.out
    assert "left out" not in captured.err
    for real, folder in ((True, targets), (False, tmp_path / "out")):
        files = sorted(folder.iterdir())
        assert len(files) == len(made.seen[real]) == 3
        for file, image in zip(files, made.seen[real], strict=True):
            torch.testing.assert_close(image, read_image(file) / 255)


def test_missing_weights_of_inception_end_it_before_any_work(
    weights: Path, photos: Path, targets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--target", targets, "--inception", tmp_path / "none.pth")

    assert run(tmp_path, photos, "--weights", weights, *words) == 3

    assert "lit-restore translate: --inception: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("words", "message"), [
    (["--size", "0"], "--size must be at least 1 pixel, got 0"),
    (["--inception", "a.pth"], "--inception measures outputs against the pictures of --target"),
    (["--target", "nowhere"], "--target: nowhere: no such folder"),
    (["--target", "."], "--target: .: no images in this folder"),
    (["--target", "twice"], "have one name: which is meant?"),
    (["--grid", "sheet.gif"], "format must be one of"),
    (["--grid", "photos/a.png"], "--grid: photos/a.png is an input or an output"),
    (["--grid", "out/b.png"], "--grid: out/b.png is an input or an output"),
    (["--direction", "up"], "invalid choice: 'up'"),
])  # fmt: skip
def test_wrong_usage_ends_with_2_before_any_work(
    weights: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, words: list[str], message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "twice").mkdir()
    for name in ("a.png", "a.bmp"):
        write_image(torch.rand(3, 8, 8), tmp_path / "twice" / name)

    with pytest.raises(SystemExit, match="2"):
        run(Path(), "photos", "--weights", weights, *words)

    assert message in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*"))


def test_partners_are_found_in_folders_inside(
    weights: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (photos / "deep", tmp_path / "targets" / "deep"):
        folder.mkdir(parents=True)
        write_image(torch.rand(3, 16, 16, generator=RNG), folder / "d.png")

    words = ("--target", tmp_path / "targets", "--recursive")
    assert run(tmp_path, photos, "--weights", weights, *words) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "3 outputs have no partner of the same name"
    assert lines[1].startswith("mean of 1 pair: ")


@pytest.mark.parametrize("with_target", [False, True])
def test_a_sheet_shows_inputs_and_outputs_side_by_side(
    weights: Path, photos: Path, targets: Path, tmp_path: Path, with_target: bool
) -> None:
    sheet = tmp_path / "new" / "sheet.png"
    words = ("--target", targets) if with_target else ()

    assert run(tmp_path, photos, "--weights", weights, "--grid", sheet, *words) == 0

    shown = read_image(sheet)
    assert shown.shape[-1] == 8 + (3 if with_target else 2) * (30 + 8)
    row = shown[:, 28:52]  # below the titles
    for column, file in enumerate((photos / "a.png", tmp_path / "out" / "a.png")):
        left = 8 + column * 38
        assert torch.equal(row[..., left : left + 16], read_image(file))
    if with_target:
        assert torch.equal(row[..., 84:100], read_image(targets / "a.bmp"))
        assert shown[:, 72:87, 84:].eq(255).all()  # b has no target
    assert [path.name for path in sheet.parent.iterdir()] == ["sheet.png"]


def test_an_existing_sheet_is_replaced_only_when_asked(
    weights: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.png"
    sheet.write_bytes(b"mine")
    words = (photos, "--weights", weights, "--grid", sheet)

    assert run(tmp_path, *words) == 0
    assert sheet.read_bytes() == b"mine"
    assert f"note: {sheet}: exists already" in capsys.readouterr().err
    assert run(tmp_path, *words, "--overwrite") == 0
    assert read_image(sheet).shape[0] == 3


def test_what_failed_is_neither_compared_nor_shown(
    weights: Path, photos: Path, targets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "a.png").write_bytes(b"no picture")
    words = ("--target", targets, "--grid", tmp_path / "sheet.png")

    assert run(tmp_path, photos, "--weights", weights, *words) == 1

    captured = capsys.readouterr()
    assert "mean of 1 pair: " in captured.out
    assert captured.out.endswith("translated 2, skipped 0, failed 1\n")
    assert read_image(tmp_path / "sheet.png").shape[-2] == 8 + 20 + (15 + 28) + (16 + 28)


def test_a_network_of_the_batchs_statistics_sees_one_picture_at_a_time(
    photos: Path, tmp_path: Path
) -> None:
    network = tiny(norm="batch", edge_norms=True, norm_mode="batch")
    save_network(network, tmp_path / "batch.safetensors")

    run(tmp_path, photos, "--weights", tmp_path / "batch.safetensors")

    for name in ("a.png", "c.png"):
        image = read_image(photos / name)[None] / 127.5 - 1
        with torch.no_grad():
            made = network.eval()(image)[0] / 2 + 0.5
        found = read_image(tmp_path / "out" / name) / 255
        torch.testing.assert_close(found, made, atol=0.51 / 255, rtol=0)
