"""Tests of lit_restore.data._look."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from lit_restore.data._look import Look


def _draw(look: Look, image: Tensor, seed: int) -> Tensor:
    return look.show(look.prepare(image), torch.Generator().manual_seed(seed))


def _noise(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, shape, generator=generator, dtype=torch.uint8)


def _by_pillow(image: Tensor, side: int) -> Tensor:
    picture = Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())
    small = picture.resize((side, side), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1)


def _places(image: Tensor, side: int) -> list[Tensor]:
    rows, columns = (length - side + 1 for length in image.shape[-2:])
    return [image[:, i : i + side, j : j + side] for i in range(rows) for j in range(columns)]


@pytest.mark.parametrize("shape", [(3, 20, 31), (3, 5, 7)])
def test_a_resized_picture_is_pillows_bicubic(shape: tuple[int, ...]) -> None:
    image = _noise(*shape)
    assert torch.equal(_draw(Look(12), image, 0), _by_pillow(image, 12))


def test_jitter_cuts_every_square_of_the_resized_picture_and_mirrors_half() -> None:
    image = _noise(3, 20, 31)
    square = _by_pillow(image, 10)
    ways = [
        tuple(way.flatten().tolist()) for way in _places(square, 8) + _places(square.flip(-1), 8)
    ]

    look = Look(8, jitter=10, flip=True)
    seen = Counter(tuple(_draw(look, image, seed).flatten().tolist()) for seed in range(900))

    assert set(seen) == set(ways)
    assert len(ways) == 18
    assert min(seen.values()) > 25  # of 50


def test_a_crop_has_the_pictures_own_pixels() -> None:
    image = _noise(3, 11, 9)
    ways = [tuple(place.flatten().tolist()) for place in _places(image, 8)]

    seen = {tuple(_draw(Look(8, "crop"), image, seed).flatten().tolist()) for seed in range(100)}

    assert seen == set(ways)


def test_a_zoom_reduces_squares_of_every_side() -> None:
    image = torch.arange(32).repeat(3, 32, 1).mul(8).to(torch.uint8)  # grows from left to right

    spans = [
        int(_draw(Look(8, "zoom"), image, seed)[0, 0].int().diff().max()) for seed in range(60)
    ]

    assert min(spans) == 8  # the picture's own pixels
    assert max(spans) > 24  # nearly the whole picture
    assert {tuple(_draw(Look(8, "zoom"), image, seed).shape) for seed in range(9)} == {(3, 8, 8)}


@pytest.mark.parametrize(
    ("multiple_of", "expected"), [(None, (16, 24)), (5, (20, 30)), (1, (21, 31))]
)
def test_a_whole_picture_is_cut_at_the_right_and_bottom(
    multiple_of: int | None, expected: tuple[int, int]
) -> None:
    image = _noise(3, 21, 31)

    whole = _draw(Look(8, "whole", multiple_of=multiple_of), image, 0)

    assert torch.equal(whole, image[:, : expected[0], : expected[1]])


def test_turning_gives_all_eight_ways_and_flipping_two() -> None:
    image = _noise(3, 8, 8)

    for turn, flip, count in ((True, True, 8), (False, True, 2), (False, False, 1)):
        look = Look(8, turn=turn, flip=flip)
        assert len({_draw(look, image, seed).numpy().tobytes() for seed in range(100)}) == count


@pytest.mark.parametrize(
    "options",
    [{"jitter": 20}, {"view": "crop"}, {"view": "zoom"}, {"view": "whole"}, {}],
    ids=lambda options: str(options),
)
def test_pictures_in_one_tensor_are_seen_alike(options: dict[str, Any]) -> None:
    image = _noise(3, 40, 50)
    look = Look(16, flip=True, turn=True, **options)

    for seed in range(20):
        both = _draw(look, torch.stack((image, image.flip(0)), 1), seed)
        assert torch.equal(both[:, 0], _draw(look, image, seed))
        assert torch.equal(both[:, 1], both[:, 0].flip(0))


@pytest.mark.parametrize("options", [{}, {"jitter": 18}, {"view": "zoom"}])
def test_no_thin_line_is_dropped(options: dict[str, Any]) -> None:
    look = Look(16, **options)

    for place in range(64):
        image = torch.zeros(3, 64, 64, dtype=torch.uint8)
        image[:, :, place] = 255
        small = look.prepare(image)
        assert small.amax() > 30
        assert small.float().mean() == pytest.approx(image.float().mean(), rel=0.5)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"size": 8, "jitter": 7}, r"jitter must be at least size.*got 7 for 8"),
        ({"size": 0}, r"at least 1, got 0 and None"),
        ({"size": 8, "multiple_of": 0}, r"at least 1, got 8 and 0"),
        ({"size": 8, "view": "squeeze"}, r"one of resize, crop, zoom, whole, got 'squeeze'"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Look(**options)


def test_only_what_is_not_resized_must_be_large() -> None:
    looks = [Look(8), Look(8, "crop"), Look(8, "zoom"), Look(8, "whole", multiple_of=3)]
    assert [look.least for look in looks] == [1, 8, 8, 3]
