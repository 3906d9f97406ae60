"""Tests of lit_restore.data.mixing, and of what all mixings have in common."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from lit_restore.data import CutMix, Cutout, Mixing, MixingCollate, Mixup, OneOf
from lit_restore.data.mixing import beta, partners

CLASSES = 5
MIXINGS: list[Mixing] = [
    CutMix(),
    CutMix(alpha=0.3, probability=0.5),
    Mixup(),
    Mixup(alpha=1.0),
    Cutout(5),
    OneOf([CutMix(), Mixup()]),
]


def _generators(count: int, seed: int = 0) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(1000 * seed + index) for index in range(count)]


def _batch(count: int, height: int = 6, width: int = 7, seed: int = 0) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    images = torch.rand(count, 3, height, width, generator=random)
    return images, torch.eye(CLASSES)[torch.arange(count) % CLASSES]


class _Add(Mixing):
    """Adds a number, to tell which mixing was drawn."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(
        self, images: Tensor, labels: Tensor, generators: Sequence[torch.Generator]
    ) -> tuple[Tensor, Tensor]:
        return images + self.value, labels


@given(
    mixing=st.sampled_from(MIXINGS),
    count=st.integers(2, 9),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=150, deadline=None)
def test_labels_stay_shares_and_what_is_given_stays_as_it_was(
    mixing: Mixing, count: int, height: int, width: int, seed: int
) -> None:
    images, labels = _batch(count, height, width, seed)
    before = images.clone(), labels.clone()

    mixed, shares = mixing(images, labels, _generators(count, seed))
    again = mixing(images, labels, _generators(count, seed))

    assert mixed.shape == images.shape
    assert mixed.dtype == shares.dtype == torch.float32
    torch.testing.assert_close(shares.sum(1), torch.ones(count))
    assert shares.min() >= 0
    assert mixed.min() >= 0
    assert mixed.max() <= 1
    assert torch.equal(images, before[0])
    assert torch.equal(labels, before[1])
    assert torch.equal(mixed, again[0])
    assert torch.equal(shares, again[1])
    mixed.fill_(7)
    shares.fill_(7)
    assert torch.equal(images, before[0])
    assert torch.equal(labels, before[1])


@given(
    mixing=st.sampled_from([CutMix(), Mixup(), Mixup(alpha=1.0)]),
    count=st.integers(2, 7),
    size=st.integers(1, 40),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=100, deadline=None)
def test_a_label_is_what_is_seen(mixing: Mixing, count: int, size: int, seed: int) -> None:
    """Pictures of class k are k everywhere: then the mean pixel is the label's mean class."""
    classes = torch.arange(count) % CLASSES
    images = classes.double().reshape(-1, 1, 1, 1).expand(-1, 3, size, size + 3)

    mixed, shares = mixing(images, torch.eye(CLASSES).double()[classes], _generators(count, seed))

    seen = mixed.mean(dim=(1, 2, 3))
    torch.testing.assert_close(seen, shares @ torch.arange(CLASSES).double(), atol=1e-9, rtol=0)


@pytest.mark.parametrize(
    "mixing", [CutMix(probability=0), Mixup(probability=0), Cutout(3, probability=0)], ids=str
)
def test_a_probability_of_0_leaves_a_batch_as_it_is(mixing: Mixing) -> None:
    images, labels = _batch(5)

    mixed, shares = mixing(images, labels, _generators(5))

    assert torch.equal(mixed, images)
    assert torch.equal(shares, labels)


@pytest.mark.parametrize("mixing", [CutMix(), Mixup(), Cutout(4)], ids=str)
def test_a_probability_is_that_of_each_picture(mixing: Mixing) -> None:
    always, often = mixing, type(mixing)(**{**vars(mixing), "probability": 0.3})
    images, labels = _batch(400)

    changed = [
        (one(images, labels, _generators(400))[0] != images).flatten(1).any(1).float().mean()
        for one in (always, often)
    ]

    assert changed[0] > 0.9
    assert 0.2 < changed[1] < 0.4


@pytest.mark.parametrize("mixing", [CutMix(), Mixup(), Cutout(4)], ids=str)
def test_what_becomes_of_a_sample_is_drawn_from_its_own_generator(mixing: Mixing) -> None:
    images, labels = _batch(6)
    generators = _generators(6)
    others = _generators(6)
    others[4] = torch.Generator().manual_seed(99)

    one, other = (mixing(images, labels, each)[0] for each in (generators, others))

    different = (one != other).flatten(1).any(1)
    assert different.tolist() == [index == 4 for index in range(6)]


@pytest.mark.parametrize("count", [2, 3, 8, 33])
def test_nobody_is_his_own_partner_and_everybody_is_somebodys(count: int) -> None:
    for seed in range(20):
        found = partners(torch.Generator().manual_seed(seed), count)

        assert sorted(found) == list(range(count))
        assert all(one != other for one, other in enumerate(found))


