"""Tests of lit_restore.data._labelled_look."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from lit_restore.data._labelled_look import LabelledLook, fitted_size
from lit_restore.data.resize import resize_bicubic_pillow


def _numbered(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Labels of noise, and a picture that has them as its levels."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(250, (height, width), generator=generator, dtype=torch.uint8)
    return labels.expand(3, -1, -1).contiguous(), labels


def _show(look: LabelledLook, both: tuple[Tensor, Tensor], seed: int = 0) -> tuple[Tensor, Tensor]:
    return look.show(*look.prepare(*both), torch.Generator().manual_seed(seed))


def _by_pillow(labels: Tensor, height: int, width: int) -> Tensor:
    image = Image.fromarray(labels.numpy()).resize((width, height), Image.Resampling.NEAREST)
    return torch.from_numpy(np.array(image))


@pytest.mark.parametrize(("height", "width"), [(30, 41), (16, 16), (12, 40), (9, 9)])
def test_a_crop_is_the_same_place_of_both(height: int, width: int) -> None:
    seen = set()

    for seed in range(20):
        picture, labels = _show(LabelledLook(16, "crop"), _numbered(height, width), seed)
        assert picture.shape == (3, 16, 16)
        assert labels.shape == (16, 16)
        inside = labels != 255
        assert torch.equal(picture[0][inside], labels[inside])
        assert int(inside.sum()) == min(height, 16) * min(width, 16)
        seen.add(labels.numpy().tobytes())
    assert (len(seen) > 1) is (max(height, width) > 16)


def test_whole_pictures_lose_nothing_and_their_padding_is_ignored() -> None:
    both = _numbered(30, 41)

    picture, labels = _show(LabelledLook(16, "whole", multiple_of=8), both)

    assert picture.shape == (3, 32, 48)
    assert torch.equal(picture[:, :30, :41], both[0])
    assert torch.equal(labels[:30, :41], both[1])
    assert (labels[30:] == 255).all()
    assert (labels[:, 41:] == 255).all()
    assert torch.equal(picture[:, 31, :41], both[0][:, 29])
    assert torch.equal(picture[:, :30, 47], both[0][:, :, 40])
    alone = _show(LabelledLook(16, "whole"), both)
    assert all(map(torch.equal, alone, both))


@pytest.mark.parametrize("size", [7, 16, 45])
def test_a_squeezed_picture_is_bicubic_and_its_labels_are_pillows_nearest(size: int) -> None:
    both = _numbered(30, 41)

    picture, labels = _show(LabelledLook(size, "resize"), both)

    assert torch.equal(picture, resize_bicubic_pillow(both[0], (size, size)))
    assert torch.equal(labels, _by_pillow(both[1], size, size))


def test_zoomed_squares_show_much_and_little_and_never_mix_labels() -> None:
    picture = torch.arange(120, dtype=torch.uint8).expand(3, 120, 120).contiguous()
    labels = torch.where(picture[0] < 60, 3, 200).to(torch.uint8)
    spans = []

    for seed in range(40):
        shown, found = _show(LabelledLook(16, "zoom"), (picture, labels), seed)
        assert shown.shape == (3, 16, 16)
        assert set(found.unique().tolist()) <= {3, 200}
        away = (shown[0].int() - 60).abs() > 8  # a new pixel covers 7.5 old ones at most
        assert torch.equal((found == 200)[away], (shown[0] >= 60)[away])
        spans.append(int(shown[0, 0, -1]) - int(shown[0, 0, 0]))
    assert min(spans) < 20
    assert max(spans) > 90


@pytest.mark.parametrize("view", ["crop", "zoom", "whole"])
def test_the_longer_side_is_brought_to_the_working_side_first(view: Any) -> None:
    both = _numbered(30, 60)
    expected = resize_bicubic_pillow(both[0], (10, 20)), _by_pillow(both[1], 10, 20)
    look = LabelledLook(8, view, working_side=20)

    prepared = look.prepare(*both)

    assert look.prepared_size((30, 60)) == (10, 20)
    assert all(map(torch.equal, prepared, expected))


@pytest.mark.parametrize(
    ("size", "side", "expected"),
    [
        ((144, 256), 128, (72, 128)),
        ((455, 256), 128, (128, 72)),
        ((10, 20), 40, (20, 40)),
        ((5, 6), 3, (3, 3)),  # 2.5 is rounded up
        ((1, 1000), 10, (1, 10)),
        ((7, 7), 7, (7, 7)),
    ],
)
def test_the_other_side_follows(
    size: tuple[int, int], side: int, expected: tuple[int, int]
) -> None:
    assert fitted_size(size, side) == expected


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"view must be one of .*, got 'tile'"):
        LabelledLook(16, "tile")  # type: ignore[arg-type]
    for options in ({"size": 0}, {"size": 4, "multiple_of": 0}, {"size": 4, "working_side": -2}):
        with pytest.raises(ValueError, match="must be at least 1"):
            LabelledLook(**options)
