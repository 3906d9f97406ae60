"""Tests of lit_restore.data.paired."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from lit_restore.data import PairedDataset, read_image, write_image
from lit_restore.data.restoration import unit_range

VIEWS: list[dict[str, Any]] = [
    {"view": "resize"},
    {"view": "resize", "jitter": 20},
    {"view": "crop"},
    {"view": "zoom"},
    {"view": "whole"},
]


@pytest.fixture
def files(image_folder: Path) -> list[Path]:
    """Pictures of 40 pixels a side and more."""
    return sorted(image_folder.glob("[01]*"))


@pytest.fixture
def pairs(files: list[Path], tmp_path: Path) -> tuple[list[Path], list[Path]]:
    """Pictures, and others that are the same but for the order of their channels."""
    inputs, targets = ([tmp_path / side / f"{path.stem}.png" for path in files] for side in "ab")
    for path, source, target in zip(files, inputs, targets, strict=True):
        image = read_image(path)
        for file, pixels in ((source, image), (target, image.flip(0))):
            file.parent.mkdir(exist_ok=True)
            write_image(pixels, file)
    return inputs, targets


def _join(left: Sequence[Path], right: Sequence[Path], folder: Path) -> list[Path]:
    """Write the two of each pair side by side."""
    folder.mkdir()
    for one, other in zip(left, right, strict=True):
        both = torch.cat((read_image(one), read_image(other)), -1)
        write_image(both, folder / f"{one.stem}.png")
    return sorted(folder.iterdir())


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(one[name], other[name]) for name in ("input", "target")
    )


@pytest.mark.parametrize("options", VIEWS, ids=str)
@pytest.mark.parametrize("ways", [{"flip": True}, {"turn": True}], ids=str)
def test_both_of_a_pair_get_the_same(
    pairs: tuple[list[Path], list[Path]], options: dict[str, Any], ways: dict[str, Any]
) -> None:
    data = PairedDataset(*pairs, size=16, **options, **ways)

    for key in [(epoch, index) for epoch in (0, 1) for index in range(len(data))]:
        sample = data[key]
        assert torch.equal(sample["target"], sample["input"].flip(0))
        assert not torch.equal(sample["target"], sample["input"])


def test_a_sample_is_unit_range_with_its_inputs_path(pairs: tuple[list[Path], list[Path]]) -> None:
    sample = PairedDataset(*pairs, size=16, jitter=18)[3]

    assert sample["input"].shape == sample["target"].shape == (3, 16, 16)
    assert sample["input"].dtype == torch.float32
    assert 0 <= sample["input"].min() < sample["input"].max() <= 1
    assert sample["path"] == str(pairs[0][3])


@pytest.mark.parametrize("options", VIEWS[1:4], ids=str)
def test_a_sample_follows_from_seed_epoch_and_index_alone(
    pairs: tuple[list[Path], list[Path]], options: dict[str, Any]
) -> None:
    before = torch.get_rng_state()
    data, again, other = (
        PairedDataset(*pairs, size=16, flip=True, repeat=2, seed=seed, **options)
        for seed in (0, 0, 1)
    )
    keys = [(epoch, index) for epoch in (0, 1) for index in range(len(data))]

    assert all(_same(data[key], again[key]) for key in reversed(keys))
    half = len(pairs[0])
    for changed in ([data[1, i] for i in range(half)], [data[0, i + half] for i in range(half)],
                    [other[0, i] for i in range(half)]):  # fmt: skip
        assert sum(_same(one, data[0, i]) for i, one in enumerate(changed)) < half / 2
    assert torch.equal(torch.get_rng_state(), before)


def test_without_randomness_every_epoch_is_the_same(pairs: tuple[list[Path], list[Path]]) -> None:
    data = PairedDataset(*pairs, size=16)
    assert all(_same(data[0, index], data[7, index]) for index in range(len(data)))


def test_each_direction_of_files_with_two_halves_is_that_of_two_files(
    pairs: tuple[list[Path], list[Path]], tmp_path: Path
) -> None:
    ours, theirs = pairs
    options: dict[str, Any] = {"size": 16, "view": "crop", "flip": True}
    joined = _join(ours, theirs, tmp_path / "joined")
    for halves, apart in (("ab", (ours, theirs)), ("ba", (theirs, ours))):
        data = PairedDataset(joined, halves=halves, **options)  # type: ignore[arg-type]
        expected = PairedDataset(*apart, **options)
        assert [data[i]["path"] for i in range(len(data))] == [str(path) for path in joined]
        assert all(_same(data[i], expected[i]) for i in range(len(data)))


def test_halves_that_are_no_halves_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (9, 4)).save(tmp_path / "odd.png")

    with pytest.raises(ValueError, match=r"odd\.png must hold two pictures.*odd width of 9 pixels"):
        PairedDataset([tmp_path / "odd.png"], halves="ab", size=4)


def test_pictures_of_different_sizes_are_named_with_their_sizes(tmp_path: Path) -> None:
    ours, theirs = ([tmp_path / f"{side}{i}.png" for i in range(3)] for side in "ab")
    for path in [*ours, *theirs]:
        Image.new("RGB", (8, 5) if path.name in ("b1.png", "b2.png") else (5, 8)).save(path)

    told = r"got 5x8 pixels of \S*a1\.png and 8x5 of \S*b1\.png \(2 of 3 pairs differ\)"
    with pytest.raises(ValueError, match=told):
        PairedDataset(ours, theirs, size=4)


def test_files_that_do_not_fit_each_other_are_refused(files: list[Path]) -> None:
    with pytest.raises(ValueError, match="each input needs a target: got 3 and 2"):
        PairedDataset(files[:3], files[:2])
    with pytest.raises(ValueError, match="targets must be None"):
        PairedDataset(files, files, halves="ab")
    with pytest.raises(ValueError, match="halves must be 'ab', 'ba' or None, got 'a'"):
        PairedDataset(files, halves="a")  # type: ignore[arg-type]


def test_inputs_alone_give_no_target(files: list[Path]) -> None:
    alone = PairedDataset(files, size=16, view="crop")
    expected = PairedDataset(files, files, size=16, view="crop")

    assert alone[2].keys() == {"input", "path"}
    assert torch.equal(alone[2]["input"], expected[2]["input"])


def test_small_pairs_are_left_out_where_they_are_not_enlarged(image_folder: Path) -> None:
    files = sorted(image_folder.iterdir())  # the last has 12x30 pixels

    cropped = PairedDataset(files, files, size=40, view="crop")
    resized = PairedDataset(files, files, size=40)

    assert cropped.skipped == files[-1:]
    assert (len(cropped), cropped.targets) == (12, files[:-1])
    assert (len(resized), resized.skipped) == (13, [])
    assert resized[12]["input"].shape == (3, 40, 40)
    with pytest.raises(ValueError, match="none of 13 pictures is at least 99x99 pixels large"):
        PairedDataset(files, files, size=99, view="crop")


def test_grey_palette_and_deep_files_become_colour_pictures(tmp_path: Path) -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(grey).convert("P").save(tmp_path / "palette.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    expected = unit_range(torch.from_numpy(grey).expand(3, -1, -1))

    inputs, target = sorted(tmp_path.iterdir()), tmp_path / "grey.png"
    data = PairedDataset(inputs, [target] * 3, size=8)

    for index in range(3):
        assert torch.equal(data[index]["input"], expected)
        assert torch.equal(data[index]["target"], expected)


@pytest.mark.parametrize("options", VIEWS, ids=str)
def test_a_cache_changes_nothing_and_spares_the_files(
    pairs: tuple[list[Path], list[Path]], tmp_path: Path, options: dict[str, Any]
) -> None:
    options = {"size": 16, "turn": True, "repeat": 2, **options}
    plain = PairedDataset(*pairs, **options)
    cached = PairedDataset(*pairs, **options, cache=tmp_path / "cache")
    expected = [plain[1, index] for index in range(len(plain))]

    assert all(_same(cached[1, index], one) for index, one in enumerate(expected))
    for path in [*pairs[0], *pairs[1]]:
        path.unlink()
    assert all(_same(cached[1, index], one) for index, one in enumerate(expected))


def test_caches_of_different_samples_never_mix(
    pairs: tuple[list[Path], list[Path]], tmp_path: Path
) -> None:
    joined = _join(*pairs, tmp_path / "joined")
    ways: list[tuple[Any, ...]] = [pairs, pairs[::-1], (joined, None, "ab"), (joined, None, "ba")]
    looks: list[dict[str, Any]] = [{}, {"jitter": 20}, {"view": "crop"}]

    for _ in range(2):
        for files in ways:
            for look in looks:
                data = PairedDataset(*files, size=16, **look, cache=tmp_path / "cache")
                expected = PairedDataset(*files, size=16, **look)
                assert _same(data[4], expected[4])