def test_all_others_are_partners_alike_often() -> None:
    found = [partners(torch.Generator().manual_seed(seed), 5)[0] for seed in range(2000)]

    assert stats.chisquare([found.count(other) for other in range(1, 5)]).pvalue > 1e-4


@pytest.mark.parametrize("alpha", [0.2, 0.5, 1.0, 3.0])
def test_shares_are_of_a_beta_distribution(alpha: float) -> None:
    random = torch.Generator().manual_seed(0)

    drawn = [beta(random, alpha) for _ in range(4000)]

    assert stats.kstest(drawn, stats.beta(alpha, alpha).cdf).pvalue > 1e-3


def test_a_tiny_alpha_is_a_coin() -> None:
    random = torch.Generator().manual_seed(0)

    drawn = [beta(random, 1e-6) for _ in range(300)]

    assert all(min(share, 1 - share) < 1e-6 for share in drawn)
    assert 100 < sum(round(share) for share in drawn) < 200


def test_one_of_several_is_drawn_as_often_as_asked_for() -> None:
    one_of = OneOf([_Add(1), _Add(2)], [0.5, 0.2])
    labels = torch.eye(2)

    drawn = [
        int(one_of(torch.zeros(2, 1, 1, 1), labels, _generators(2, seed))[0][0])
        for seed in range(1500)
    ]

    assert (
        stats.chisquare([drawn.count(value) for value in range(3)], [450, 750, 300]).pvalue > 1e-4
    )


def test_one_of_several_is_always_drawn_unless_told_otherwise() -> None:
    one_of = OneOf([_Add(1), _Add(2), _Add(3)])

    drawn = {
        int(one_of(torch.zeros(2, 1, 1, 1), torch.eye(2), _generators(2, seed))[0][0])
        for seed in range(60)
    }

    assert drawn == {1, 2, 3}


def test_a_batch_is_mixed_by_its_samples_seeds_and_keeps_everything_else() -> None:
    images, labels = _batch(4)
    samples = [
        {"input": images[i], "label": i % CLASSES, "path": f"{i}.png", "mixing_seed": 10 + i}
        for i in range(4)
    ]
    collate = MixingCollate([Cutout(3), CutMix()], CLASSES)

    batch = collate(samples)

    generators = [torch.Generator().manual_seed(10 + index) for index in range(4)]
    cut, shares = Cutout(3)(images, labels, generators)
    expected, shares = CutMix()(cut, shares, generators)
    assert set(batch) == {"input", "label", "path", "mixed_label"}
    assert torch.equal(batch["input"], expected)
    assert torch.equal(batch["mixed_label"], shares)
    assert batch["mixed_label"].dtype == torch.float32
    assert batch["label"].tolist() == [0, 1, 2, 3]
    assert batch["path"] == ["0.png", "1.png", "2.png", "3.png"]


def test_what_cannot_be_mixed_is_refused() -> None:
    images, labels = _batch(2)
    generators = _generators(2)
    for mixing in (CutMix(), Mixup()):
        with pytest.raises(ValueError, match="expected a batch of 2 or more, got 1"):
            mixing(images[:1], labels[:1], generators[:1])
    for mixing in (CutMix(), Mixup(), Cutout(2), OneOf([CutMix()])):
        with pytest.raises(ValueError, match="2 images, 2 labels and 1 generators"):
            mixing(images, labels, generators[:1])
        with pytest.raises(ValueError, match=r"got torch\.int64"):
            mixing(images, labels.long(), generators)
        with pytest.raises(ValueError, match=r"labels of shape \(2,\)"):
            mixing(images, labels[:, 0], generators)
        with pytest.raises(ValueError, match=r"got torch\.uint8 of shape"):
            mixing(images.to(torch.uint8), labels, generators)


def test_options_that_make_no_sense_are_refused() -> None:
    for make in (CutMix, Mixup):
        with pytest.raises(ValueError, match="alpha must be above 0, got 0"):
            make(alpha=0)
        with pytest.raises(ValueError, match="probability must be a probability"):
            make(probability=1.5)
    with pytest.raises(ValueError, match="at least one mixing"):
        OneOf([])
    with pytest.raises(ValueError, match="got 1 and 2"):
        OneOf([CutMix()], [0.5, 0.5])
    with pytest.raises(ValueError, match="at most 1 in sum"):
        OneOf([CutMix(), Mixup()], [0.7, 0.7])
    with pytest.raises(ValueError, match="probabilities must be a probability"):
        OneOf([CutMix(), Mixup()], [-0.7, 0.7])


def test_a_mixing_tells_what_it_was_made_with() -> None:
    assert repr(OneOf([CutMix()], [0.5])) == (
        "OneOf(mixings=[CutMix(alpha=1.0, probability=1.0)], probabilities=[0.5])"
    )
