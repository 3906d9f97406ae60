"""Tests of lit_restore.data.joint_augmentation."""

from typing import Any

import pytest
import torch
from torch import Tensor

from lit_restore.data import JointAugmentation
from lit_restore.data.joint_augmentation import paste_objects

EVERYTHING: dict[str, Any] = {
    "turn": True, "rotation": 20, "zoom": (0.8, 1.3), "elastic": 3, "brightness": 0.2,
    "contrast": 0.2, "saturation": 0.2, "hue": 0.1, "noise": 0.1, "blur": 1,
}  # fmt: skip


def _seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _sample(side: int = 24) -> tuple[Tensor, Tensor]:
    """A picture of noise, and labels that number its pixels."""
    return torch.rand(3, side, side, generator=_seeded(9)), torch.arange(side**2).view(side, side)


def _ways(image: Tensor) -> list[Tensor]:
    return [
        one for turned in (image, image.transpose(-1, -2))
        for one in (turned, turned.flip(-1), turned.flip(-2), turned.flip(-1, -2))
    ]  # fmt: skip


def test_mirroring_moves_pixels_and_labels_and_changes_none() -> None:
    image, labels = _sample()
    seen = set()

    for seed in range(12):
        changed, found = JointAugmentation()(image, labels, _seeded(seed))
        mirrored = not torch.equal(found, labels)
        seen.add(mirrored)
        assert torch.equal(found, labels.flip(-1) if mirrored else labels)
        assert torch.equal(changed, image.flip(-1) if mirrored else image)
    assert seen == {False, True}


def test_turning_shows_all_eight_ways_alike_in_both() -> None:
    image, labels = _sample()
    seen = set()

    for seed in range(60):
        changed, found = JointAugmentation(turn=True)(image, labels, _seeded(seed))
        way = next(i for i, one in enumerate(_ways(labels)) if torch.equal(found, one))
        assert torch.equal(changed, _ways(image)[way])
        seen.add(way)
    assert seen == set(range(8))


def test_nothing_asked_for_changes_nothing() -> None:
    image, labels = _sample()
    changed, found = JointAugmentation(flip=False)(image, labels, _seeded())
    assert torch.equal(changed, image)
    assert torch.equal(found, labels)


@pytest.mark.parametrize(
    "options", [{"rotation": 30}, {"zoom": (0.7, 1.4)}, {"elastic": 4}, EVERYTHING], ids=str
)
def test_labels_move_with_their_pixels_and_are_never_mixed(options: dict[str, Any]) -> None:
    """Of each pixel the label tells where it came from, so the picture can be looked up there."""
    side = 32
    ramp = torch.linspace(0, 1, side).expand(3, side, side).contiguous()
    labels = torch.arange(side).expand(side, side).contiguous()
    geometry = {k: v for k, v in options.items() if k in ("turn", "rotation", "zoom", "elastic")}

    for seed in range(5):
        changed, found = JointAugmentation(**geometry).move(ramp, labels, _seeded(seed))
        assert found.dtype == torch.int64
        assert float((changed[0] * (side - 1) - found).abs().max()) <= 0.5 + 1e-3
        assert not torch.equal(found, labels)


def test_colours_leave_labels_alone() -> None:
    image, labels = _sample()
    jitter = JointAugmentation(flip=False, brightness=0.3, hue=0.2, noise=0.1, blur=1)

    changed, found = jitter(image, labels, _seeded())

    assert torch.equal(found, labels)
    assert not torch.allclose(changed, image, atol=0.01)


def test_every_draw_is_the_generators() -> None:
    image, labels = _sample()
    augmentation = JointAugmentation(**EVERYTHING)
    before = torch.get_rng_state()

    results = [augmentation(image, labels, _seeded(seed)) for seed in (3, 3, 4)]

    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])
    assert not torch.equal(results[0][1], results[2][1])


def test_zoom_is_even_in_its_logarithm() -> None:
    """Half of the factors lie below the square root of the ends' product."""
    size = 64
    labels = torch.arange(size).expand(size, size).contiguous()
    augmentation = JointAugmentation(flip=False, zoom=(0.5, 2))

    spans = [
        float(found[0].float().diff()[size // 4 : -size // 4].abs().mean())
        for found in (
            augmentation.move(torch.zeros(1, size, size), labels, _seeded(i))[1] for i in range(100)
        )
    ]

    enlarged = sum(span < 1 for span in spans)
    assert 35 <= enlarged <= 65
    assert 0.45 < min(spans) < 0.6
    assert 1.7 < max(spans) < 2.1


def test_what_lies_beyond_the_edge_may_be_ignored() -> None:
    image, labels = _sample()
    for border, expected in (("ignore", True), ("reflect", False)):
        options: Any = {"flip": False, "zoom": (0.5, 0.5), "border": border}
        _, found = JointAugmentation(**options).move(image, torch.zeros_like(labels), _seeded())
        assert bool((found == 255).any()) is expected


def test_only_labelled_pixels_are_pasted() -> None:
    image, other = torch.zeros(3, 2, 2), torch.ones(3, 2, 2)
    labels, other_labels = torch.tensor([[1, 2], [3, 0]]), torch.tensor([[0, 5], [255, 6]])

    pasted, found = paste_objects(image, labels, other, other_labels)

    assert found.tolist() == [[1, 5], [3, 6]]
    assert pasted.tolist() == [[[0, 1], [0, 1]]] * 3


def test_pasting_happens_as_often_as_told() -> None:
    draws = [JointAugmentation(paste=0.3).pastes(_seeded(seed)) for seed in range(400)]

    assert 90 <= sum(draws) <= 150
    assert not any(JointAugmentation().pastes(_seeded(seed)) for seed in range(20))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"rotation": -1}, "rotation and elastic must not be negative, got -1"),
        ({"elastic": -1}, "rotation and elastic must not be negative, got 0.0 and -1"),
        ({"zoom": (0, 1)}, "zoom must be two factors above 0, the smaller first"),
        ({"zoom": (2, 1)}, r"the smaller first, got \(2, 1\)"),
        ({"border": "edge"}, "border must be 'reflect' or 'ignore', got 'edge'"),
        ({"paste": 1.5}, "paste must be a probability, 0 to 1, got 1.5"),
        ({"brightness": 2}, "brightness must be 0 to 1.0, got 2"),
    ],
)
def test_what_is_out_of_range_is_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        JointAugmentation(**options)
