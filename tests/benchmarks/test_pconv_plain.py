"""Tests of benchmarks.pconv_plain: the plain ports do the same work as the library."""

import pytest
import torch
from torch import Tensor, nn

from benchmarks.pconv_plain import Masks, NotesNet, UNet
from benchmarks.pconv_torch import HOLES, SIZE
from lit_restore.models import PartialConvNet, PartialConvUNet


def _same_weights(plain: nn.Module, ours: nn.Module) -> None:
    """Give ours the plain network's parameters and statistics, drawn anew, kind by kind."""
    torch.manual_seed(0)
    for kind in ("conv", "norm"):
        theirs, mine = (
            [
                value
                for name, value in network.state_dict().items()
                if ("norm" in name or "tracked" in name) == (kind == "norm")
            ]
            for network in (plain, ours)
        )
        for one, other in zip(theirs, mine, strict=True):
            if one.is_floating_point() and one.ndim == 1:
                nn.init.uniform_(one, 0.5, 1.5)
            other.copy_(one)


def _picture() -> tuple[Tensor, Tensor]:
    mask = torch.ones(2, 1, 32, 48)
    mask[:, :, 5:27, 9:40] = 0
    return torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(0)), mask


@pytest.mark.parametrize("training", [True, False])
def test_its_dense_unet_is_ours(training: bool) -> None:
    plain, ours = UNet((4, 6, 8), (5, 3), "dense"), PartialConvUNet((4, 6, 8), (5, 3))
    _same_weights(plain, ours)
    networks = [network.train(training) for network in (plain, ours)]
    theirs, mine = (network(*_picture()) for network in networks)
    torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("masks", ["dense", "none"])
def test_every_form_of_the_unet_has_as_many_parameters(masks: Masks) -> None:
    sizes = [
        sum(value.numel() for value in network.parameters())
        for network in (UNet((4, 6), (5, 3), masks), PartialConvUNet((4, 6), (5, 3)))
    ]
    assert sizes[0] == sizes[1]


def test_without_masks_it_reads_holes() -> None:
    network, (image, mask) = UNet((4, 6), (5, 3), "none"), _picture()
    assert not torch.equal(network(image, mask), network(image * mask, mask))


def test_its_notes_network_is_ours() -> None:
    ours = PartialConvNet(width_scale=0.1).eval()
    plain = NotesNet([conv.out_channels for conv in ours.convs]).eval()
    _same_weights(plain, ours)
    torch.testing.assert_close(ours(*_picture()), plain(*_picture()), rtol=1e-4, atol=1e-4)


def test_a_third_of_the_pictures_is_holes() -> None:
    mask = torch.ones(SIZE, SIZE)
    for top, bottom, left, right in HOLES:
        mask[top:bottom, left:right] = 0
    assert 0.6 < mask.mean() < 0.75
