"""Tests of lit_restore.data.segmentation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from lit_restore.data import (
    JointAugmentation,
    LabelError,
    LabelReader,
    SegmentationDataset,
    make_classes,
    read_image,
    write_classes,
    write_image,
)
from lit_restore.data.restoration import unit_range

CLASSES = make_classes(["background", "dark", "light"])
READER = LabelReader(CLASSES, tolerance=2)
SIZES = [(40, 40), (41, 56), (64, 30), (20, 70)]
VIEWS: list[dict[str, Any]] = [
    {"view": "crop"},
    {"view": "zoom"},
    {"view": "resize"},
    {"view": "whole", "multiple_of": 4},
    {"view": "whole", "working_side": 30},
]


@pytest.fixture
def pairs(tmp_path: Path) -> tuple[list[Path], list[Path]]:
    """Pictures of large patches of 20, 120 and 220 of 255, and which of the three as labels."""
    files, labels = [], []
    generator = torch.Generator().manual_seed(0)
    for index, (height, width) in enumerate(SIZES):
        patches = torch.randint(3, (8, 9), generator=generator)
        classes = patches.repeat_interleave(8, 0).repeat_interleave(8, 1)[:height, :width]
        files.append(tmp_path / f"{index}.png")
        labels.append(tmp_path / f"{index}-labels.png")
        write_image((20 + 100 * classes).to(torch.uint8).expand(3, -1, -1), files[-1])
        write_classes(classes, labels[-1], CLASSES)
    return files, labels


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(value, other[name]) if isinstance(value, torch.Tensor) else value == other[name]
        for name, value in one.items()
    )


@pytest.mark.parametrize("options", VIEWS, ids=str)
@pytest.mark.parametrize("grey", [False, True])
def test_classes_lie_under_their_pixels(
    pairs: tuple[list[Path], list[Path]], options: dict[str, Any], grey: bool
) -> None:
    augmentation = JointAugmentation(turn=True, rotation=10, zoom=(0.9, 1.2), elastic=1)
    data = SegmentationDataset(
        *pairs, READER, 16, grey=grey, augmentation=augmentation, repeat=3, **options
    )

    for index in range(len(data)):
        sample = data[1, index]
        image, classes = sample["input"], sample["classes"]
        assert image.dtype == torch.float32
        assert classes.dtype == torch.int64
        assert image.shape == (1 if grey else 3, *classes.shape)
        assert set(classes.unique().tolist()) <= {0, 1, 2, 255}
        near = (image[0] * 255 - (20 + 100 * classes)).abs() < 30
        valid = classes != 255
        assert float(near[valid].float().mean()) > 0.6  # the others lie at edges of patches
        if options["view"] != "whole":
            assert classes.shape == (16, 16)


def test_whole_samples_without_augmentation_are_the_files(
    pairs: tuple[list[Path], list[Path]],
) -> None:
    data = SegmentationDataset(*pairs, READER, view="whole", multiple_of=16)

    sample = data[1]

    assert sample.keys() == {"input", "classes", "path"}
    assert sample["path"] == str(pairs[0][1])
    assert sample["input"].shape == (3, 48, 64)
    assert torch.equal(sample["input"][:, :41, :56], unit_range(read_image(pairs[0][1])))
    assert torch.equal(sample["classes"][:41, :56], READER(pairs[1][1]))
    assert int((sample["classes"] == 255).sum()) == 48 * 64 - 41 * 56


def test_small_pictures_are_padded_and_not_left_out(
    pairs: tuple[list[Path], list[Path]],
) -> None:
    data = SegmentationDataset(*pairs, READER, 40, view="crop")

    ignored = [int((data[index]["classes"] == 255).sum()) for index in range(4)]

    assert ignored == [0, 0, 40 * 10, 20 * 40]


def test_samples_are_functions_of_seed_epoch_and_index(
    pairs: tuple[list[Path], list[Path]],
) -> None:
    options: dict[str, Any] = {"augmentation": JointAugmentation(elastic=2, noise=0.1, paste=0.5)}
    data = SegmentationDataset(*pairs, READER, 16, repeat=2, seed=7, **options)
    again = SegmentationDataset(*pairs, READER, 16, repeat=2, seed=7, **options)
    other = SegmentationDataset(*pairs, READER, 16, repeat=2, seed=8, **options)

    assert len(data) == 8
    assert all(_same(data[2, index], again[2, index]) for index in reversed(range(8)))
    for different in (other[2, 1], data[3, 1], data[2, 5]):
        assert different["path"] == data[2, 1]["path"]
        assert not torch.equal(different["input"], data[2, 1]["input"])
    assert _same(data[1], data[0, 1])


def test_prediction_needs_no_labels(pairs: tuple[list[Path], list[Path]]) -> None:
    sample = SegmentationDataset(pairs[0], view="whole")[3]

    assert sample.keys() == {"input", "path"}
    assert torch.equal(sample["input"], unit_range(read_image(pairs[0][3])))


def test_grey_is_the_luma_and_of_a_grey_picture_its_level(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    colours = random.integers(0, 256, (128, 128, 3), dtype=np.uint8)
    Image.fromarray(colours).save(tmp_path / "a.png")
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(levels).save(tmp_path / "b.png")

    data = SegmentationDataset(sorted(tmp_path.iterdir()), view="whole", grey=True)

    expected = torch.from_numpy(np.array(Image.fromarray(colours).convert("L")))[None]
    assert torch.equal(data[0]["input"], unit_range(expected))
    assert torch.equal(data[1]["input"], unit_range(torch.from_numpy(levels)[None]))


def test_weights_are_made_of_the_classes_that_the_network_sees(
    pairs: tuple[list[Path], list[Path]],
) -> None:
    augmentation = JointAugmentation(elastic=3, rotation=20, border="ignore")
    data = SegmentationDataset(
        *pairs, READER, 16, augmentation=augmentation, weigh=lambda classes: classes.float() + 1
    )

    for index in range(4):
        sample = data[index]
        assert sample.keys() == {"input", "classes", "path", "weights"}
        assert torch.equal(sample["weights"], sample["classes"].float() + 1)


def test_objects_of_another_picture_are_pasted_with_their_classes(tmp_path: Path) -> None:
    """One picture is empty, the other all of class 1: where that is pasted nothing is left."""
    classes = make_classes(["background", "object"])
    for name, level in (("empty", 50), ("full", 200)):
        write_image(torch.full((3, 16, 16), level, dtype=torch.uint8), tmp_path / f"{name}.png")
        write_classes(torch.full((16, 16), level // 200), tmp_path / f"{name}-l.png", classes)
    files, labels = ([tmp_path / f"{n}{end}.png" for n in ("empty", "full")] for end in ("", "-l"))
    data = SegmentationDataset(
        files, labels, LabelReader(classes), 16, augmentation=JointAugmentation(paste=1.0)
    )

    found = []
    for epoch in range(20):
        sample = data[epoch, 0]
        assert sample["path"] == str(files[0])
        found.append(int(sample["classes"][0, 0]))
        assert (sample["classes"] == found[-1]).all()
        expected = torch.full((3, 16, 16), 200 if found[-1] else 50, dtype=torch.uint8)
        assert torch.equal(sample["input"], unit_range(expected))
    assert set(found) == {0, 1}


@pytest.mark.parametrize("options", VIEWS, ids=str)
def test_a_cache_changes_nothing_and_spares_the_files(
    pairs: tuple[list[Path], list[Path]], tmp_path: Path, options: dict[str, Any]
) -> None:
    options = {"size": 16, "augmentation": JointAugmentation(paste=0.5), "repeat": 2, **options}
    plain = SegmentationDataset(*pairs, READER, **options)
    cached = SegmentationDataset(*pairs, READER, **options, cache=tmp_path / "cache")
    expected = [plain[1, index] for index in range(len(plain))]

    assert all(_same(cached[1, index], one) for index, one in enumerate(expected))
    for path in [*pairs[0], *pairs[1]]:
        path.unlink()
    assert all(_same(cached[1, index], one) for index, one in enumerate(expected))


def test_caches_of_different_samples_never_mix(
    pairs: tuple[list[Path], list[Path]], tmp_path: Path
) -> None:
    coloured = read_image(pairs[0][1])
    coloured[0] = 255 - coloured[0]
    write_image(coloured, pairs[0][1])
    swapped = LabelReader(make_classes(None, [CLASSES.colours[i] for i in (0, 2, 1)]))
    ways: list[dict[str, Any]] = [
        {"labels": pairs[1], "reader": READER},
        {"labels": pairs[1], "reader": swapped},
        {"labels": pairs[1], "reader": READER, "grey": True},
        {"labels": pairs[1], "reader": READER, "view": "resize"},
        {"labels": pairs[1], "reader": READER, "working_side": 33},
        {},
    ]

    for _ in range(2):
        for way in ways:
            data = SegmentationDataset(pairs[0], size=16, **way, cache=tmp_path / "cache")
            assert _same(data[1], SegmentationDataset(pairs[0], size=16, **way)[1])


def test_a_picture_and_labels_of_different_sizes_are_both_named(
    pairs: tuple[list[Path], list[Path]],
) -> None:
    with pytest.raises(LabelError, match=r"40x40 pixels of \S*0\.png and 56x41 of \S*1-labels"):
        SegmentationDataset(pairs[0], [pairs[1][1], *pairs[1][1:]], READER)


def test_arguments_that_do_not_fit_are_refused(pairs: tuple[list[Path], list[Path]]) -> None:
    with pytest.raises(ValueError, match="each picture needs a label image: got 4 and 3"):
        SegmentationDataset(pairs[0], pairs[1][1:], READER)
    with pytest.raises(ValueError, match="labels need a reader that knows their classes"):
        SegmentationDataset(*pairs)
    with pytest.raises(ValueError, match="datasets ignore the index 255, got 9"):
        SegmentationDataset(*pairs, LabelReader(CLASSES, ignore_index=9))
    with pytest.raises(ValueError, match=r"grey pictures have no .* got 0\.0 and 0\.1"):
        SegmentationDataset(*pairs, READER, grey=True, augmentation=JointAugmentation(hue=0.1))


@pytest.fixture
def background(tmp_path: Path) -> Path:
    """A picture of 250 everywhere, which no other has."""
    path = tmp_path / "background.png"
    write_image(torch.full((3, 48, 48), 250, dtype=torch.uint8), path)
    return path


def test_a_background_is_of_class_0_everywhere(
    pairs: tuple[list[Path], list[Path]], background: Path, tmp_path: Path
) -> None:
    for cache in (None, tmp_path / "cache"):
        dataset = SegmentationDataset(
            *pairs, READER, 16, "crop", backgrounds=[background], background_share=1, cache=cache
        )
        assert len(dataset) == len(SIZES)
        for index in (0, 1, 0):
            assert torch.allclose(dataset[index]["input"], torch.tensor(250 / 255))
            assert not dataset[index]["classes"].any()


def test_objects_are_pasted_over_backgrounds(
    pairs: tuple[list[Path], list[Path]], background: Path
) -> None:
    change = JointAugmentation(flip=False, paste=1)
    dataset = SegmentationDataset(
        *pairs,
        READER,
        24,
        "crop",
        augmentation=change,
        backgrounds=[background],
        background_share=1,
    )
    for index in range(4):
        level, classes = dataset[index]["input"][0] * 255, dataset[index]["classes"]
        assert (level[classes == 0] - 250).abs().max() < 0.5
        assert classes.any()
        assert (level[classes == 2] - 220).abs().max() < 0.5


def test_backgrounds_come_as_often_as_asked(
    pairs: tuple[list[Path], list[Path]], background: Path
) -> None:
    dataset = SegmentationDataset(
        *pairs, READER, 16, "crop", repeat=100, backgrounds=[background], background_share=0.3
    )
    shown = sum(bool((dataset[i]["input"] > 0.97).all()) for i in range(len(dataset)))
    assert abs(shown / len(dataset) - 0.3) < 0.1
    assert _same(dataset[7], dataset[7])


def test_without_backgrounds_their_share_changes_nothing(
    pairs: tuple[list[Path], list[Path]],
) -> None:
    one, other = (
        SegmentationDataset(*pairs, READER, 16, background_share=share) for share in (0, 1)
    )
    assert _same(one[2], other[2])
