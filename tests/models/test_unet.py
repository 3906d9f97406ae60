"""Tests of lit_restore.models.unet."""

from itertools import product
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.models import UNet
from lit_restore.nn import KerasBatchNorm2d

PAPER: dict[str, Any] = {"in_channels": 1, "num_classes": 2, "padding": "valid"}
SMALL: dict[str, Any] = {"widths": (3, 4, 5)}
WAYS = ("transposed", "nearest", "bilinear")


def awake(**options: Any) -> UNet:
    """A network in float64 and eval mode, each of whose values is its own."""
    torch.manual_seed(0)
    network = UNet(**SMALL | options).double().eval()
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.randn_like(value) * 0.3)
            if name.endswith("running_var"):
                value.abs_().add_(0.5)
    return network


def crop(maps: Tensor, like: Tensor) -> Tensor:
    lost = (maps.shape[-1] - like.shape[-1]) // 2
    return maps[..., lost : maps.shape[-2] - lost, lost : maps.shape[-1] - lost]


def by_hand(network: UNet, image: Tensor) -> Tensor:
    """Figure 1 of the paper."""
    pad = 1 if network.padding == "same" else 0

    def stage(layers: Any, x: Tensor) -> Tensor:
        for layer in layers:
            x = F.conv2d(x, layer.conv.weight, layer.conv.bias, padding=pad)
            x = layer.norm(x.relu()) if network.order == "can" else layer.norm(x).relu()
        return x

    skips, x = [], image
    for layers in network.encoder:
        skips.append(stage(layers, x))
        x = F.max_pool2d(skips[-1], 2)
    x = stage(network.bottom, x)
    for up, layers in zip(network.up, network.decoder, strict=True):
        x = F.conv_transpose2d(x, up.weight, up.bias, stride=2)
        x = stage(layers, torch.cat([x, crop(skips.pop(), x)], dim=1))
    return network.head(x)


@pytest.mark.parametrize(
    ("options", "side"),
    [({}, 16), ({"padding": "valid"}, 44), ({"padding": "valid", "depth": 1}, 22),
     ({"norm": "batch"}, 12), ({"norm": "batch", "order": "cna"}, 12)],
)  # fmt: skip
def test_it_is_the_paper_s_network_written_out(options: dict[str, Any], side: int) -> None:
    network = awake(num_classes=2, **options)
    image = torch.rand(2, 3, side, side + 4, dtype=torch.float64)
    found = network(image)
    assert found.shape[-2:] == (side - 2 * network.margin, side + 4 - 2 * network.margin)
    torch.testing.assert_close(found, by_hand(network, image), rtol=0, atol=1e-12)


def test_the_paper_s_network_makes_388_pixels_of_572() -> None:
    with torch.device("meta"):  # shapes alone
        network = UNet(**PAPER)
        assert network(torch.rand(1, 1, 572, 572)).shape == (1, 2, 388, 388)
    assert (network.margin, network.multiple_of) == (92, 16)
    assert [side for side in range(540, 590) if network.fits(side)] == [540, 556, 572, 588]
    convs = [one for one in network.modules() if isinstance(one, nn.Conv2d)]
    assert len(convs) + len(network.up) == 23  # as the paper says


@pytest.mark.parametrize(("padding", "way", "depth"), product(("same", "valid"), WAYS, (1, 2)))
def test_all_sizes_that_fit_and_no_others_are_taken(padding: Any, way: Any, depth: int) -> None:
    with torch.device("meta"):
        network = UNet(padding=padding, upsample=way, depth=depth, **SMALL)
        first = network.next_side(1)
        sides = [side for side in range(1, first + 9) if network.fits(side)]
        assert sides == [first, first + 4, first + 8]
        for side in sides:
            found = network(torch.rand(1, 3, side, first))
            assert found.shape == (1, 1, side - 2 * network.margin, first - 2 * network.margin)
        for side in range(1, first + 4):
            assert network.next_side(side) == (first if side <= first else first + 4)
            if side != first:
                with pytest.raises(ValueError, match="must fit this network; got"):
                    network(torch.rand(1, 3, side, first))


def test_a_size_that_does_not_fit_is_answered_with_the_nearest_that_do() -> None:
    network = UNet(widths=(2, 2, 2, 2, 2), in_channels=1, padding="valid")
    with pytest.raises(ValueError, match=r"got 570x100, .* 556 or 572 and 188"):
        network(torch.rand(1, 1, 570, 100))
    with pytest.raises(ValueError, match=r"got 20x7, .* 16 or 32 and 16"):
        UNet(widths=(2, 2, 2, 2, 2))(torch.rand(1, 3, 20, 7))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("depth", [1, 2])
