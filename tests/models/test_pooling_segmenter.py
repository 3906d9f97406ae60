"""Tests of lit_restore.models.pooling_segmenter."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.models import PoolingSegmenter
from lit_restore.nn import KerasBatchNorm2d


def awake(**options: Any) -> PoolingSegmenter:
    """A network in float64 and eval mode, each of whose values is its own."""
    torch.manual_seed(0)
    network = PoolingSegmenter(width=4, **options).double().eval()
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.randn_like(value) * 0.5)
            if name.endswith("running_var"):
                value.abs_().add_(0.5)
    return network


def block(layer: Any, x: Tensor) -> Tensor:
    return layer.norm(layer.conv(x).relu())


def by_hand(network: PoolingSegmenter, image: Tensor) -> Tensor:
    """The notes' list of layers."""
    fine = block(network.fine[1], block(network.fine[0], image))
    small = F.max_pool2d(fine, 2)
    x = block(network.coarse[1], block(network.coarse[0], small))
    match network.upsample:
        case "nearest":
            x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        case "bilinear":
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        case "transposed":
            up = network.up
            x = F.conv_transpose2d(x, up.conv.weight, up.conv.bias, stride=2)
            x = up.norm(x.relu())
    if network.skip:
        x = block(network.fuse, torch.cat([x, fine], dim=1))
    return network.head(block(network.last[1], block(network.last[0], x)))


@pytest.mark.parametrize("upsample", ["nearest", "bilinear", "transposed"])
@pytest.mark.parametrize("skip", [False, True])
def test_it_is_the_notes_network_written_out(upsample: Any, skip: bool) -> None:
    network = awake(upsample=upsample, skip=skip)
    image = torch.rand(2, 3, 6, 10, dtype=torch.float64)
    found = network(image)
    assert found.shape == (2, 3, 6, 10)
    torch.testing.assert_close(found, by_hand(network, image), rtol=0, atol=1e-12)


def test_a_skip_brings_what_pooling_took_away() -> None:
    """Two pictures that differ where the maximum does not are told apart by the skip alone."""
    network, blind = awake(skip=True), awake()
    image = torch.rand(1, 3, 6, 6, dtype=torch.float64)
    maps = network.fine(image).detach()
    highest = F.interpolate(F.max_pool2d(maps, 2), scale_factor=2)
    changed = torch.where(maps == highest, maps, maps - 1)
    results = []
    for one in (network, blind):
        for given in (maps, changed):
            one.fine = nn.Module()
            one.fine.forward = lambda _, given=given: given
            results.append(one(image))
    assert (results[0] - results[1]).abs().max() > 1e-3
    assert torch.equal(results[2], results[3])


def test_the_style_reaches_every_layer() -> None:
    network = PoolingSegmenter(upsample="transposed", skip=True, style="keras")
    norms = [one for one in network.modules() if isinstance(one, nn.BatchNorm2d)]
    assert len(norms) == 8
    assert all(isinstance(one, KerasBatchNorm2d) for one in norms)
    limit = (6 / (4 * 64)) ** 0.5
    assert limit * 0.99 < network.up.conv.weight.abs().max() <= limit
    he = PoolingSegmenter(upsample="transposed").up.conv
    deviation = float(he.weight.std())
    assert deviation == pytest.approx((2 / 32) ** 0.5, rel=0.05)  # one product a channel


def test_convolutions_before_batch_norm_have_no_bias() -> None:
    network = PoolingSegmenter(upsample="transposed", skip=True, order="cna")
    convs = {path: one for path, one in network.named_modules() if hasattr(one, "kernel_size")}
    biased = [path for path, one in convs.items() if getattr(one, "bias", None) is not None]
    assert biased == ["head"]
    assert network.up(torch.rand(1, 32, 2, 2)).min() == 0  # ReLU is last


@pytest.mark.parametrize(
    ("options", "message"),
    [({"upsample": "cubic"}, "upsample must be 'nearest' or"), ({"order": "x"}, "order must be"),
     ({"width": 0}, "width must be at least 1"), ({"style": "x"}, "style must be")],
)  # fmt: skip
def test_what_it_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PoolingSegmenter(**options)


def test_an_odd_size_is_refused() -> None:
    with pytest.raises(ValueError, match="must be multiples of 2, got 6x7"):
        PoolingSegmenter(width=4)(torch.rand(1, 3, 6, 7))
