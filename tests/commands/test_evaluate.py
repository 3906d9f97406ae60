"""Tests of lit_restore.commands.evaluate and of the modules that it is made of.

Figures are computed anew by scikit-image. The last tests read the folder that LIT_RESTORE_DATA
names.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor, nn

import lit_restore.atomic
import lit_restore.weights
from lit_restore.checkpoints import save_network
from lit_restore.commands import _evaluation_open
from lit_restore.commands.evaluate import main
from lit_restore.data import DeadLeaves, matlab_resize, read_image, write_image
from lit_restore.interop.torch_name_maps import FSRCNN_YJN870
from lit_restore.metrics import PROTOCOLS
from lit_restore.models import FSRCNN, SRCNN, VDSR, SRResNet

NAMES = ("ant", "bee", "cow")
SIZES = ((36, 40), (48, 36), (40, 52))  # multiples of 4


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three generated pictures; the last is a grey file."""
    folder = tmp_path / "large"
    folder.mkdir()
    generator = torch.Generator().manual_seed(5)
    for name, (height, width) in zip(NAMES, SIZES, strict=True):
        image = DeadLeaves(64)(generator)[:, :height, :width]
        write_image(image, folder / f"{name}.png", grey=name == "cow")
    return folder


@pytest.fixture
def low(data: Path, tmp_path: Path) -> Path:
    """Their small pictures at x2, by MATLAB's bicubic."""
    folder = tmp_path / "small2"
    folder.mkdir()
    for path in data.iterdir():
        small = matlab_resize(read_image(path), Fraction(1, 2))
        write_image(small, folder / path.name, grey=path.stem == "cow")
    return folder


