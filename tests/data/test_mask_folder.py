"""Tests of lit_restore.data.mask_folder."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from lit_restore.data import MaskFolder
from lit_restore.data.images import ImageFileError
from lit_restore.nn import ratio_bin


def pattern(index: int, height: int = 45, width: int = 70) -> np.ndarray:
    """White pixels that no turn or reflection maps to themselves, about a quarter of all."""
    rows, columns = np.mgrid[:height, :width]
    white = (rows - index) ** 2 + (columns // 2 - 3 * index) ** 2 < 260
    return (255 * (white | ((columns < 4) & (rows < 20)))).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index in range(5):
        Image.fromarray(pattern(index)).save(tmp_path / f"{index}.png")
    return tmp_path


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def nearest(pixels: np.ndarray, height: int, width: int) -> Tensor:
    small = Image.fromarray(pixels).resize((width, height), Image.Resampling.NEAREST)
    return torch.from_numpy(np.array(small))[None]


def test_white_is_what_it_is_said_to_be(folder: Path) -> None:
    white = torch.from_numpy(pattern(0))[None] == 255

    hole = MaskFolder(str(folder), "hole", deal=True).of_sample(0, 45, 70, seeded())
    valid = MaskFolder(str(folder), "valid", deal=True, check=False).of_sample(0, 45, 70, seeded())

    assert torch.equal(hole, ~white)
    assert torch.equal(valid, white)


@pytest.mark.parametrize("size", [(16, 16), (33, 48), (128, 128), (45, 70)])
def test_resizing_is_pillows_nearest(folder: Path, size: tuple[int, int]) -> None:
    source = MaskFolder(str(folder), "hole", deal=True)

    for index in range(5):
        expected = nearest(pattern(index), *size) == 0
        assert torch.equal(source.of_sample(index, *size, seeded()), expected)


def test_dealing_goes_through_the_files_in_order_and_round_again(folder: Path) -> None:
    source = MaskFolder(str(folder), "hole", deal=True)

    for sample in (0, 4, 5, 13):
        expected = torch.from_numpy(pattern(sample % 5))[None] == 0
        assert torch.equal(source.of_sample(sample, 45, 70, seeded(sample)), expected)


def test_without_dealing_every_file_is_drawn(folder: Path) -> None:
    source = MaskFolder(str(folder), "hole")
    known = [(torch.from_numpy(pattern(index)) == 0).flatten().tolist() for index in range(5)]

    generator = seeded()
    found = [known.index(source(45, 70, generator).flatten().tolist()) for _ in range(100)]

    assert np.bincount(found, minlength=5).min() >= 8
    drawn = source.of_sample(2, 45, 70, seeded(6))
    assert torch.equal(drawn, source(45, 70, seeded(6)))  # whatever the sample's number


@pytest.mark.parametrize(("flip", "rotate", "count"), [(1, 0, 4), (0, 1, 4), (1, 1, 8)])
def test_masks_are_mirrored_and_turned_in_every_way(
    tmp_path: Path, flip: bool, rotate: bool, count: int
) -> None:
    pixels = pattern(1, 40, 40)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    source = MaskFolder(str(tmp_path), "hole", flip=flip, rotate=rotate)
    ways = {np.rot90(one, turn).tobytes() for one in (pixels, pixels.T) for turn in range(4)}

    generator = seeded()
    found = {
        (255 * ~source(40, 40, generator)[0]).to(torch.uint8).numpy().tobytes() for _ in range(100)
    }

    assert len(ways) == 8
    assert len(found) == count
    assert found <= ways


def test_the_wrong_way_round_is_reported(folder: Path) -> None:
    told = r"with white: valid the masks in .* are \d\d% hole on average .*say white: hole"
    with pytest.raises(ValueError, match=told):
        MaskFolder(str(folder), "valid")

    for path in folder.iterdir():
        Image.fromarray(255 - pattern(int(path.stem))).save(path)
    with pytest.raises(ValueError, match=r"with white: hole .*say white: valid, or check: false"):
        MaskFolder(str(folder), "hole")
    MaskFolder(str(folder), "hole", check=False)
    MaskFolder(str(folder), "valid")


def test_a_jpeg_is_black_and_white_enough(folder: Path, tmp_path: Path) -> None:
    jpegs = tmp_path / "jpeg"
    jpegs.mkdir()
    Image.fromarray(pattern(2, 90, 140)).save(jpegs / "a.jpg", quality=75)

    mask = MaskFolder(str(jpegs), "hole")(90, 140, seeded())

    assert (mask != (torch.from_numpy(pattern(2, 90, 140)) == 0)).float().mean() < 0.01


def test_levels_from_128_on_are_white(tmp_path: Path) -> None:
    pixels = pattern(0)
    pixels[44, 60:64] = (1, 127, 128, 254)
    Image.fromarray(pixels).save(tmp_path / "a.png")

    mask = MaskFolder(str(tmp_path), "hole")(45, 70, seeded())

    assert mask[0, 44, 60:64].tolist() == [True, True, False, False]


def test_a_picture_among_the_masks_is_named(folder: Path) -> None:
    ramp = np.tile(np.arange(70, dtype=np.uint8) * 3, (45, 1))
    Image.fromarray(ramp).save(folder / "6.png")

    with pytest.raises(ValueError, match=r"6\.png must be black and white, got \d\d%"):
        MaskFolder(str(folder), "hole")


@pytest.mark.parametrize(("level", "shade"), [(0, "black"), (255, "white")])
def test_an_empty_mask_is_named_at_the_latest_when_it_is_drawn(
    folder: Path, level: int, shade: str
) -> None:
    Image.new("L", (70, 45), level).save(folder / "6.png")
    told = rf"6\.png: a mask must have holes and valid pixels, got all {shade}"

    with pytest.raises(ValueError, match=told):
        MaskFolder(str(folder), "hole")
    source = MaskFolder(str(folder), "hole", deal=True, check=False)
    with pytest.raises(ValueError, match=told):
        source.of_sample(5, 45, 70, seeded())


def test_a_hole_that_the_resizing_loses_is_named(tmp_path: Path) -> None:
    pixels = np.zeros((64, 64), np.uint8)
    pixels[0, 0] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")

    with pytest.raises(ValueError, match=r"a\.png: nothing is left of the hole at 16x16 pixels"):
        MaskFolder(str(tmp_path), "hole")(16, 16, seeded())


def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be a folder of masks, got one without pictures"):
        MaskFolder(str(tmp_path), "hole")
    with pytest.raises(ImageFileError, match="nowhere: no such folder"):
        MaskFolder(str(tmp_path / "nowhere"), "hole")
    with pytest.raises(ValueError, match="white must be hole or valid, got 'mask'"):
        MaskFolder(str(tmp_path), "mask")  # type: ignore[arg-type]


def test_a_large_folder_is_looked_at_here_and_there(tmp_path: Path) -> None:
    for index in range(130):
        Image.fromarray(pattern(0)).save(tmp_path / f"{index:03}.png")
    (tmp_path / "001.png").write_bytes(b"not a picture")  # 000, 003, ... are opened

    MaskFolder(str(tmp_path), "hole")


@pytest.mark.skipif("LIT_RESTORE_DATA" not in os.environ, reason="LIT_RESTORE_DATA is not set")
def test_the_papers_masks_keep_their_classes_but_for_one_at_128_pixels() -> None:
    root = Path(os.environ["LIT_RESTORE_DATA"]) / "irregular_masks"
    source = MaskFolder(str(root), "hole", deal=True)

    bins = [int(ratio_bin(source.of_sample(i, 128, 128, seeded()))) for i in range(120)]

    assert np.bincount(bins, minlength=6).tolist() == [20, 20, 20, 20, 21, 19]  # 20 each at 512
    with pytest.raises(ValueError, match="say white: hole"):
        MaskFolder(str(root), "valid")
