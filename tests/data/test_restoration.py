"""Tests of lit_restore.data.restoration."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import lit_restore.data.restoration
from lit_restore.data import (
    GaussianNoise,
    Mosaic,
    RestorationDataset,
    list_images,
    read_image,
    write_image,
)
from lit_restore.data.restoration import View, resize, unit_range

VIEWS: tuple[View, ...] = ("resize", "crop", "zoom", "whole")


@pytest.fixture
def files(image_folder: Path) -> list[Path]:
    return list_images(image_folder)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are decoded, as it happens."""
    paths: list[Path] = []

    def reading(path: Path, **options: Any) -> Tensor:
        paths.append(path)
        return read_image(path, **options)

    monkeypatch.setattr(lit_restore.data.restoration, "read_image", reading)
    return paths


def _unit(path: Path) -> Tensor:
    return unit_range(read_image(path))


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (
        torch.equal(one["input"], other["input"])
        and torch.equal(one["target"], other["target"])
        and one["path"] == other["path"]
    )


def _places(image: Tensor, square: Tensor) -> list[tuple[int, int]]:
    """Where a square lies in a picture, by looking everywhere."""
    side = square.shape[-1]
    windows = image.unfold(1, side, 1).unfold(2, side, 1)  # 3, top, left, side, side
    equal = (windows == square[:, None, None]).all(-1).all(-1).all(0)
    return [(top, left) for top, left in equal.nonzero().tolist()]


def test_unit_range_multiplies_by_the_float32_inverse_of_255() -> None:
    levels = torch.arange(256, dtype=torch.uint8)

    values = unit_range(levels)

    expected = np.arange(256, dtype=np.float32) * np.float32(1 / 255)
    assert values.dtype == torch.float32
    assert values.numpy().tobytes() == expected.tobytes()
    assert (values != levels / 255).any()  # what a division would give
    assert values[-1] == 1


def test_resize_squeezes_by_pillows_lanczos(files: list[Path]) -> None:
    image = read_image(files[1])

    picture = Image.fromarray(image.permute(1, 2, 0).numpy())
    expected = np.array(picture.resize((24, 24), Image.Resampling.LANCZOS))
    assert torch.equal(resize(image, 24), torch.from_numpy(expected).permute(2, 0, 1))


def test_a_sample_is_the_degraded_and_the_clean_picture(files: list[Path]) -> None:
    sample = RestorationDataset(files, Mosaic(4), 24)[3]

    clean = resize(read_image(files[3]), 24)
    assert set(sample) == {"input", "target", "path"}
    assert torch.equal(sample["target"], unit_range(clean))
    assert torch.equal(sample["input"], unit_range(Mosaic(4)(clean)))
    assert sample["path"] == str(files[3])


def test_without_a_degradation_the_input_is_the_clean_picture(files: list[Path]) -> None:
    sample = RestorationDataset(files, None, 16)[0]

    assert torch.equal(sample["input"], sample["target"])


def test_a_crop_is_a_square_of_the_pictures_own_pixels(files: list[Path]) -> None:
    dataset = RestorationDataset(files, None, 16, "crop")

    found = [_places(_unit(files[1]), dataset[epoch, 1]["target"]) for epoch in range(40)]

    assert all(len(places) == 1 for places in found)
    tops, lefts = zip(*(places[0] for places in found), strict=True)
    assert max(tops) > 18 > 6 > min(tops)  # the picture has 41x56 pixels: 26 places down, 41 across
    assert max(lefts) > 30 > 10 > min(lefts)


def test_a_crop_reaches_the_first_and_the_last_row_and_column(files: list[Path]) -> None:
    dataset = RestorationDataset([files[0]], None, 39, "crop")  # of 40x40: four places

    places = {_places(_unit(files[0]), dataset[epoch, 0]["target"])[0] for epoch in range(40)}

    assert places == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_a_zoom_reduces_squares_of_all_sizes(tmp_path: Path) -> None:
    ramp = np.broadcast_to(np.arange(128, dtype=np.uint8)[None, :, None], (128, 128, 3))
    path = tmp_path / "ramp.png"
    Image.fromarray(np.ascontiguousarray(ramp)).save(path)
    dataset = RestorationDataset([path], None, 16, "zoom")

    targets = [dataset[epoch, 0]["target"] for epoch in range(60)]

    steps = torch.tensor([float(t[0, 8, 12] - t[0, 8, 4]) * 255 / 8 for t in targets])
    assert all(target.shape == (3, 16, 16) for target in targets)
    assert steps.min() < 1.3  # levels per pixel: the side over 16
    assert steps.max() > 6
    assert (steps < 8 / 2**1.5).sum() in range(20, 41)  # half of the sides by their logarithm


def test_a_zoom_into_a_picture_of_just_the_size_is_the_picture(files: list[Path]) -> None:
    dataset = RestorationDataset([files[0]], None, 40, "zoom")

    assert torch.equal(dataset[0]["target"], _unit(files[0]))


def test_a_whole_picture_is_cut_to_a_multiple_at_right_and_bottom(files: list[Path]) -> None:
    dataset = RestorationDataset(files, Mosaic(4), 16, "whole")

    sample = dataset[3]

    assert torch.equal(sample["target"], _unit(files[3])[:, :64, :48])  # of 72x60 pixels
    assert sample["input"].shape == (3, 64, 48)


