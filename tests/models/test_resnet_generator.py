"""Tests of lit_restore.models.resnet_generator."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.models import ResNetGenerator
from lit_restore.nn import pad_same

SMALL: dict[str, Any] = {"width": 4, "blocks": 2}


def awake(network: ResNetGenerator) -> ResNetGenerator:
    """Give every parameter a value of its own, in float64."""
    torch.manual_seed(0)
    for name, value in network.named_parameters():
        nn.init.uniform_(value, -0.2, 0.2)
        value.data += name.endswith("norm.weight")
    return network.double()


def by_hand(network: ResNetGenerator, image: Tensor, reflect: bool) -> Tensor:
    """The network written out with PyTorch's functions alone."""

    def conv(layer: nn.Module, x: Tensor, stride: int = 1) -> Tensor:
        size = layer.weight.shape[-1]
        if stride > 1:
            padded = F.pad(x, [1] * 4) if reflect else pad_same(x, size, stride)
        else:
            padded = F.pad(x, [size // 2] * 4, mode="reflect" if reflect else "constant")
        return F.conv2d(padded, layer.weight, layer.bias, stride)

    def enlarged(layer: nn.Module, x: Tensor) -> Tensor:
        height, width = (2 * side for side in x.shape[-2:])
        full = F.conv_transpose2d(x, layer.weight, layer.bias, 2, output_padding=1)
        return full[..., reflect : reflect + height, reflect : reflect + width]

    def norm(x: Tensor) -> Tensor:
        mean = x.mean((2, 3), keepdim=True)
        variance = x.var((2, 3), correction=0, keepdim=True)
        return (x - mean) / (variance + 1e-5).sqrt()

    x = norm(conv(network.stem.conv, image)).relu()
    for layer in network.down:
        x = norm(conv(layer.conv, x, 2)).relu()
    for block in network.body:
        inner = norm(conv(block.first.conv, x)).relu()
        x = x + norm(conv(block.second.conv, inner))  # and no activation after
    for layer in network.up:
        x = norm(enlarged(layer.conv, x)).relu()
    return conv(network.head, x).tanh()


@pytest.mark.parametrize("padding", ["reflect", "same"])
def test_it_is_the_paper_s_network_in_either_geometry(padding: Any) -> None:
    network = awake(ResNetGenerator(**SMALL, padding=padding))
    image = torch.rand(2, 3, 16, 20, dtype=torch.float64) * 2 - 1
    found = network(image)
    expected, wrong = (by_hand(network, image, reflect) for reflect in (True, False))
    if padding == "same":
        expected, wrong = wrong, expected
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-11)
    assert (found - wrong).abs().max() > 0.01


def test_the_defaults_have_the_paper_s_number_of_parameters() -> None:
    ends = 2 * 49 * 3 * 64 + 3
    down = up = 9 * (64 * 128 + 128 * 256)
    blocks = 18 * 9 * 256 * 256
    with torch.device("meta"):
        network = ResNetGenerator()
    found = sum(value.numel() for value in network.parameters())
    assert found == ends + down + up + blocks


@pytest.mark.parametrize("padding", ["reflect", "same"])
@pytest.mark.parametrize("upsample", ["transposed", "nearest"])
@pytest.mark.parametrize("sides", [(8, 8), (12, 20)])
def test_the_picture_keeps_its_size(padding: Any, upsample: Any, sides: tuple[int, int]) -> None:
    network = ResNetGenerator(2, 5, **SMALL, padding=padding, upsample=upsample)
    found = network(torch.rand(1, 2, *sides))
    assert found.shape == (1, 5, *sides)
    assert found.abs().max() <= 1


def test_nearest_enlarges_each_pixel_to_a_block_before_a_convolution() -> None:
    network = awake(ResNetGenerator(**SMALL, upsample="nearest"))
    layer = network.up[0].conv
    x = torch.rand(1, 16, 12, 12, dtype=torch.float64)
    blocks = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(layer(x), F.conv2d(blocks, layer.weight, layer.bias, padding=1))


@pytest.mark.parametrize(
    ("shape", "message"),
    [((1, 3, 10, 12), "multiples of 4, got 10x12"),
     ((1, 3, 4, 12), "at least 8, got 4x12"),
     ((1, 4, 8, 8), r"expected shape \(N, 3, H, W\), got \(1, 4, 8, 8\)")],
)  # fmt: skip
def test_another_shape_is_refused(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ResNetGenerator(**SMALL)(torch.rand(shape))


@pytest.mark.parametrize("norm", ["batch", "instance", "std_instance", "layer", "group", "none"])
@pytest.mark.parametrize("dead_biases", [True, False])
def test_biases_are_where_they_do_something_or_are_wanted(norm: Any, dead_biases: bool) -> None:
    network = ResNetGenerator(**SMALL, norm=norm, dead_biases=dead_biases)
    names = [name for name, _ in network.named_parameters()]
    biases = [name for name in names if name.endswith("conv.bias")]
    alive = norm in ("layer", "group", "none")
    assert len(biases) == (9 if alive or dead_biases else 0)
    assert "head.bias" in names
    learned = [name for name in names if "norm" in name]
    assert len(learned) == (18 if norm in ("batch", "layer", "group") else 0)


def test_dropout_is_between_the_convolutions_of_a_block() -> None:
    network = awake(ResNetGenerator(**SMALL, dropout=0.5))
    image = torch.rand(1, 3, 8, 8, dtype=torch.float64)
    assert not torch.equal(network(image), network(image))
    torch.testing.assert_close(
        network.eval()(image), by_hand(network, image, True), rtol=0, atol=1e-11
    )
    assert [block.dropout.p for block in network.body] == [0.5, 0.5]


def test_the_norm_mode_reaches_every_batch_norm() -> None:
    network = ResNetGenerator(**SMALL, norm="batch", norm_mode="batch").eval()
    picture = torch.rand(1, 3, 8, 8)
    others = [network(torch.cat([picture, torch.rand(1, 3, 8, 8)]))[0] for _ in range(2)]
    assert not torch.equal(*others)


def test_every_parameter_gets_a_gradient() -> None:
    for norm in ("instance", "batch", "group"):
        network = awake(ResNetGenerator(**SMALL, norm=norm))
        network(torch.rand(1, 3, 8, 8, dtype=torch.float64)).square().sum().backward()
        assert all(value.grad.abs().any() for value in network.parameters())


def test_the_first_weights_are_the_paper_s_or_keras_s() -> None:
    torch.manual_seed(0)
    kernel = ResNetGenerator(width=16, blocks=1).body[0].first.conv.weight
    assert abs(kernel.std().item() - 0.02) < 0.001
    kernel = ResNetGenerator(width=16, blocks=1, style="keras").body[0].first.conv.weight
    limit = (6 / (9 * 128)) ** 0.5
    assert 0.95 * limit < kernel.abs().max().item() <= limit


def test_bfloat16_autocast_comes_near() -> None:
    network = ResNetGenerator(width=8, blocks=1)
    image = torch.rand(2, 3, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        found = network(image)
    assert (found - network(image)).abs().max() < 0.05


@pytest.mark.parametrize(
    ("options", "message"),
    [({"norm": "spectral"}, "norm must be one of batch, layer"),
     ({"style": "caffe"}, "style must be 'torch' or 'keras', got 'caffe'"),
     ({"padding": "valid"}, "padding must be 'reflect' or 'same', got 'valid'"),
     ({"upsample": "bilinear"}, "upsample must be 'transposed' or 'nearest', got 'bilinear'"),
     ({"blocks": -1}, "blocks must be at least 0, got -1"),
     ({"dropout": 1.0}, "dropout must be at least 0 and below 1, got 1.0")],
)  # fmt: skip
def test_what_cannot_be_built_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ResNetGenerator(**options)
