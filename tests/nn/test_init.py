"""Tests of lit_restore.nn.init."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from lit_restore.nn import (
    PartialConv2d,
    PartialUpConv2d,
    SameConv2d,
    SameConvTranspose2d,
    glorot_uniform_,
    mean_through_,
    pass_through_,
)

LAYERS = [
    (nn.Conv2d(30, 70, 3), 100 * 9),
    (nn.ConvTranspose2d(30, 70, 5), 100 * 25),
    (SameConvTranspose2d(70, 30, 4), 100 * 16),
    (nn.Linear(200, 300), 500),
]


@pytest.mark.parametrize(("layer", "fans"), LAYERS)
def test_weights_fill_the_range_evenly_and_biases_are_0(layer: nn.Module, fans: int) -> None:
    torch.manual_seed(0)
    assert glorot_uniform_(layer) is layer
    limit = math.sqrt(6 / fans)
    weight = layer.weight.detach() / limit
    assert 0.999 < weight.max() <= 1
    assert -1 <= weight.min() < -0.999
    assert weight.std().item() == pytest.approx(1 / math.sqrt(3), rel=0.02)
    assert layer.bias.eq(0).all()


def test_all_layers_of_a_network_are_drawn_and_nothing_else() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.PReLU(4, init=0.7))
    network.append(nn.Sequential(nn.Conv2d(4, 2, 3, bias=False)))
    network[1].bias.data.fill_(0.3)
    before = {name: value.clone() for name, value in network.named_parameters()}
    glorot_uniform_(network)
    changed = {n for n, value in network.named_parameters() if not torch.equal(value, before[n])}
    assert changed == {"0.weight", "0.bias", "3.0.weight"}


def chain(*channels: int) -> list[SameConv2d]:
    torch.manual_seed(0)
    return [SameConv2d(a, b, 5) for a, b in pairwise(channels)]


def run(convs: list[SameConv2d], image: torch.Tensor) -> torch.Tensor:
    for conv in convs[:-1]:
        image = conv(image).relu()
    return convs[-1](image)


@pytest.mark.parametrize("sources", [(0, 1, 2), (2, 2, 0, 1)])
@pytest.mark.parametrize("widths", [(64, 32), (64, 48, 32), (64,)])
def test_a_chain_begins_near_its_input(widths: tuple[int, ...], sources: tuple[int, ...]) -> None:
    convs = chain(3, *widths, len(sources))
    picture = torch.rand(1, 3, 5, 5).repeat_interleave(6, 2).repeat_interleave(6, 3)
    pass_through_(convs, sources)
    found = run(convs, picture)
    wanted = picture[:, list(sources)]
    assert (found - wanted).square().mean().sqrt() < 0.06
    assert not torch.equal(found, wanted)


def test_the_other_units_see_contrast_alone_and_all_of_them_learn() -> None:
    convs = chain(2, 16, 8, 2)
    pass_through_(convs, range(2))
    image = 0.5 + 0.1 * torch.rand(2, 2, 16, 16)
    inside = (..., slice(2, -2), slice(2, -2))
    before, after = (convs[0](x)[inside] for x in (image, image + 0.3))
    torch.testing.assert_close(before[:, 2:], after[:, 2:])
    torch.testing.assert_close(before[:, :2], image[inside])
    run(convs, image).square().sum().backward()
    for conv in convs:
        assert conv.weight.grad.flatten(1).any(1).all()
        assert conv.bias.grad.all()


def test_what_a_narrow_chain_cannot_hold_is_not_handed_through() -> None:
    convs = chain(3, 8, 2, 3)
    pass_through_(convs, range(3))
    image = torch.rand(1, 3, 1, 1).expand(1, 3, 24, 24)
    found = run(convs, image)[..., 12, 12]
    torch.testing.assert_close(found[0, :2], image[0, :2, 0, 0])
    assert found[0, 2] == 0


def _pyramid() -> tuple[list[PartialConv2d], list[PartialUpConv2d]]:
    encoder = [PartialConv2d(3, 5, 6, 2), PartialConv2d(5, 7, 4, 2)]
    decoder = [PartialUpConv2d(7, 5, 3, 2, 5), PartialUpConv2d(5, 3, 3, 2, 3)]
    mean_through_(encoder, decoder)
    return encoder, decoder


def _fill(image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Fill holes by a pyramid as it begins, without the part of it that was drawn."""
    encoder, decoder = _pyramid()
    with torch.no_grad():
        decoder[-1].weight[:, 3:5] = 0
        first, first_mask = encoder[0](image, mask)
        x, low_mask = encoder[1](first.relu(), first_mask)
        x, low_mask = decoder[0](x.relu(), low_mask, first.relu(), first_mask)
        return decoder[1](nn.functional.leaky_relu(x, 0.2), low_mask, image, mask)[0]


def test_a_pyramid_of_means_fills_holes_with_what_is_around() -> None:
    torch.manual_seed(0)
    image = torch.rand(2, 3, 16, 24) * 0.5 + torch.tensor([0.0, 0.5]).view(2, 1, 1, 1)
    mask = torch.ones(2, 1, 16, 24)
    mask[..., 5:9, 3:20] = 0
    filled = _fill(torch.where(mask == 0, 9.0, image), mask)
    for picture, seen in zip(filled, image, strict=True):
        assert seen.min() < picture.min()
        assert picture.max() < seen.max()
    even = torch.tensor([0.2, 0.5, 0.7]).view(1, 3, 1, 1).expand(2, 3, 16, 24)
    torch.testing.assert_close(_fill(even, mask), even)


def test_the_rest_of_a_pyramid_is_drawn_by_he_s_rule() -> None:
    torch.manual_seed(0)
    convs = [PartialConv2d(3, 64, 6, 2), PartialConv2d(64, 64, 4, 2)]
    ups = [PartialUpConv2d(64, 64, 3, 2, 64), PartialUpConv2d(64, 3, 3, 2, 3)]
    mean_through_(convs, ups)
    for layer, channels in ((convs[1], 64), (ups[0], 128)):
        fan = channels * layer.kernel_size**2
        expected = math.sqrt(2 / (1 + 0.2**2) / fan)
        assert layer.weight[3:].std().item() == pytest.approx(expected, rel=0.03)
        assert layer.bias is not None
        assert layer.bias.eq(0).all()
