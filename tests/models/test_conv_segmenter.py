"""Tests of lit_restore.models.conv_segmenter."""

from typing import Any

import pytest
import torch
from torch import nn

from lit_restore.models import ConvSegmenter
from lit_restore.nn import KerasBatchNorm2d


def test_the_defaults_are_the_notes_six_convolutions() -> None:
    network = ConvSegmenter()
    convs = [one for one in network.modules() if isinstance(one, nn.Conv2d)]
    assert [one.in_channels for one in convs] == [3, *[32] * 6]
    assert [one.kernel_size for one in convs] == [*[(3, 3)] * 6, (1, 1)]
    assert all(one.bias is not None for one in convs)
    found = sum(value.numel() for value in network.parameters())
    assert found == 9 * 32 * (3 + 5 * 32) + 6 * 3 * 32 + 33


@pytest.mark.parametrize("order", ["can", "cna"])
def test_relu_and_batch_norm_stand_in_the_order_that_is_asked_for(order: Any) -> None:
    torch.manual_seed(0)
    network = ConvSegmenter(width=4, depth=2, num_classes=3, order=order).eval().double()
    image = torch.rand(2, 3, 7, 9, dtype=torch.float64)
    for block in network.blocks:
        nn.init.normal_(block.norm.bias)
    x = image
    for block in network.blocks:
        x = block.conv(x)
        x = block.norm(x.relu()) if order == "can" else block.norm(x).relu()
    expected = network.head(x)
    assert expected.shape == (2, 3, 7, 9)
    assert expected.min() < 0  # logits
    torch.testing.assert_close(network(image), expected, rtol=0, atol=1e-12)


def test_no_pixel_looks_further_than_there_are_convolutions() -> None:
    network = ConvSegmenter(width=4, depth=3).eval()
    torch.manual_seed(0)
    image = torch.rand(1, 3, 15, 15, requires_grad=True)
    network(image)[0, 0, 7, 7].backward()
    rows = image.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    assert rows.tolist() == list(range(4, 11))


def test_the_style_is_whose_batch_norm_and_first_weights_it_has() -> None:
    torch.manual_seed(0)
    theirs, ours = ConvSegmenter(style="keras"), ConvSegmenter()
    for block in theirs.blocks:
        assert isinstance(block.norm, KerasBatchNorm2d)
        assert (block.norm.eps, block.norm.momentum) == (1e-3, 0.01)
    assert all(type(block.norm) is nn.BatchNorm2d for block in ours.blocks)
    limit = (6 / (9 * 64)) ** 0.5  # Glorot's
    assert limit * 0.99 < theirs.blocks[3].conv.weight.abs().max() <= limit
    deviation = float(ours.blocks[3].conv.weight.std())
    assert deviation == pytest.approx((2 / (9 * 32)) ** 0.5, rel=0.05)
    for network in (theirs, ours):
        assert not any(block.conv.bias.any() for block in network.blocks)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"order": "acn"}, "order must be"), ({"style": "tf"}, "style must be"),
     ({"depth": 0}, "depth must be at least 1, got 0"), ({"num_classes": 0}, "num_classes must")],
)  # fmt: skip
def test_what_it_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ConvSegmenter(**options)


def test_a_picture_of_other_channels_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected shape \(N, 3, H, W\), got \(1, 1, 8, 8\)"):
        ConvSegmenter(width=4)(torch.rand(1, 1, 8, 8))