@pytest.fixture
def fsrcnn(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = FSRCNN(2, width=4, mapping_width=2, depth=1)
    nn.init.normal_(network.enlarge.weight, std=0.05)
    nn.init.constant_(network.enlarge.bias, 0.4)
    save_network(network, tmp_path / "fsrcnn_x2.safetensors")
    return tmp_path / "fsrcnn_x2.safetensors"


def _run(tmp_path: Path, *words: object, code: int = 0) -> list[dict[str, Any]]:
    """Run the verb and read its rows."""
    path = tmp_path / "rows.json"
    assert main([*map(str, words), "--json", str(path), "--device", "cpu"]) == code
    return json.loads(path.read_text())


def _refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    with pytest.raises(SystemExit, match="2"):
        main([str(word) for word in words])
    return capsys.readouterr().err


def _array(path: Path) -> np.ndarray:
    """Shape (H, W, 3) or (H, W), in 0 .. 255."""
    with Image.open(path) as picture:
        return np.asarray(picture).astype(np.float64)


def _y(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.ndim == 2 else rgb2ycbcr(pixels / 255)[..., 0]


def _figures(prediction: np.ndarray, target: np.ndarray, crop: int) -> tuple[float, float]:
    inner = slice(crop, -crop)
    one, other = target[inner, inner], prediction[inner, inner]
    similarity = structural_similarity(
        one, other, data_range=255, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, channel_axis=-1 if one.ndim == 3 else None,
    )  # fmt: skip
    return peak_signal_noise_ratio(one, other, data_range=255), similarity


def _repeated(pixels: np.ndarray, scale: int) -> np.ndarray:
    return pixels.repeat(scale, 0).repeat(scale, 1)


def test_luma_figures_are_scikit_image_s_and_grey_files_stay_grey(
    data: Path, low: Path, tmp_path: Path
) -> None:
    (row,) = _run(tmp_path, "nearest", "--data", data, "--scale", 2, "--lr", low)

    expected = [
        _figures(_y(_repeated(_array(low / f"{name}.png"), 2)), _y(_array(data / f"{name}.png")), 2)
        for name in NAMES
    ]
    assert row["psnr"] == pytest.approx(np.mean(expected, axis=0)[0], abs=1e-4)
    assert row["ssim"] == pytest.approx(np.mean(expected, axis=0)[1], abs=1e-5)
    assert [one["name"] for one in row["pictures"]] == [f"{name}.png" for name in NAMES]
    found = [[one["psnr"], one["ssim"]] for one in row["pictures"]]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    named = {"model": "nearest", "scale": 2, "protocol": "y", "images": 3}
    assert named.items() <= row.items()


def test_rgb_figures_are_scikit_image_s(data: Path, low: Path, tmp_path: Path) -> None:
    options = ("--data", data, "--scale", 2, "--lr", low, "--protocol", "rgb")
    (row,) = _run(tmp_path, "nearest", *options)

    for name, found in zip(NAMES[:2], row["pictures"], strict=False):
        expected = _figures(
            _repeated(_array(low / f"{name}.png"), 2), _array(data / f"{name}.png"), 2
        )
        assert (found["psnr"], found["ssim"]) == pytest.approx(expected, abs=1e-4)


def test_the_notes_figures_are_scikit_image_s_of_bytes(data: Path, tmp_path: Path) -> None:
    options = ("--data", data, "--scale", 2, 4, "--protocol", "notes")
    rows = _run(tmp_path, "nearest", *options)

    assert [row["scale"] for row in rows] == [2, 4]
    for name, found in zip(NAMES[:2], rows[0]["pictures"], strict=False):
        target = _array(data / f"{name}.png").astype(np.uint8)
        height, width = target.shape[:2]
        means = target.reshape(height // 2, 2, width // 2, 2, 3).mean((1, 3))  # OpenCV's, at 1/2
        back = _repeated(np.floor(means + 0.5), 2).astype(np.uint8)
        expected = (
            peak_signal_noise_ratio(target, back),
            structural_similarity(target, back, channel_axis=-1),
        )
        assert (found["psnr"], found["ssim"]) == pytest.approx(expected, abs=1e-4)


def test_the_paper_s_bicubic_is_of_rounded_luma(data: Path, tmp_path: Path) -> None:
    (row,) = _run(tmp_path, "bicubic", "--data", data, "--scale", 3, "--protocol", "paper")

    for name, found in zip(NAMES, row["pictures"], strict=True):
        y8 = np.floor(_y(_array(data / f"{name}.png")) + 0.5)
        y8 = y8[: y8.shape[0] // 3 * 3, : y8.shape[1] // 3 * 3]
        back = matlab_resize(matlab_resize(torch.from_numpy(y8)[None], Fraction(1, 3)), 3)[0]
        expected = _figures(np.floor(back.numpy() + 0.5).clip(0, 255), y8, 3)
        assert (found["psnr"], found["ssim"]) == pytest.approx(expected, abs=1e-4)


@torch.no_grad()
def test_a_luma_network_is_given_unrounded_luma_and_measured_unrounded(
    data: Path, low: Path, fsrcnn: Path, tmp_path: Path
) -> None:
    (row,) = _run(tmp_path, fsrcnn, "--data", data, "--scale", 2, "--lr", low)

    network = FSRCNN(2, width=4, mapping_width=2, depth=1)
    network.load_state_dict(_state(fsrcnn))
    for name, found in zip(NAMES, row["pictures"], strict=True):
        small = torch.from_numpy(_y(_array(low / f"{name}.png")) / 255).float()
        made = network(small[None, None])[0, 0].double().numpy().clip(0, 1) * 255
        expected = _figures(made, _y(_array(data / f"{name}.png")), 2)
        assert (found["psnr"], found["ssim"]) == pytest.approx(expected, abs=1e-4)
    assert row["model"] == "fsrcnn_x2.safetensors"
    assert row["enlarge"] is None


@torch.no_grad()
@pytest.mark.parametrize("library", ["matlab", "pillow"])
def test_an_enlarged_input_is_one_of_bytes_in_rgb(
    data: Path, low: Path, tmp_path: Path, library: str
) -> None:
    torch.manual_seed(1)
    network = VDSR(width=4, depth=3)
    save_network(network, tmp_path / "vdsr.safetensors")
    options = ("--data", data, "--scale", 2, "--lr", low, "--enlarge", library)

    (row,) = _run(tmp_path, tmp_path / "vdsr.safetensors", *options)

    for name, found in zip(NAMES[:2], row["pictures"], strict=False):
        with Image.open(low / f"{name}.png") as picture:
            size = (picture.width * 2, picture.height * 2)
            by_pillow = np.asarray(picture.resize(size, Image.Resampling.BICUBIC))
        by_matlab = matlab_resize(read_image(low / f"{name}.png"), 2).permute(1, 2, 0).numpy()
        enlarged = {"pillow": by_pillow, "matlab": by_matlab}[library]
        image = torch.from_numpy(_y(enlarged.astype(np.float64)) / 255).float()
        made = network(image[None, None])[0, 0].double().numpy().clip(0, 1) * 255
        expected = _figures(made, _y(_array(data / f"{name}.png")), 2)
        assert (found["psnr"], found["ssim"]) == pytest.approx(expected, abs=1e-4)
    assert row["enlarge"] == library


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_kind_of_network_is_measured_by_every_protocol(
    data: Path, fsrcnn: Path, tmp_path: Path, protocol: str
) -> None:
    torch.manual_seed(0)
    networks = {
        "srresnet": SRResNet(width=4, depth=1, scale=2, output="tanh"),
        "valid": SRCNN(1, (4, 4), padding="valid", enlarged_by=2),
        "rgb": SRCNN(3, (4, 4)),
    }
    for name, network in networks.items():
        save_network(network, tmp_path / f"{name}.safetensors")
    files = [fsrcnn, *(tmp_path / f"{name}.safetensors" for name in networks)]

    rows = _run(tmp_path, "bilinear", *files, "--data", data, "--scale", 2, "--protocol", protocol)

    assert [row["images"] for row in rows] == [3] * 5
    assert all(3 < row["psnr"] < 60 and -1 < row["ssim"] <= 1 for row in rows)
    assert {row["protocol"] for row in rows} == {protocol}
    assert len({row["weights_sha256"] for row in rows}) == 5


def test_what_is_made_small_here_equals_the_files(data: Path, low: Path, tmp_path: Path) -> None:
    made = _run(tmp_path, "bicubic", "--data", data, "--scale", 2)
    given = _run(tmp_path, "bicubic", "--data", data, "--scale", 2, "--lr", low)

    assert made == given


def test_rows_are_the_same_wherever_the_files_lie(data: Path, fsrcnn: Path, tmp_path: Path) -> None:
    before = _run(tmp_path, "bicubic", fsrcnn, "--data", data, "--scale", 2)
    other = tmp_path / "elsewhere"
    shutil.copytree(data, other)
    for path in other.glob("*.png"):
        with Image.open(path) as picture:
            picture.save(path.with_suffix(".bmp"))
        path.unlink()
    moved = fsrcnn.rename(other / fsrcnn.name)

    after = _run(tmp_path, "bicubic", moved, "--data", other, "--scale", 2)

    for row in (*before, *after):
        row.pop("pictures")
    assert before == after
    assert all(len(row["data_sha256"]) == len(row["lr_sha256"]) == 64 for row in before)
    assert str(tmp_path) not in json.dumps(before)


def test_models_are_measured_at_the_scales_that_they_are_for(
    data: Path, fsrcnn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = _run(tmp_path, fsrcnn, "nearest", "--data", data, "--scale", 4, 2)

    found = [(row["model"], row["scale"]) for row in rows]
    assert found == [("fsrcnn_x2.safetensors", 2), ("nearest", 4), ("nearest", 2)]
    error = _refused(capsys, fsrcnn, "--data", data, "--scale", 3, 4)
    assert "fsrcnn_x2.safetensors: this FSRCNN enlarges by 2, got a scale of 4" in error


def test_a_third_party_s_file_is_measured_through_its_name_map(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = FSRCNN(2)
    theirs = {ours: name for name, ours in FSRCNN_YJN870.items()}
    arrays = {}
    for key, value in network.state_dict().items():
        module, _, leaf = key.rpartition(".")
        arrays[f"{theirs[module]}.{leaf}"] = value
    torch.save(arrays, tmp_path / "fsrcnn_x2.pth")
    shutil.copy(tmp_path / "fsrcnn_x2.pth", tmp_path / "best.pth")
    save_network(network, tmp_path / "own.safetensors")
    files = (f"fsrcnn={tmp_path / 'fsrcnn_x2.pth'}", f"fsrcnn={tmp_path / 'best.pth'}")

    rows = _run(tmp_path, *files, tmp_path / "own.safetensors", "--data", data, "--scale", 2)

    names = [row["model"] for row in rows]
    assert names == ["fsrcnn=fsrcnn_x2.pth", "fsrcnn=best.pth", "own.safetensors"]
    assert len({(row["psnr"], row["ssim"]) for row in rows}) == 1
    assert main([files[1], "--data", str(data), "--scale", "2", "3"]) == 3  # whose scale is it?
    assert "factor of enlargement" in capsys.readouterr().err


def test_missing_partners_are_named(
    data: Path, low: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("nearest", "--data", data, "--scale", 2, "--lr", low)
    (low / "bee.png").rename(low / "bees.png")

    assert f"{low} has no small picture for bee.png" in _refused(capsys, *options)
    (data / "bee.png").unlink()
    assert f"{data} has no large picture for bees.png" in _refused(capsys, *options)


def test_small_pictures_may_carry_their_scale(data: Path, low: Path, tmp_path: Path) -> None:
    for path in low.iterdir():
        path.rename(low / f"{path.stem}x2.png")
    words = ("nearest", "--data", data, "--scale", 2, "--lr", tmp_path / "small{scale}")

    assert _run(tmp_path, *words)[0]["images"] == 3


def test_broken_pictures_are_left_out_of_all_rows_and_told(
    data: Path, low: Path, fsrcnn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.move(data, tmp_path / "Set5")
    folder = tmp_path / "Set5"
    (folder / "ant.png").write_bytes(b"no picture")
    write_image(torch.rand(3, 5, 5), low / "bee.png")

    options = ("--data", folder, "--scale", 2, "--lr", low)
    rows = _run(tmp_path, "bicubic", fsrcnn, *options, code=1)

    assert [row["images"] for row in rows] == [1, 1]
    assert [row["paper_psnr"] for row in rows] == [None, None]  # it is not Set5 any more
    captured = capsys.readouterr()
    first, second = captured.err.splitlines()
    assert first.startswith(f"failed: {folder / 'ant.png'}: not an image")
    assert second.startswith(f"failed: {low / 'bee.png'} must be 18x24 pixels large, as bee.png")
    assert "| bicubic | x2 |" in captured.out


def test_where_nothing_can_be_measured_nothing_is_written(
    data: Path, fsrcnn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tensors = _state(fsrcnn)
    network = FSRCNN(2, width=4, mapping_width=2, depth=1)
    network.load_state_dict({name: value * float("nan") for name, value in tensors.items()})
    save_network(network, fsrcnn)
    path = tmp_path / "rows.json"

    assert main(["--data", str(data), str(fsrcnn), "--scale", "2", "--json", str(path)]) == 1

    captured = capsys.readouterr()
    assert captured.err.count("fsrcnn_x2.safetensors makes NaN of it\n") == 3
    assert captured.err.endswith("no picture could be measured\n")
    assert captured.out == ""
    assert not path.exists()


def test_the_paper_s_row_stands_beside_with_its_difference(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.move(data, tmp_path / "Set5" / "HR")
    options = ("--data", tmp_path / "Set5" / "HR", "--scale", 2)
    (row,) = _run(tmp_path, "bicubic", *options, "--protocol", "paper")

    assert (row["data"], row["paper_psnr"], row["paper_ssim"]) == ("Set5", 33.66, 0.9299)
    assert row["psnr_difference"] == pytest.approx(row["psnr"] - 33.66, abs=1e-4)
    out = capsys.readouterr().out
    assert out.startswith("Set5 (known by its folder's name): 3 images, sha256 ")
    header, line = (
        [cell.strip() for cell in text.split("|")] for text in out.splitlines() if "|" in text[:3]
        and "---" not in text
    )  # fmt: skip
    cells = dict(zip(header, line, strict=True))
    assert cells["paper's PSNR"] == "33.66"
    assert cells["PSNR"] == f"{row['psnr']:.2f}"
    assert cells["PSNR - paper's"] == f"{round(row['psnr'], 2) - 33.66:+.2f}"
    assert cells["SSIM - paper's"] == f"{round(row['ssim'], 4) - 0.9299:+.4f}"

    (other,) = _run(tmp_path, "bicubic", *options, "--protocol", "y")
    assert other["paper_psnr"] is None  # the published row is none of this protocol's


def test_csv_has_the_rows_of_json(data: Path, fsrcnn: Path, tmp_path: Path) -> None:
    options = ("--data", data, "--scale", 2, "--csv", tmp_path / "new" / "rows.csv")
    rows = _run(tmp_path, "nearest", fsrcnn, *options)

    with (tmp_path / "new" / "rows.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == 2
    for one, other in zip(found, rows, strict=True):
        other.pop("pictures")
        assert one == {key: "" if value is None else str(value) for key, value in other.items()}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["rows.csv"]


def test_an_earlier_table_of_the_same_protocol_stands_beside(
    data: Path, fsrcnn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--data", data, "--scale", 2)
    earlier = _run(tmp_path, "nearest", fsrcnn, *options)
    (tmp_path / "rows.json").rename(tmp_path / "earlier.json")
    capsys.readouterr()
    network = FSRCNN(2, width=4, mapping_width=2, depth=1)
    save_network(network, fsrcnn)

    rows = _run(tmp_path, fsrcnn, *options, "--compare", tmp_path / "earlier.json")

    header, _, new, old = capsys.readouterr().out.splitlines()[-4:]
    names = [cell.strip() for cell in header.split("|")]
    cells = dict(zip(names, (cell.strip() for cell in new.split("|")), strict=True))
    assert cells["earlier PSNR"] == f"{earlier[1]['psnr']:.2f}"
    change = rows[0]["psnr"] - earlier[1]["psnr"]
    assert float(cells["PSNR - earlier"]) == pytest.approx(change, abs=0.006)
    assert old.startswith("| nearest (earlier) | x2 |")


def test_figures_that_cannot_be_compared_are_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = tmp_path / "earlier.json"
    _run(tmp_path, "bicubic", "--data", data, "--scale", 2, "--protocol", "paper")
    (tmp_path / "rows.json").rename(earlier)
    options = ("bicubic", "--data", data, "--compare", earlier, "--scale")

    error = _refused(capsys, *options, 2, "--protocol", "y", "--json", tmp_path / "new.json")
    assert "cannot compare psnr by protocol 'paper', x2 with psnr by protocol 'y', x2" in error
    assert "protocol 'paper', x3" in _refused(capsys, *options, 3, "--protocol", "paper")
    write_image(torch.rand(3, 30, 30), data / "ant.png")
    error = _refused(capsys, *options, 2, "--protocol", "paper", "--json", tmp_path / "new.json")
    assert "cannot compare figures of other pictures: expected sha256" in error
    assert not (tmp_path / "new.json").exists()
    error = _refused(capsys, *options, 2, "--protocol", "paper", "--protocol", "y")
    assert "figures of different protocols cannot be compared, got paper, y" in error


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '[{"model": "bicubic"}]',
        "[1]",
        "[" * 100_000,
        '[{"protocol": "y", "scale": Infinity}]',
    ],
)
def test_an_earlier_table_must_be_one(
    data: Path, tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "earlier.json"
    path.write_text(content)

    error = _refused(capsys, "bicubic", "--data", data, "--scale", 2, "--compare", path)

    assert f"--compare: {path}: " in error


def test_crops_show_what_each_model_makes_of_one_place(
    data: Path, fsrcnn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "pictures" / "crops.png"
    options = ("--data", data, "--scale", 2, 4, "--crops", path, "--crop-of", "bee")

    _run(tmp_path, "nearest", fsrcnn, *options, "--crop-box", "4,8,24,20")

    sheet = read_image(path)
    times, step = 12, (24 * 12 + 8, 20 * 12 + 48)
    assert sheet.shape == (3, 2 * step[1] + 8, 3 * step[0] + 8)
    crop = read_image(data / "bee.png")[:, 8:28, 4:28]
    large = crop.repeat_interleave(times, 1).repeat_interleave(times, 2)

    def cell(line: int, column: int) -> Tensor:
        top, left = 8 + line * step[1], 8 + column * step[0]
        return sheet[:, top : top + 20 * times, left : left + 24 * times]

    assert torch.equal(cell(0, 2), large)
    assert torch.equal(cell(1, 1), large)  # FSRCNN is none of x4
    small = matlab_resize(read_image(data / "bee.png"), Fraction(1, 2))
    repeated = small.repeat_interleave(2, 1).repeat_interleave(2, 2)[:, 8:28, 4:28]
    expected = repeated.repeat_interleave(times, 1).repeat_interleave(times, 2)
    assert torch.equal(cell(0, 0), expected)
    assert not torch.equal(cell(0, 1), cell(0, 0))
    assert sheet[:, 8 + 20 * times : step[1], 8:].lt(128).any()  # figures are written below

    assert "--crop-box must lie in bee.png, 36x48 pixels, got 4,8,24,41" in _refused(
        capsys, "nearest", *options, "--crop-box", "4,8,24,41"
    )


@pytest.mark.parametrize(("words", "message"), [
    (["--crop-of", "dog"], "--crops FILE"),
    (["--crop-of", "dog", "--crops", "a.png"], "there is no picture 'dog'"),
    (["--crop-box", "1,2,3", "--crops", "a.png"], "a box is X,Y,WIDTH,HEIGHT in pixels"),
    (["--crops", "a.gif"], "format must be one of"),
    (["--scale", "1"], "--scale must be at least 2, got 1"),
    (["--protocol", "paper", "--lr", "small2"], "protocol y reads files"),
    (["--scale", "2", "3", "--lr", "small2"], "write {scale} for each"),
    (["--lr", "nowhere"], "--lr: nowhere: no such folder"),
    (["--data", "nowhere"], "--data: nowhere: no such folder"),
    (["--json", "."], "is a folder"),
    (["bicubik"], "there is no model 'bicubik'. Did you mean 'bicubic'?"),
    (["sharp=fsrcnn_x2.safetensors"], "a third party's file is fsrcnn or srcnn or vdsr"),
])  # fmt: skip
def test_wrong_usage_ends_with_2(
    data: Path, low: Path, fsrcnn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    words: list[str], message: str, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    models = words if not words[0].startswith("-") else ["nearest", *words]
    asked = [] if "--scale" in words else ["--scale", "2"]
    defaults = ["--data", str(data)] if "--data" not in words else []

    error = _refused(capsys, *models, *defaults, *asked)

    if "--crops" not in words and "--crop-of" in words:
        message = "--crop-of and --crop-box belong to --crops"
    assert message in error


@pytest.mark.parametrize(
    "word", ["gone.safetensors", "bad.ckpt", "vdsr=gone.pth", "fsrcnn=bad.pth"]
)
def test_missing_or_broken_weights_end_with_3(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.ckpt").write_bytes(b"bad")
    (tmp_path / "bad.pth").write_bytes(b"bad")

    assert main([word, "--data", str(data), "--scale", "2"]) == 3

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"lit-restore evaluate: {word.rpartition('=')[2]}: ")


def test_shipped_weights_are_found_by_their_name_and_family(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_network(SRResNet(width=4, depth=1), tmp_path / "srgan_x4.safetensors")
    file = tmp_path / "srgan_x4.safetensors"
    shutil.move(data, tmp_path / "Set14")
    monkeypatch.setattr(lit_restore.weights, "shipped", lambda: {"srgan_x4": None})
    monkeypatch.setattr(lit_restore.weights, "weights_path", lambda name: file)

    rows = _run(tmp_path, "srgan_x4", file, "--data", tmp_path / "Set14", "--scale", 4)

    assert [row["model"] for row in rows] == ["srgan_x4", "srgan_x4.safetensors"]
    assert [row["paper_psnr"] for row in rows] == [26.02, 26.02]


@pytest.mark.parametrize(
    ("name", "network", "family"),
    [
        ("best.ckpt", SRResNet(width=4, depth=1), "srresnet"),
        ("srgan-best.ckpt", SRResNet(width=4, depth=1), "srgan"),
        ("espcn_was_better.ckpt", FSRCNN(width=4), "fsrcnn"),
        ("srcnn.safetensors", nn.Identity(), "srcnn"),  # as a converted model's class says nothing
        ("mine.safetensors", nn.Identity(), "identity"),
    ],
)
def test_the_class_tells_whose_figures_stand_beside(
    name: str, network: nn.Module, family: str
) -> None:
    assert _evaluation_open._family(name, network) == family


def test_files_of_one_name_are_told_apart(data: Path, fsrcnn: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / fsrcnn.name
    other.parent.mkdir()
    save_network(FSRCNN(2, width=4, mapping_width=2, depth=1), other)

    rows = _run(tmp_path, fsrcnn, other, "nearest", fsrcnn, "--data", data, "--scale", 2)

    assert [row["model"] for row in rows] == [str(fsrcnn), str(other), "nearest"]
    assert rows[0]["weights_sha256"] != rows[1]["weights_sha256"]


def test_no_output_takes_the_place_of_an_input_or_of_another_output(
    data: Path, fsrcnn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = (fsrcnn, "--data", data, "--scale", 2)
    before = (data / "ant.png").read_bytes(), fsrcnn.read_bytes()
    os.mkfifo(tmp_path / "pipe")

    for words in (
        ("--crops", data / "ant.png"),
        ("--json", fsrcnn),
        ("--json", tmp_path / "rows", "--csv", tmp_path / "large" / ".." / "rows"),
    ):
        assert "is an input, or another output" in _refused(capsys, *options, *words)
    assert "is a device or the like" in _refused(capsys, *options, "--csv", tmp_path / "pipe")
    assert before == ((data / "ant.png").read_bytes(), fsrcnn.read_bytes())


def test_a_folder_that_cannot_be_written_to_is_told_before_the_work(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path / "closed")
    options = ("nearest", "--data", data, "--scale", 2, "--json")

    error = _refused(capsys, *options, tmp_path / "closed" / "rows.json")

    assert "its folder cannot be written to" in error


def test_figures_are_printed_even_if_their_file_cannot_be_written(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lit_restore.atomic, "replace_file", full)
    options = ("nearest", "--data", data, "--scale", 2, "--json", tmp_path / "rows.json")
    with pytest.raises(SystemExit, match="2"):
        main([str(word) for word in options])

    captured = capsys.readouterr()
    assert "No space left on device" in captured.err
    assert "| nearest | x2 |" in captured.out


def test_equal_pictures_are_infinite_in_all_files(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in data.iterdir():
        write_image(torch.full((3, 24, 24), 100, dtype=torch.uint8), path)

    (row,) = _run(tmp_path, "nearest", "--data", data, "--scale", 2)

    assert (row["psnr"], row["ssim"]) == ("inf", 1.0)
    out = capsys.readouterr().out
    assert "| nearest | x2 | inf | 1.0000 |" in out
    _run(tmp_path, "nearest", "--data", data, "--scale", 2, "--compare", tmp_path / "rows.json")
    assert "nan" not in capsys.readouterr().out


def test_help_is_there_without_torch() -> None:
    code = (
        "import sys, lit_restore.commands.evaluate as verb\n"
        "try:\n    verb.main(['--help'])\nexcept SystemExit as stop:\n    assert stop.code == 0\n"
        "assert 'torch' not in sys.modules and 'PIL' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def _state(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return load_file(path)


@pytest.fixture(scope="module")
def shared() -> Path:
    root = os.environ.get("LIT_RESTORE_DATA")
    if not root or not Path(root, "sr", "Set14").is_dir():
        pytest.skip("LIT_RESTORE_DATA names no folder with sr/Set5 and sr/Set14")
    return Path(root)


@pytest.mark.parametrize(("name", "psnr", "ssim"), [
    ("Set5", (33.66, 30.39, 28.42), (0.9299, 0.8682, 0.8104)),
    ("Set14", (30.23, 27.54, 26.00), (0.8687, 0.7736, 0.7019)),
])  # fmt: skip
def test_the_published_bicubic_rows_are_reproduced(
    shared: Path, tmp_path: Path, name: str, psnr: tuple[float, ...], ssim: tuple[float, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = tmp_path / "pictures"  # whose name says nothing
    folder.symlink_to(shared / "sr" / name / "HR")

    rows = _run(tmp_path, "bicubic", "--data", folder, "--scale", 2, 3, 4, "--protocol", "paper")

    assert [row["psnr"] for row in rows] == pytest.approx(psnr, abs=0.01)
    assert [row["ssim"] for row in rows] == pytest.approx(ssim, abs=0.0005)
    assert [row["paper_psnr"] for row in rows] == list(psnr)
    assert capsys.readouterr().out.startswith(f"{name} (known by its pictures): ")


@pytest.mark.parametrize(("model", "psnr"), [
    ("fsrcnn=fsrcnn_yjn870/fsrcnn_x2.pth", {2: 37.1407}),
    ("fsrcnn=fsrcnn_yjn870/fsrcnn_x4.pth", {4: 30.5148}),
    ("vdsr=vdsr_twtygqyy/model_epoch_50.state_dict.pth", {3: 33.7223}),
])  # fmt: skip
def test_third_parties_weights_have_their_figures(
    shared: Path, tmp_path: Path, model: str, psnr: dict[int, float]
) -> None:
    kind, _, file = model.partition("=")
    word = f"{kind}={shared / 'weights' / 'torch' / file}"
    folder = shared / "sr" / "Set5"
    options = ("--data", folder / "HR", "--lr", folder / "LRx{scale}", "--scale", *psnr)

    rows = _run(tmp_path, word, *options)

    assert {row["scale"]: row["psnr"] for row in rows} == pytest.approx(psnr, abs=1e-3)
