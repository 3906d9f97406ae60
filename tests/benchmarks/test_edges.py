"""Tests of benchmarks.edges, its methods and its contact sheet."""

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
from benchmarks import edges, edges_methods
from benchmarks.edges import Pair, measure, read_pairs
from benchmarks.edges_methods import CANNY, CONSTANT, SOBEL, THIN_SOBEL, WIDE_CANNY, Way
from benchmarks.edges_sheet import GAP, write_sheet
from benchmarks.inpainting import MissingDataError
from lit_restore.checkpoints import save_network
from lit_restore.data import read_image
from lit_restore.models import ESPCN, MosaicUNet, PartialConvUNet

NEEDS_CV2 = "OpenCV is not installed: pip install '.[bench]'"
SIZE = (32, 40)


def _pair(column: int) -> Pair:
    """A photograph that is dark to the left of a drawn line."""
    drawn = torch.zeros(1, *SIZE, dtype=torch.bool)
    drawn[..., column] = True
    photo = torch.full((3, *SIZE), 40, dtype=torch.uint8)
    photo[..., column:] = 200
    return Pair(photo, drawn)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like that of the real pairs; 3 of 5 tune, and of the last the drawing stands."""
    monkeypatch.setattr(edges, "TUNED", 3)
    monkeypatch.setattr(edges_methods, "BLURS", (1.0,))
    monkeypatch.setattr(edges_methods, "HIGHS", (60,))
    root = tmp_path / "edges2photo_bsds" / "train"
    for side in ("A_edges", "B_photo"):
        (root / side).mkdir(parents=True)
    for number, column in enumerate((8, 12, 16, 20, 24)):
        pair = _pair(column)
        drawn = pair.drawn[0].numpy().astype(np.uint8) * 255
        drawn = np.rot90(drawn, 1) if number == 4 else drawn
        Image.fromarray(drawn).save(root / "A_edges" / f"{number}.png")
        photo = pair.photo.permute(1, 2, 0).numpy()
        Image.fromarray(photo).save(root / "B_photo" / f"{number}.png")
    monkeypatch.setenv("LIT_RESTORE_DATA", str(tmp_path))
    monkeypatch.setattr(command, "_limit", lambda threads: None)
    return root


def test_drawings_that_stand_are_laid_on_their_photographs(data: Path) -> None:
    for pair, column in zip(read_pairs(edges.folder()), (8, 12, 16, 20, 24), strict=True):
        assert torch.equal(pair.photo, _pair(column).photo)
        assert torch.equal(pair.drawn, _pair(column).drawn)


def test_pairs_that_do_not_fit_are_refused(data: Path) -> None:
    Image.new("L", (9, 9)).save(data / "A_edges" / "2.png")
    with pytest.raises(MissingDataError, match=r"2\.png and .*2\.png must be of one size"):
        read_pairs(data)
    for number in (2, 3):
        (data / "A_edges" / f"{number}.png").unlink()
        with pytest.raises(MissingDataError, match="must hold the same names"):
            read_pairs(data)
        (data / "B_photo" / f"{number}.png").unlink()
    with pytest.raises(MissingDataError, match="expected more than 3 pairs, got 3"):
        read_pairs(data)


def _off_by(shift: int, level: float = 1.0) -> Way:
    def strength(photo: Tensor) -> Tensor:
        line = (photo[:1, :, 1:] != photo[:1, :, :-1]).float()
        return level * torch.nn.functional.pad(line, (1 + shift, -shift))

    return Way(f"{shift}", strength, [0.2, 0.5])


def test_the_first_pairs_choose_setting_and_threshold_and_the_others_test() -> None:
    pairs = [_pair(column) for column in (8, 12, 16)]
    ways = {"lines": [_off_by(3), _off_by(2, level=0.3), _off_by(0, level=0.1)]}
    found = measure(pairs, ways, tuned=2)["lines"]
    assert (found.way.setting, found.tuned.threshold) == ("2", 0.2)
    assert (found.tuned.f, found.tested.f) == (1, 1)
    assert found.psnr == pytest.approx(10 * math.log10(40 / 2))


def test_what_the_others_would_like_best_does_not_count() -> None:
    blank = Pair(torch.zeros(3, *SIZE, dtype=torch.uint8), torch.zeros(1, *SIZE, dtype=torch.bool))
    silent = Way("silent", lambda photo: torch.zeros(1, *SIZE))
    everything = Way("everything", lambda photo: torch.ones(1, *SIZE))
    found = measure([_pair(8), blank], {"": [silent, everything]}, tuned=1)[""]
    assert found.way is everything
    assert (found.tested.precision, found.tested.recall) == (0, 1)


def test_canny_and_sobel_find_the_border_of_dark_and_bright() -> None:
    pytest.importorskip("cv2", reason=NEEDS_CV2)
    photo = _pair(20).photo
    thin, wide = (edges_methods.canny(photo, 1, 40, 80, wide) for wide in (False, True))
    assert thin[0, 16].nonzero().flatten().tolist() in ([19], [20])
    assert int(wide.sum()) == pytest.approx(3 * int(thin.sum()), rel=0.05)
    strength = edges_methods.sobel(photo, 1)
    assert strength[0, 16].argmax() in (19, 20)
    assert float(strength.max()) == pytest.approx(160 / 2 * 0.6247, rel=0.05)  # normal, -1.5 to 0.5
    crest = edges_methods.sobel(photo, 1, thin=True)
    assert set(crest[0, 16].nonzero().flatten().tolist()) & {19, 20}
    assert (crest > 1).sum() <= 2 * SIZE[0]


def test_the_sheet_has_a_row_for_each_pair_and_a_column_for_each_method(tmp_path: Path) -> None:
    pairs = [_pair(column) for column in (8, 12)]
    found = measure(pairs, {"one": [_off_by(0)], "two": [_off_by(2)]}, tuned=1)

    write_sheet(tmp_path / "a.png", pairs, found.values())

    height, width = SIZE
    sheet = read_image(tmp_path / "a.png")
    assert sheet.shape == (3, 2 * height + 3 * GAP, 4 * width + 5 * GAP)
    columns = [GAP + 8 + cell * (width + GAP) for cell in range(4)]
    assert sheet[0, GAP + 5, columns].tolist() == [200, 255, 0, 255]


def test_the_command_measures_classic_methods_and_a_network(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("cv2", reason=NEEDS_CV2)
    weights = tmp_path / "mine.safetensors"
    torch.manual_seed(0)
    save_network(MosaicUNet(widths=(4, 8)), weights)
    words = ["--weights", weights, "--json", tmp_path / "a.json", "--sheet", tmp_path / "a.png"]

    assert command.main(["edges", *map(str, words)]) == 0

    out = capsys.readouterr().out
    (report,) = json.loads((tmp_path / "a.json").read_text())["reports"]
    assert "5 pairs of edges2photo_bsds/train at their own size; the first 3" in report["title"]
    names = (CONSTANT, CANNY, WIDE_CANNY, SOBEL, THIN_SOBEL, "mine", "mine, thinned")
    assert tuple(report["data"]) == names
    for name in names:
        assert f"\n  | {name} | " in out
    for name in (CANNY, WIDE_CANNY, SOBEL, THIN_SOBEL):
        assert report["data"][name]["test_f"] == 1
    constant = report["data"][CONSTANT]
    assert (constant["tuning_recall"], constant["test_precision"]) == (1, 5 / 40)
    mean_square = (0.975**2 + 39 * 0.025**2) / 40
    assert constant["test_psnr"] == pytest.approx(-10 * math.log10(mean_square), rel=1e-6)
    assert (tmp_path / "a.png").exists()


def test_missing_data_and_weights_end_with_a_line(
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("cv2", reason=NEEDS_CV2)
    weights = tmp_path / "mine.safetensors"
    for message in ("there is no such file", "takes and makes", "takes and makes"):
        assert command.main(["edges", "--weights", str(weights)]) == 3
        (line,) = capsys.readouterr().err.splitlines()
        assert message in line
        network = ESPCN(2) if message.startswith("there") else PartialConvUNet((4, 4), norm="none")
        save_network(network, weights)
    monkeypatch.setenv("LIT_RESTORE_DATA", str(tmp_path / "nowhere"))
    assert command.main(["edges"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("benchmarks: LIT_RESTORE_DATA names no folder with edges2photo_bsds")


def test_a_network_or_a_sheet_is_of_one_benchmark_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for names in ([], ["inpainting", "edges"], ["memory"]):
        with pytest.raises(SystemExit):
            command.main([*names, "--sheet", "a.png"])
        assert "belong to inpainting or to edges: name one" in capsys.readouterr().err


def test_classic_methods_reach_what_they_did() -> None:
    pytest.importorskip("cv2", reason=NEEDS_CV2)
    if not os.environ.get("LIT_RESTORE_DATA"):
        pytest.skip("LIT_RESTORE_DATA names no folder with edges2photo_bsds/train")
    pairs = read_pairs(edges.folder())
    ways = {
        CANNY: [edges_methods._canny(2.0, 40, 80)],
        WIDE_CANNY: [edges_methods._canny(2.5, 42, 60, wide=True)],
        SOBEL: [edges_methods._sobel(2.0)],
    }
    found = measure(pairs, ways, edges.TUNED)
    reached = {name: (one.tuned.f, one.tested.f, one.psnr) for name, one in found.items()}
    assert reached[CANNY] == pytest.approx((0.480, 0.375, 10.63), abs=0.005)
    assert reached[WIDE_CANNY] == pytest.approx((0.519, 0.404, 9.11), abs=0.005)
    assert reached[SOBEL] == pytest.approx((0.535, 0.421, 8.65), abs=0.005)
