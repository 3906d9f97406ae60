"""Tests of lit_restore.losses.adversarial."""

import math
from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from lit_restore.losses import AdversarialLoss, gradient_penalty
from lit_restore.losses.adversarial import AdversarialKind

LOGITS = torch.tensor([-3.0, -0.5, 0.0, 1.25, 4.0], dtype=torch.float64)
KINDS = get_args(AdversarialKind)
kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.mark.parametrize("real", [True, False])
def test_it_is_the_mean_cross_entropy_of_the_scores_sigmoids(real: bool) -> None:
    likely = [1 / (1 + math.exp(-x)) for x in LOGITS.tolist()]
    expected = -sum(math.log(p if real else 1 - p) for p in likely) / len(likely)
    assert AdversarialLoss()(LOGITS, real=real).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("kind", "real", "fake", "generator"),
    [
        ("lsgan", 16 + 2.25 + 1 + 0.0625 + 9, 9 + 0.25 + 0 + 1.5625 + 16, 28.3125),
        ("hinge", 4 + 1.5 + 1 + 0 + 0, 0 + 0.5 + 1 + 2.25 + 5, -1.75),
        ("wgan-gp", -1.75, 1.75, -1.75),
    ],
)
def test_each_kind_costs_what_its_paper_says(
    kind: AdversarialKind, real: float, fake: float, generator: float
) -> None:
    loss = AdversarialLoss(kind)
    assert loss(LOGITS, real=True).item() == pytest.approx(real / 5, rel=1e-12)
    assert loss(LOGITS, real=False).item() == pytest.approx(fake / 5, rel=1e-12)
    assert loss.generator(LOGITS).item() == pytest.approx(generator / 5, rel=1e-12)


@kinds
def test_a_generator_always_wins_by_higher_scores(kind: AdversarialKind) -> None:
    logits = torch.tensor([-200.0, -3.0, -0.5, 0.5], requires_grad=True)
    AdversarialLoss(kind).generator(logits).backward()
    assert (logits.grad < 0).all()


@kinds
@pytest.mark.parametrize("shape", [(5, 1), (1, 1, 1, 5), (5,)])
def test_a_score_a_picture_and_a_map_of_scores_are_costed_alike(
    kind: AdversarialKind, shape: tuple[int, ...]
) -> None:
    loss, reshaped = AdversarialLoss(kind), LOGITS.reshape(shape)
    torch.testing.assert_close(loss(reshaped, real=True), loss(LOGITS, real=True))
    torch.testing.assert_close(loss.generator(reshaped), loss.generator(LOGITS))


def test_scores_that_are_certain_and_wrong_stay_finite_and_have_a_gradient() -> None:
    logits = torch.tensor([-200.0, 200.0], requires_grad=True)
    loss = AdversarialLoss()
    (loss(logits[:1], real=True) + loss(logits[1:], real=False)).backward()
    assert loss(logits[:1], real=True).item() == 200
    assert logits.grad.tolist() == [-1, 1]


def test_scores_beyond_the_hinge_no_longer_move_the_discriminator() -> None:
    logits = torch.tensor([1.5, -1.5], requires_grad=True)
    loss = AdversarialLoss("hinge")
    (loss(logits[:1], real=True) + loss(logits[1:], real=False)).backward()
    assert logits.grad.tolist() == [0, 0]


@kinds
def test_the_gradient_is_that_of_finite_differences(kind: AdversarialKind) -> None:
    logits = LOGITS.clone().requires_grad_()
    for real in (True, False):
        assert torch.autograd.gradcheck(lambda x, real=real: AdversarialLoss(kind)(x, real), logits)
    assert torch.autograd.gradcheck(AdversarialLoss(kind).generator, logits)


def test_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="one of 'bce', 'lsgan', 'hinge', 'wgan-gp', got 'wgan'"):
        AdversarialLoss("wgan")


def _pictures(seed: int, count: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 2, 4, 5, generator=generator, dtype=torch.float64)


def _slope(length: float) -> Tensor:
    slope = _pictures(9, 1)
    return length * slope / slope.norm()


@pytest.mark.parametrize(("length", "expected"), [(1, 0), (3, 4), (0.25, 0.5625), (0, 1)])
def test_a_critic_of_slope_1_costs_nothing(length: float, expected: float) -> None:
    slope = _slope(length)
    penalty = gradient_penalty(lambda x: (x * slope).sum((1, 2, 3)), _pictures(0), _pictures(1))
    assert penalty.item() == pytest.approx(expected, abs=1e-12)


def test_the_norm_is_a_pictures_and_not_a_pixels_or_a_batchs() -> None:
    slope = _slope(2)
    lengths = torch.tensor([1.0, 2, 3], dtype=torch.float64)
    penalty = gradient_penalty(
        lambda x: lengths * (x * slope).sum((1, 2, 3)), _pictures(0), _pictures(1)
    )
    assert penalty.item() == pytest.approx((1 + 9 + 25) / 3, rel=1e-12)


def test_a_map_of_equal_scores_counts_as_one_score() -> None:
    slope = _slope(3)

    def judge(image: Tensor) -> Tensor:
        return (image * slope).sum((1, 2, 3)).view(-1, 1, 1, 1).expand(-1, 1, 6, 6)

    assert gradient_penalty(judge, _pictures(0), _pictures(1)).item() == pytest.approx(4)


def test_it_looks_between_each_real_picture_and_its_fake_by_one_share_a_picture() -> None:
    seen: list[Tensor] = []

    def judge(image: Tensor) -> Tensor:
        seen.append(image.detach())
        return image.square().sum((1, 2, 3))

    real, fake = _pictures(0, 50), _pictures(1, 50)
    gradient_penalty(judge, real, fake)
    shares = ((seen[0] - fake) / (real - fake)).flatten(1)
    torch.testing.assert_close(shares, shares[:, :1].expand_as(shares))
    assert 0 <= shares.min() < 0.2
    assert 0.8 < shares.max() <= 1
    mixing = torch.tensor([0.0, 1, 0.25], dtype=torch.float64).view(3, 1, 1, 1)
    gradient_penalty(judge, real[:3], fake[:3], mixing)
    torch.testing.assert_close(seen[1][:2], torch.stack([fake[0], real[1]]))


def test_the_critic_learns_from_it_and_the_generator_does_not() -> None:
    judge = nn.Sequential(nn.Flatten(), nn.Linear(40, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    weight = judge[1].weight
    fake = _pictures(1).requires_grad_()
    mixing = torch.full((3, 1, 1, 1), 0.3, dtype=torch.float64)
    gradient_penalty(judge, _pictures(0), fake, mixing).backward()
    assert fake.grad is None
    analytic = weight.grad[2, 3].item()
    with torch.no_grad():
        values = []
        for step in (1e-6, -2e-6):
            weight[2, 3] += step
            values.append(gradient_penalty(judge, _pictures(0), fake, mixing).item())
    assert analytic == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5)


def test_pairs_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="real and fake must have the same shape"):
        gradient_penalty(lambda x: x, _pictures(0, 2), _pictures(1, 3))
