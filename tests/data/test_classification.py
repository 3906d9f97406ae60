"""Tests of lit_restore.data.classification."""

from pathlib import Path
from typing import Any

import pytest
import torch

from lit_restore.data import ClassificationDataset, read_image
from lit_restore.data.resize import resize_bicubic_pillow
from lit_restore.data.restoration import unit_range


@pytest.fixture
def files(image_folder: Path) -> list[Path]:
    """Pictures of 40 pixels a side and more."""
    return sorted(image_folder.glob("[01]*"))


def _dataset(files: list[Path], **options: Any) -> ClassificationDataset:
    labels = [index % 3 for index in range(len(files))]
    return ClassificationDataset(files, **{"labels": labels, "size": 16, **options})


def test_a_sample_is_a_whole_picture_and_its_class(files: list[Path]) -> None:
    dataset = _dataset(files)

    for index in (0, 4):
        sample = dataset[index]
        expected = unit_range(resize_bicubic_pillow(read_image(files[index]), (16, 16)))
        assert set(sample) == {"input", "label", "path"}
        assert torch.equal(sample["input"], expected)
        assert sample["label"] == index % 3
        assert sample["path"] == str(files[index])


def test_without_labels_there_are_none(files: list[Path]) -> None:
    assert set(ClassificationDataset(files, size=16)[0]) == {"input", "path"}


def test_labels_stay_with_their_pictures_when_small_ones_are_left_out(image_folder: Path) -> None:
    small, *others = [image_folder / "small.png", *sorted(image_folder.glob("0*"))]
    dataset = ClassificationDataset([small, *others], [7, *range(len(others))], 16, view="crop")

    assert dataset.skipped == [small]
    samples = [dataset[index] for index in range(len(dataset))]
    assert [sample["label"] for sample in samples] == list(range(len(others)))
    assert [sample["path"] for sample in samples] == list(map(str, others))


def test_brightness_adds_one_number_to_all_values_and_does_not_clip(files: list[Path]) -> None:
    plain, lit, clipped = (
        _dataset(files, repeat=20, **options)
        for options in ({}, {"brightness": 0.2}, {"brightness": 0.2, "clip_brightness": True})
    )

    added = []
    for index in range(len(plain)):
        before, after = plain[1, index]["input"], lit[1, index]["input"]
        number = (after - before).mean()
        torch.testing.assert_close(after, before + number, atol=1e-6, rtol=0)
        assert torch.equal(clipped[1, index]["input"], after.clamp(0, 1))
        added.append(float(number))
    assert max(map(abs, added)) <= 0.2 + 1e-6
    assert max(added) > 0.18
    assert min(added) < -0.18
    assert abs(sum(added) / len(added)) < 0.03
    assert min(lit[1, index]["input"].min() for index in range(40)) < 0


def test_half_of_the_samples_are_mirrored(files: list[Path]) -> None:
    plain, flipped = _dataset(files, repeat=20), _dataset(files, repeat=20, flip=True)

    mirrored = 0
    for index in range(len(plain)):
        before, after = plain[index]["input"], flipped[index]["input"]
        same = torch.equal(before, after)
        assert same or torch.equal(before.flip(-1), after)
        mirrored += not same
    assert 0.4 < mirrored / len(plain) < 0.6


def test_a_sample_is_a_function_of_seed_epoch_and_index(files: list[Path], tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "view": "zoom", "flip": True, "brightness": 0.2, "mixing_seeds": True,
    }  # fmt: skip
    one, other = _dataset(files, **options), _dataset(files, cache=tmp_path, **options)

    for key in ((0, 2), (3, 2), (3, 5)):
        first = one[key]
        for sample in (other[key], other[key]):
            assert torch.equal(first["input"], sample["input"])
            assert first["mixing_seed"] == sample["mixing_seed"]
    seeds = {one[epoch, index]["mixing_seed"] for epoch in range(3) for index in range(5)}
    seeds |= {_dataset(files, seed=1, **options)[0, 0]["mixing_seed"]}
    assert len(seeds) == 16


def test_options_that_do_not_fit_are_refused(files: list[Path]) -> None:
    with pytest.raises(ValueError, match="brightness must be at least 0, got -1"):
        _dataset(files, brightness=-1)
    with pytest.raises(ValueError, match="each file needs a label: got 12 and 1"):
        _dataset(files, labels=[0])
    with pytest.raises(ValueError, match="jitter must be at least size"):
        _dataset(files, jitter=8)
