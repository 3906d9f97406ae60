"""Tests of lit_restore.data.mixup; what mixings have in common is in test_mixing."""

import torch
from scipy import stats

from lit_restore.data import Mixup


def test_each_picture_is_a_blend_of_itself_and_one_other() -> None:
    images = torch.eye(4, dtype=torch.float64).reshape(4, 4, 1, 1)
    labels = torch.eye(4, dtype=torch.float64)
    generators = [torch.Generator().manual_seed(index) for index in range(4)]

    mixed, shares = Mixup(alpha=1.0)(images, labels, generators)

    assert torch.equal(mixed.flatten(1), shares)  # what is seen of each is what the label says
    assert ((shares > 0).sum(1) == 2).all()
    assert (shares.diagonal() > 0).all()
    assert len(shares.diagonal().unique()) == 4  # a share of each sample's own


def test_what_is_kept_of_a_picture_is_of_the_beta_distribution() -> None:
    images, labels = torch.zeros(2000, 1, 1, 1), torch.eye(2000)
    generators = [torch.Generator().manual_seed(index) for index in range(2000)]

    _, shares = Mixup(alpha=0.4)(images, labels, generators)

    assert stats.kstest(shares.diagonal().numpy(), stats.beta(0.4, 0.4).cdf).pvalue > 1e-3
