"""Tests of lit_restore.models.partial_conv_net."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lit_restore.checkpoints import load_network, save_network
from lit_restore.models import PartialConvNet


def picture(count: int = 2, height: int = 24, width: int = 40) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    mask = torch.ones(count, 1, height, width)
    mask[:, :, 3:19, 5:30] = 0
    return torch.rand(count, 3, height, width, generator=generator), mask


def test_it_is_the_notes_network() -> None:
    network = PartialConvNet()
    shapes = [tuple(conv.weight.shape) for conv in network.convs]
    widths = (3, 64, 128, 256, 256, 128, 128, 3)
    assert shapes == [(b, a, 3, 3) for a, b in pairwise(widths)]
    assert all(conv.bias is None and conv.normalize == "count" for conv in network.convs)
    assert [getattr(conv, "scale", 1 / conv.stride) for conv in network.convs] == [
        *(0.5, 0.5, 0.5, 1, 2, 2, 2)
    ]
    assert {norm.eps for norm in network.norms} == {1e-3}
    assert 0.95 < network.convs[3].weight.std() < 1.05


@pytest.mark.parametrize("norm", ["batch", "region"])
def test_it_keeps_the_size_and_gives_a_picture(norm: Any) -> None:
    output = PartialConvNet(norm, 0.1)(*picture())
    assert output.shape == (2, 3, 24, 40)
    assert ((output > 0) & (output < 1)).all()


@pytest.mark.parametrize("norm", ["batch", "region"])
@pytest.mark.parametrize("training", [True, False])
def test_what_is_in_the_hole_never_matters(norm: Any, training: bool) -> None:
    network = PartialConvNet(norm, 0.1).train(training)
    image, mask = picture()
    results = []
    for fill in (0.3, float("nan")):
        network.zero_grad()
        output = network(image.masked_fill(mask == 0, fill), mask)
        output.square().mean().backward()
        results.append([output.detach(), *(one.grad.clone() for one in network.parameters())])
    for one, other in zip(*results, strict=True):
        assert one.isfinite().all()
        assert torch.equal(one, other)


def test_a_picture_that_is_a_hole_is_filled_with_finite_numbers() -> None:
    network = PartialConvNet(width_scale=0.1)
    image, mask = picture()
    assert network(image, mask * 0).isfinite().all()


@pytest.mark.parametrize("norm", ["batch", "region"])
def test_it_learns(norm: Any) -> None:
    torch.manual_seed(0)
    network, (image, mask) = PartialConvNet(norm, 0.1), picture()
    optimizer = torch.optim.Adam(network.parameters(), 0.02)
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        loss = (network(image, mask) - image).abs().mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]


def test_it_is_rebuilt_from_its_file(tmp_path: Path) -> None:
    network = PartialConvNet("region", 0.1).eval()
    save_network(network, tmp_path / "net.safetensors")
    loaded = load_network(tmp_path / "net.safetensors")
    assert (loaded.norm, loaded.width_scale) == ("region", 0.1)
    assert torch.equal(loaded(*picture()), network(*picture()))


def test_a_width_of_three_is_a_width_like_any_other() -> None:
    network = PartialConvNet(width_scale=0.03)
    assert network.convs[0].out_channels == 2
    assert len(network.norms) == 6
    assert PartialConvNet(width_scale=3 / 64).norms[0].num_features == 3


def test_what_it_cannot_take_is_refused() -> None:
    network = PartialConvNet(width_scale=0.1)
    with pytest.raises(ValueError, match="must be multiples of 8, got 24x41"):
        network(torch.rand(1, 3, 24, 41), torch.ones(1, 1, 24, 41))
    with pytest.raises(ValueError, match=r"mask must have shape \(1, 1, 24, 40\)"):
        network(torch.rand(1, 3, 24, 40), torch.ones(1, 3, 24, 40))
    unknown: Any = "instance"
    with pytest.raises(ValueError, match="norm must be 'batch' or 'region', got 'instance'"):
        PartialConvNet(unknown)
