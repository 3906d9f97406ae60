"""Tests of lit_restore.inference.latent_sampler."""

from typing import Any

import pytest
import torch
from torch import nn

from lit_restore.inference import LatentSampler
from lit_restore.inference.latent_sampler import TOGETHER, between
from lit_restore.models import DCGANGenerator


def tiny(**options: Any) -> DCGANGenerator:
    """A generator whose pictures differ much."""
    torch.manual_seed(0)
    network = DCGANGenerator(**({"latent_size": 5, "size": 8, "width": 4} | options))
    for parameter in network.parameters():
        parameter.data.mul_(20)
    return network


@pytest.mark.parametrize("norm_mode", ["running", "batch"])
def test_a_picture_is_of_its_seed_and_index_whatever_else_is_asked_for(norm_mode: str) -> None:
    sampler = LatentSampler(tiny(norm_mode=norm_mode), 3, "cpu")

    some = sampler([70, 2, 70, 0])

    assert torch.equal(some[0], some[2])
    assert some.shape == (4, 3, 8, 8)
    assert 0 <= some.min() < some.max() <= 1
    torch.testing.assert_close(sampler([2])[0], some[1], atol=1e-6, rtol=0)
    other = LatentSampler(tiny(norm_mode=norm_mode), 4, "cpu")
    assert (other([2])[0] - some[1]).abs().max() > 0.05


@torch.no_grad()
def test_pictures_by_the_batchs_statistics_have_a_company_that_is_always_the_same() -> None:
    network = tiny(norm_mode="batch")
    sampler = LatentSampler(network, 0, "cpu")

    (found,) = sampler([TOGETHER + 1])

    company = [sampler.latent(index) for index in range(TOGETHER, 2 * TOGETHER)]
    made = network(torch.stack(company)) / 2 + 0.5
    torch.testing.assert_close(found, made[1], atol=1e-6, rtol=0)
    alone = network(company[1][None])[0] / 2 + 0.5
    assert (found - alone).abs().max() > 0.02


def test_no_global_randomness_is_used() -> None:
    sampler = LatentSampler(tiny(), 0, "cpu")
    before = torch.random.get_rng_state()

    sampler([0, 1])

    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_way_begins_and_ends_at_its_pictures() -> None:
    sampler = LatentSampler(tiny(), 0, "cpu")

    way = sampler.way(4, 9, 5)

    assert way.shape == (5, 3, 8, 8)
    torch.testing.assert_close(way[[0, -1]], sampler([4, 9]), atol=1e-5, rtol=0)


def test_the_way_between_latents_is_an_arc() -> None:
    first, second = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 3.0])

    half = between(first, second, 0.5)

    torch.testing.assert_close(half, torch.full((2,), 4.5**0.5))
    for share, end in ((0.0, first), (1.0, second)):
        torch.testing.assert_close(between(first, second, share), end)
    torch.testing.assert_close(between(first, 2 * first, 0.5), 1.5 * first)  # an angle of 0
    assert between(first, -first, 0.25).isfinite().all()


def test_a_network_without_latents_is_refused() -> None:
    with pytest.raises(ValueError, match="says its latent_size, got Conv2d, which does not"):
        LatentSampler(nn.Conv2d(3, 3, 1))
    with pytest.raises(ValueError, match="device must be auto, cpu or cuda, got 'gpu'"):
        LatentSampler(tiny(), 0, "gpu")
