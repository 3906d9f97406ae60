"""Tests of benchmarks.inpainting, its methods and its contact sheet."""

import argparse
import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from benchmarks import __main__ as command
from benchmarks import inpainting
from benchmarks.inpainting import Sample
from benchmarks.inpainting_methods import MEAN, NAVIER_STOKES, TELEA, as_bytes, mean_fill, opencv
from benchmarks.inpainting_sheet import GAP, write_sheet
from lit_restore.checkpoints import save_network
from lit_restore.data import read_image
from lit_restore.models import MosaicUNet, PartialConvUNet

RATIOS = (0.05, 0.15, 0.25, 0.35, 0.45, 0.55)


def _mask(ratio: float, size: int = 20) -> Tensor:
    """Make a mask whose first rows are hole, so many of its pixels."""
    mask = torch.ones(size * size, dtype=torch.bool)
    mask[: round(ratio * size * size)] = False
    return mask.view(1, size, size)


def _sample(level: int, ratio_bin: int) -> Sample:
    picture = torch.full((3, 20, 20), level, dtype=torch.uint8)
    return Sample(picture, _mask(RATIOS[ratio_bin]), ratio_bin)


def _off_by(levels: int) -> inpainting.Method:
    return lambda picture, mask: picture + levels


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like that of the real pictures and masks, with two and four of them."""
    pictures, masks = tmp_path / "natural" / "kodak", tmp_path / "irregular_masks"
    pictures.mkdir(parents=True)
    masks.mkdir()
    for name, level in (("b", 200), ("a", 100)):
        Image.new("RGB", (40, 40), (level, level, level // 2)).save(pictures / f"{name}.png")
    for name, ratio in (("4", 0.05), ("1", 0.15), ("3", 0.25), ("2", 0.55)):
        levels = (~_mask(ratio, 40))[0].numpy().astype(np.uint8) * 255
        Image.fromarray(levels).save(masks / f"{name}.png")
    monkeypatch.setenv("LIT_RESTORE_DATA", str(tmp_path))
    return tmp_path


def test_masks_are_dealt_in_order_and_pictures_come_again(data: Path) -> None:
    samples = inpainting.deal(*inpainting.folders(), size=20)

    assert [int(sample.picture[0, 0, 0]) for sample in samples] == [100, 200, 100, 200]
    assert [sample.ratio_bin for sample in samples] == [1, 5, 2, 0]
    for sample, ratio in zip(samples, (0.15, 0.55, 0.25, 0.05), strict=True):
        assert (sample.picture.shape, sample.mask.shape) == ((3, 20, 20), (1, 20, 20))
        assert (sample.picture.dtype, sample.mask.dtype) == (torch.uint8, torch.bool)
        assert torch.equal(sample.mask, _mask(ratio))


def test_figures_are_means_over_the_holes_of_each_class() -> None:
    samples = [_sample(100, 0), _sample(50, 0), _sample(80, 5)]
    fills = {TELEA: _off_by(10), "ours": _off_by(1)}

    report = inpainting.report("title", samples, fills, "ours")

    found = json.loads(json.dumps(report.plain()))["data"]
    assert found["pictures"] == [2, 0, 0, 0, 0, 1, 3]
    row = found["hole_psnr"]["ours"]
    np.testing.assert_allclose([row[0], row[5], row[6]], 20 * math.log10(255))
    whole = 10 * math.log10(255**2) - np.mean(10 * np.log10([0.05, 0.05, 0.55]))
    np.testing.assert_allclose(found["whole_psnr"]["ours"], whole)
    np.testing.assert_allclose(found["gain_over_telea"][6], 20)
    np.testing.assert_allclose(found["standard_error"][6], 0, atol=1e-12)
    assert "| ours | 48.13 | nan |" in report.text()
    assert "| ours - Telea | +20.00 ± 0.00 | " in report.text()


def test_the_standard_error_is_that_of_paired_differences() -> None:
    samples = [_sample(level, 3) for level in (10, 20, 40)]
    fills = {TELEA: lambda picture, mask: 2 * picture, "ours": _off_by(1)}

    data = inpainting.report("title", samples, fills, "ours").data

    gains = 20 * np.log10([10, 20, 40])
    np.testing.assert_allclose(data["gain_over_telea"][3], gains.mean())
    np.testing.assert_allclose(data["standard_error"][3], gains.std(ddof=1) / 3**0.5)


def test_what_a_method_does_to_valid_pixels_does_not_count() -> None:
    sample = _sample(100, 2)

    def fill(picture: Tensor, mask: Tensor) -> Tensor:
        return torch.where(mask, 0, picture + 1)

    row = inpainting.report("", [sample], {TELEA: fill}, TELEA).data["hole_psnr"][TELEA]

    np.testing.assert_allclose(row[2], 20 * math.log10(255))


def test_the_mean_is_of_valid_pixels_of_each_channel() -> None:
    picture = torch.tensor([[[10, 255, 20]], [[0, 255, 1]], [[30, 0, 30]]], dtype=torch.uint8)

    filled = mean_fill(picture, torch.tensor([[[True, False, True]]]))

    assert filled.dtype == torch.uint8
    assert filled[:, 0, 1].tolist() == [15, 1, 30]
    assert as_bytes(torch.tensor([-1.0, 0.49, 0.5, 254.6, 999])).tolist() == [0, 0, 1, 255, 255]


def test_opencv_fills_holes_from_what_is_around_them_alone() -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed: pip install '.[bench]'")
    picture = torch.full((3, 20, 20), 90, dtype=torch.uint8)
    picture[0] = 40
    mask = torch.ones(1, 20, 20, dtype=torch.bool)
    mask[:, 5:9, 5:9] = False

    for method in (cv2.INPAINT_TELEA, cv2.INPAINT_NS):
        filled = opencv(torch.where(mask, picture, 255), mask, method)
        assert torch.equal(filled, opencv(torch.where(mask, picture, 0), mask, method))
        assert (filled.int() - picture).abs().max() <= 3  # Telea's of a flat picture is not flat


def test_the_sheet_has_a_row_for_each_class_and_four_columns(tmp_path: Path) -> None:
    samples = [_sample(100, 0), _sample(60, 0), _sample(80, 5)]

    write_sheet(tmp_path / "a.png", samples, {"one": _off_by(10), "two": _off_by(20)})

    sheet = read_image(tmp_path / "a.png")
    assert sheet.shape == (3, 2 * 20 + 3 * GAP, 4 * 20 + 5 * GAP)
    assert sheet[0, GAP, GAP :: 20 + GAP].tolist() == [255, 110, 120, 100]
    assert sheet[0, GAP + 19, GAP :: 20 + GAP].tolist() == [100] * 4
    assert sheet[0, -GAP - 1, GAP :: 20 + GAP].tolist() == [80] * 4


def test_the_command_measures_any_network_and_writes_what_it_found(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cv2", reason="OpenCV is not installed: pip install '.[bench]'")
    monkeypatch.setattr(command, "_limit", lambda threads: None)
    weights = tmp_path / "mine.safetensors"
    save_network(PartialConvUNet((4, 4), norm="none"), weights)
    words = ["--weights", weights, "--json", tmp_path / "a.json", "--sheet", tmp_path / "a.png"]

    assert command.main(["inpainting", "--size", "32", *map(str, words)]) == 0

    out = capsys.readouterr().out
    assert "at 32x32" in out
    for name in (MEAN, TELEA, NAVIER_STOKES, "mine", "mine - Telea"):
        assert f"\n  | {name} | " in out
    (report,) = json.loads((tmp_path / "a.json").read_text())["reports"]
    assert report["data"]["pictures"] == [1, 1, 1, 0, 0, 1, 4]
    assert (tmp_path / "a.png").exists()


def test_missing_weights_end_with_3_and_a_line(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cv2", reason="OpenCV is not installed: pip install '.[bench]'")
    monkeypatch.setattr(command, "_limit", lambda threads: None)
    weights = tmp_path / "mine.safetensors"
    for message in ("there is no such file", "takes no mask"):
        assert command.main(["inpainting", "--weights", str(weights)]) == 3
        (line,) = capsys.readouterr().err.splitlines()
        assert message in line
        save_network(MosaicUNet(widths=(4, 8)), weights)


def test_missing_data_end_with_2_unless_all_benchmarks_were_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_limit", lambda threads: None)
    for root in ("", str(tmp_path)):
        monkeypatch.setenv("LIT_RESTORE_DATA", root)
        assert command.main(["inpainting"]) == 2
        message = "LIT_RESTORE_DATA names no folder with natural/kodak and irregular_masks"
        assert capsys.readouterr().err == f"benchmarks: {message}\n"
    options = {"threads": 1, "weights": None, "size": 128, "sheet": None}
    assert list(command._on_pictures("inpainting", argparse.Namespace(names=[], **options))) == []
    assert capsys.readouterr().out == f"\ninpainting is left out: {message}\n"


def test_classic_methods_reach_what_they_are_known_to() -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed: pip install '.[bench]'")
    if not os.environ.get("LIT_RESTORE_DATA"):
        pytest.skip("LIT_RESTORE_DATA names no folder with natural/kodak and irregular_masks")
    samples = inpainting.deal(*inpainting.folders(), inpainting.SIZE)
    fills: dict[str, inpainting.Method] = {
        MEAN: mean_fill,
        TELEA: lambda picture, mask: opencv(picture, mask, cv2.INPAINT_TELEA),
        NAVIER_STOKES: lambda picture, mask: opencv(picture, mask, cv2.INPAINT_NS),
    }

    data = inpainting.report("", samples, fills, TELEA).data

    assert data["pictures"] == [20] * 6 + [120]
    for name, expected in {
        MEAN: [15.7, 16.4, 15.5, 15.7, 15.9, 15.1],
        TELEA: [22.4, 21.4, 19.7, 19.3, 18.7, 16.9],
        NAVIER_STOKES: [22.7, 21.5, 19.7, 19.2, 18.6, 16.9],
    }.items():
        np.testing.assert_allclose(data["hole_psnr"][name][:6], expected, atol=0.051)