def test_half_of_the_samples_are_mirrored(files: list[Path]) -> None:
    dataset = RestorationDataset(files, Mosaic(4), 24, flip=True)
    plain = RestorationDataset(files, None, 24)[0]["target"]
    samples = [dataset[epoch, 0] for epoch in range(60)]

    mirrored = [torch.equal(sample["target"], plain.flip(-1)) for sample in samples]

    assert [torch.equal(sample["target"], plain) for sample in samples] == [
        not one for one in mirrored
    ]
    assert sum(mirrored) in range(18, 43)  # of 60: outside by chance once in a thousand times
    for sample in samples:  # first mirrored, then degraded
        levels = (sample["target"] * 255).round().to(torch.uint8)
        assert torch.equal(sample["input"], unit_range(Mosaic(4)(levels)))


@pytest.mark.parametrize("view", VIEWS)
def test_a_sample_depends_on_seed_epoch_and_index_alone(files: list[Path], view: View) -> None:
    def dataset(seed: int = 0) -> RestorationDataset:
        return RestorationDataset(files, GaussianNoise(25), 16, view, flip=True, seed=seed)

    one, other = dataset(), dataset()
    other[5, 1], other[0, 2], torch.rand(3)  # what came before does not matter

    assert _same(one[2, 3], other[2, 3])
    assert _same(one[0, 3], one[3])
    for different in (one[3, 3], dataset(seed=1)[2, 3]):
        assert not torch.equal(one[2, 3]["input"], different["input"])


def test_small_pictures_are_left_out_and_listed(files: list[Path], image_folder: Path) -> None:
    dataset = RestorationDataset(files, None, 16)
    narrow = RestorationDataset(files, None, 45)

    assert dataset.skipped == [image_folder / "small.png"]
    assert dataset.files == [path for path in files if path.name != "small.png"]
    assert len(dataset) == 12
    names = [path.stem for path in narrow.skipped]
    assert names == ["00", "01", "05", "06", "07", "11", "small"]  # a side of 40, 41, 44 or 12


def test_a_picture_of_just_the_size_is_kept(image_folder: Path) -> None:
    dataset = RestorationDataset([image_folder / "small.png"], None, 12)

    assert dataset[0]["target"].shape == (3, 12, 12)


def test_no_picture_large_enough_is_refused(files: list[Path]) -> None:
    with pytest.raises(ValueError, match="none of 13 pictures is at least 500x500 pixels"):
        RestorationDataset(files, None, 500)


def test_repeat_gives_other_views_of_the_same_pictures(files: list[Path]) -> None:
    dataset = RestorationDataset(files, None, 16, "crop", repeat=3)

    samples = [dataset[0, index] for index in (1, 13, 25)]

    assert len(dataset) == 36
    assert {sample["path"] for sample in samples} == {str(files[1])}
    assert not torch.equal(samples[0]["target"], samples[1]["target"])
    assert not torch.equal(samples[1]["target"], samples[2]["target"])


@pytest.mark.parametrize("view", VIEWS)
def test_a_cache_changes_nothing_but_the_decoding(
    files: list[Path], tmp_path: Path, decoded: list[Path], view: View
) -> None:
    plain = RestorationDataset(files, Mosaic(4), 16, view, flip=True)
    cached = RestorationDataset(files, Mosaic(4), 16, view, flip=True, cache=tmp_path)

    for epoch in range(2):
        decoded.clear()
        samples = [cached[epoch, index] for index in range(12)]
        assert sorted(decoded) == (files[:12] if epoch == 0 else [])
        assert all(_same(plain[epoch, i], sample) for i, sample in enumerate(samples))


def test_another_dataset_on_the_same_pictures_uses_the_cache(
    files: list[Path], tmp_path: Path, decoded: list[Path]
) -> None:
    for sample in range(12):
        RestorationDataset(files, None, 16, "crop", cache=tmp_path)[sample]
    decoded.clear()

    for view in ("zoom", "whole", "crop"):
        RestorationDataset(files, Mosaic(4), 16, view, seed=7, cache=tmp_path)[5]
    pickle.loads(pickle.dumps(RestorationDataset(files, None, 32, "crop", cache=tmp_path)))[5]

    assert decoded == []


def test_a_changed_file_is_decoded_anew(
    files: list[Path], tmp_path: Path, decoded: list[Path]
) -> None:
    path = tmp_path / "a.bmp"  # two pictures of 40x40 pixels: files of the same length
    for time, source in enumerate((files[0], files[6])):
        write_image(read_image(source), path)
        os.utime(path, ns=(time, time))
        sample = RestorationDataset([path], None, 16, cache=tmp_path)[0]
        assert torch.equal(sample["target"], unit_range(resize(read_image(source), 16)))

    assert decoded == [path, path]


def test_pictures_resized_to_another_size_are_not_mixed_up(
    files: list[Path], tmp_path: Path
) -> None:
    for size in (16, 24, 16):
        sample = RestorationDataset(files, None, size, cache=tmp_path)[0]
        assert sample["target"].shape == (3, size, size)
