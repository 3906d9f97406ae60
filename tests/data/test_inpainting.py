"""Tests of lit_restore.data.inpainting."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from lit_restore.data import (
    CenterMask,
    InpaintingDataset,
    IrregularMasks,
    MaskFolder,
    RestorationDataset,
    list_images,
)
from lit_restore.data.restoration import View

VIEWS: tuple[View, ...] = ("resize", "crop", "zoom", "whole")


@pytest.fixture
def files(image_folder: Path) -> list[Path]:
    return list_images(image_folder)


def dataset(files: list[Path], view: View = "zoom", **options: Any) -> InpaintingDataset:
    options = {"masks": IrregularMasks(), "size": 16, "flip": True} | options
    return InpaintingDataset(files, view=view, **options)


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one["path"] == other["path"] and all(
        torch.equal(one[name], other[name]) for name in ("input", "target", "mask")
    )


@pytest.mark.parametrize("view", VIEWS)
def test_the_input_is_the_target_where_valid_and_0_in_the_hole(
    files: list[Path], view: View
) -> None:
    samples = dataset(files, view)

    for index in range(len(samples)):
        sample = samples[2, index]
        mask = sample["mask"]
        assert set(sample) == {"input", "target", "mask", "path"}
        assert {sample[name].dtype for name in ("input", "target", "mask")} == {torch.float32}
        assert sample["target"].shape == sample["input"].shape == (3, *mask.shape[1:])
        assert mask.shape[0] == 1
        assert mask.unique().tolist() == [0, 1]
        assert torch.equal(sample["input"], sample["target"] * mask)
        assert (sample["target"].amax(0)[mask[0] == 0] > 0).any()  # something is hidden


@pytest.mark.parametrize("view", VIEWS)
def test_the_target_is_that_of_a_restoration_dataset_whatever_the_masks(
    files: list[Path], view: View
) -> None:
    clean = RestorationDataset(files, None, 16, view, flip=True, repeat=2, seed=4)
    masks = (IrregularMasks(), CenterMask())

    for source in masks:
        holed = dataset(files, view, masks=source, repeat=2, seed=4)
        assert len(holed) == len(clean)
        for key in ((0, 0), (1, 13), (2, 5)):
            assert torch.equal(holed[key]["target"], clean[key]["target"])
            assert holed[key]["path"] == clean[key]["path"]


def test_a_mask_does_not_depend_on_the_view(files: list[Path]) -> None:
    plain = dataset(files, "resize", flip=False)

    for view in ("crop", "zoom"):
        for key in ((0, 0), (3, 7)):
            assert torch.equal(dataset(files, view)[key]["mask"], plain[key]["mask"])


def test_a_mask_is_drawn_apart_from_the_view(files: list[Path]) -> None:
    """The generator of the mask is another: its numbers are not those that chose the view."""
    drawn: list[float] = []

    def note(height: int, width: int, generator: torch.Generator) -> Tensor:
        drawn.append(float(torch.rand((), generator=generator)))
        return CenterMask()(height, width)

    def degradation(image: Tensor, generator: torch.Generator | None) -> Tensor:
        drawn.append(float(torch.rand((), generator=generator)))
        return image

    dataset(files, "resize", masks=note, flip=False)[0]
    RestorationDataset(files, degradation, 16)[0]  # type: ignore[arg-type]

    assert len(set(drawn)) == 2


def test_a_sample_depends_on_seed_epoch_and_index_alone(files: list[Path]) -> None:
    one, other = dataset(files), pickle.loads(pickle.dumps(dataset(files)))
    other[5, 1], other[0, 2], torch.rand(3)

    assert same(one[2, 3], other[2, 3])
    assert same(one[0, 3], one[3])
    for different in (one[3, 3], one[2, 4], dataset(files, seed=1)[2, 3]):
        assert not torch.equal(one[2, 3]["mask"], different["mask"])


def test_no_global_random_state_is_changed(files: list[Path]) -> None:
    before = torch.get_rng_state(), np.random.get_state()[1]

    dataset(files)[0]

    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])


def test_repeats_of_a_picture_have_masks_of_their_own(files: list[Path]) -> None:
    samples = dataset(files, "resize", repeat=3, flip=False)
    first, second = samples[0, 1], samples[0, 13]

    assert len(samples) == 36
    assert torch.equal(first["target"], second["target"])
    assert not torch.equal(first["mask"], second["mask"])


def test_dealt_masks_go_with_the_samples_number(files: list[Path], tmp_path: Path) -> None:
    for index in range(5):
        pixels = np.zeros((16, 16), np.uint8)
        pixels[index, :4] = 255
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    masks = MaskFolder(str(tmp_path), "hole", deal=True)

    samples = dataset(files, "resize", masks=masks, repeat=2)

    for epoch, index in ((0, 0), (0, 7), (3, 7), (1, 23)):
        hole = samples[epoch, index]["mask"] == 0
        assert hole.nonzero().tolist() == [[0, index % 5, column] for column in range(4)]


def test_small_pictures_are_left_out_and_listed(files: list[Path], image_folder: Path) -> None:
    samples = dataset(files)

    assert samples.pictures.skipped == [image_folder / "small.png"]
    assert len(samples) == 12


def test_a_cache_changes_nothing(files: list[Path], tmp_path: Path) -> None:
    cached = dataset(files, cache=tmp_path)

    assert same(cached[1, 3], dataset(files)[1, 3])
    assert same(cached[1, 3], dataset(files)[1, 3])


@pytest.mark.parametrize(
    "mask",
    [torch.ones(1, 16, 16), torch.ones(16, 16, dtype=torch.bool), torch.ones(1, 8, 16) > 0],
)
def test_masks_of_another_kind_are_refused(files: list[Path], mask: Tensor) -> None:
    samples = dataset(files, masks=lambda height, width, generator: mask)

    with pytest.raises(ValueError, match=r"must give bool of shape \(1, 16, 16\), got torch\."):
        samples[0]