def test_without_padding_a_part_is_judged_as_in_the_whole(way: Any, depth: int) -> None:
    """The overlap tiles of the paper: nothing is seen of the border of what is given."""
    network = awake(padding="valid", upsample=way, depth=depth)
    small = network.next_side(2 * network.margin + 4)
    image = torch.rand(1, 3, small + 8, small + 4, dtype=torch.float64)
    whole, part = network(image), network(image[..., 4 : small + 4, 4:])
    high, wide = part.shape[-2:]
    expected = whole[..., 4 : high + 4, 4 : wide + 4]
    torch.testing.assert_close(part, expected, rtol=0, atol=1e-12)


def test_the_centre_of_the_output_is_the_centre_of_the_picture() -> None:
    network = awake(padding="valid", upsample="bilinear")
    side = network.next_side(1) + 4
    image = torch.rand(1, 3, side, side, dtype=torch.float64)
    for kernel in (one for one in network.parameters() if one.ndim == 4):
        kernel.data += kernel.data.flip(2, 3)  # a network to which both sides are alike
    found, turned = network(image), network(image.flip(2, 3)).flip(2, 3)
    assert (found - found.flip(2, 3)).abs().max() > 1e-3 * found.abs().max()
    torch.testing.assert_close(turned, found, rtol=0, atol=1e-12 * float(found.abs().max()))


def test_every_level_is_joined_from_above() -> None:
    network = awake()
    image = torch.rand(1, 3, 16, 16, dtype=torch.float64)
    before = network(image)
    for stage, layers in enumerate(network.decoder):
        joined = layers[0].conv
        kept = joined.weight.clone()
        for part in (slice(0, kept.shape[1] // 2), slice(kept.shape[1] // 2, None)):
            joined.weight.data[:, part] = 0
            assert (network(image) - before).abs().max() > 1e-6, (stage, part)
            joined.weight.data.copy_(kept)
        assert kept.shape[1] == 2 * network.up[stage].out_channels


def test_dropout_falls_on_the_bottom_in_training_only() -> None:
    network = awake(dropout=0.5)
    seen: list[Tensor] = []
    network.up[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    network.bottom.register_forward_hook(lambda *given: seen.append(given[2]))
    image = torch.rand(1, 3, 16, 16, dtype=torch.float64)
    network(image)
    assert torch.equal(seen[1], seen[0])
    network.train()(image)
    kept = seen[3] != 0
    assert 0.1 < kept.sum() / (seen[2] != 0).sum() < 0.9
    torch.testing.assert_close(seen[3][kept], 2 * seen[2][kept])
    assert isinstance(UNet(dropout=0, **SMALL).drop, nn.Identity)


def test_the_first_weights_are_the_paper_s_or_keras_s() -> None:
    torch.manual_seed(0)
    widths = (8, 16, 64)
    ours, theirs = UNet(widths=widths), UNet(widths=widths, norm="batch", style="keras")
    conv, up = ours.bottom[1].conv, ours.up[0]
    assert float(conv.weight.std()) == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.05)
    assert float(up.weight.std()) == pytest.approx((2 / 64) ** 0.5, rel=0.05)
    limit = (6 / (9 * 128)) ** 0.5
    assert limit * 0.99 < theirs.bottom[1].conv.weight.abs().max() <= limit
    norms = [one for one in theirs.modules() if isinstance(one, nn.BatchNorm2d)]
    assert len(norms) == 10
    assert all(isinstance(one, KerasBatchNorm2d) for one in norms)
    biases = [one for name, one in theirs.named_parameters() if name.endswith("conv.bias")]
    assert biases
    assert not any(one.any() for one in biases)


def test_activations_keep_their_scale_through_the_first_weights() -> None:
    torch.manual_seed(0)
    network = UNet(widths=(16, 32, 64, 128)).eval()
    logits = network(torch.randn(2, 3, 32, 32))
    assert 0.2 < logits.std() < 5


@pytest.mark.parametrize(
    ("options", "message"),
    [({"padding": "full"}, "padding must be"), ({"upsample": "cubic"}, "upsample must be"),
     ({"norm": "layer"}, "norm must be"), ({"order": "x"}, "order must be"),
     ({"depth": 0}, "depth must be at least 1"), ({"widths": ()}, "widths must be"),
     ({"dropout": 1.0}, "dropout must be at least 0 and below 1, got 1.0")],
)  # fmt: skip
def test_what_it_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UNet(**SMALL | options)
