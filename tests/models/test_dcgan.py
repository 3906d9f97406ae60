"""Tests of lit_restore.models.dcgan."""

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lit_restore.models import DCGANDiscriminator, DCGANGenerator
from lit_restore.nn import pad_same


def awake(network: nn.Module) -> nn.Module:
    """Give every parameter a value of its own, in float64."""
    torch.manual_seed(0)
    for name, value in network.named_parameters():
        nn.init.uniform_(value, -0.2, 0.2)
        value.data += name.startswith("norms") and name.endswith("weight")
    return network.double()


@pytest.mark.parametrize("size", [8, 16, 64])
@pytest.mark.parametrize("kernel_size", [3, 4, 5])
def test_a_vector_becomes_a_picture_and_a_picture_a_score(size: int, kernel_size: int) -> None:
    generator = DCGANGenerator(7, size=size, width=4, kernel_size=kernel_size)
    image = generator(torch.randn(2, 7))
    assert image.shape == (2, 3, size, size)
    assert image.abs().max() <= 1
    discriminator = DCGANDiscriminator(size=size, width=4, kernel_size=kernel_size)
    assert discriminator(image).shape == (2, 1)


def test_widths_are_the_paper_s() -> None:
    with torch.device("meta"):
        generator, discriminator = DCGANGenerator(width=128), DCGANDiscriminator(width=128)
    assert [conv.out_channels for conv in generator.convs] == [1024, 512, 256, 128]
    assert [conv.out_channels for conv in discriminator.convs] == [128, 256, 512, 1024]
    assert len(generator.norms) == 4
    assert len(discriminator.norms) == 3


def test_the_generator_is_four_pixels_and_doublings() -> None:
    network = awake(DCGANGenerator(5, size=16, width=4))
    latent = torch.randn(3, 5, dtype=torch.float64)
    first = network.convs[0].weight
    x = torch.einsum("ni,iohw->nohw", latent, first)
    for index, conv in enumerate([*network.convs[1:], network.head]):
        x = F.batch_norm(
            x, None, None, network.norms[index].weight, network.norms[index].bias, True
        ).relu()
        x = F.conv_transpose2d(x, conv.weight, conv.bias, 2, 1)
    torch.testing.assert_close(network(latent), x.tanh(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kernel_size", [4, 5])
def test_the_discriminator_is_halvings_and_one_sum(kernel_size: int) -> None:
    network = awake(DCGANDiscriminator(size=16, width=4, kernel_size=kernel_size, slope=0.1))
    x = image = torch.rand(3, 3, 16, 16, dtype=torch.float64)
    for index, conv in enumerate(network.convs):
        x = F.conv2d(pad_same(x, kernel_size, 2), conv.weight, conv.bias, 2)
        if index:
            norm = network.norms[index - 1]
            x = F.batch_norm(x, None, None, norm.weight, norm.bias, True)
        x = F.leaky_relu(x, 0.1)
    expected = (x * network.head.weight).sum((1, 2, 3)) + network.head.bias
    torch.testing.assert_close(network(image), expected[:, None], rtol=0, atol=1e-12)


@pytest.mark.parametrize("norm", ["batch", "layer", "instance", "std_instance", "group", "none"])
def test_biases_are_where_they_do_something(norm: Any) -> None:
    alive = norm in ("layer", "group", "none")
    generator = DCGANGenerator(size=16, width=4, norm=norm)
    assert [one.bias is not None for one in (*generator.convs, generator.head)] == [
        alive, alive, True,
    ]  # fmt: skip
    discriminator = DCGANDiscriminator(size=16, width=4, norm=norm)
    assert [one.bias is not None for one in (*discriminator.convs, discriminator.head)] == [
        True, alive, True,
    ]  # fmt: skip


def test_one_vector_alone_can_be_trained_on() -> None:
    assert DCGANGenerator(size=8, width=4)(torch.randn(1, 100)).isfinite().all()
    assert DCGANDiscriminator(size=8, width=4)(torch.rand(1, 3, 8, 8)).isfinite().all()


def test_the_norm_mode_reaches_every_batch_norm() -> None:
    latent = torch.randn(2, 100)
    for mode in ("running", "batch"):
        network = awake(DCGANGenerator(size=8, width=4, norm_mode=mode)).eval()
        vectors = latent.double()
        other = torch.stack([vectors[0], -vectors[1]])
        same = torch.allclose(network(vectors)[0], network(other)[0], rtol=0, atol=1e-12)
        assert same == (mode == "running")


def test_spectral_norm_is_in_every_convolution_and_can_be_copied() -> None:
    torch.manual_seed(0)
    network = DCGANDiscriminator(size=16, width=4, spectral=True)
    image = torch.rand(2, 3, 16, 16)
    for _ in range(60):
        network(image)
    convs = [one for one in network.eval().modules() if isinstance(one, nn.Conv2d)]
    assert len(convs) == 3
    for conv in convs:
        assert abs(torch.linalg.matrix_norm(conv.weight.flatten(1), 2).item() - 1) < 0.02
    assert torch.equal(copy.deepcopy(network)(image), network(image))


def test_every_parameter_gets_a_gradient() -> None:
    networks = [DCGANGenerator(5, size=16, width=4), DCGANDiscriminator(size=16, width=4)]
    inputs = [torch.randn(3, 5), torch.rand(3, 3, 16, 16)]
    for network, given in zip(networks, inputs, strict=True):
        awake(network)(given.double()).square().sum().backward()
        assert all(value.grad.abs().any() for value in network.parameters())


def test_the_first_weights_are_the_paper_s_or_keras_s() -> None:
    torch.manual_seed(0)
    for network in (DCGANGenerator(size=16, width=32), DCGANDiscriminator(size=16, width=32)):
        assert abs(network.convs[1].weight.std().item() - 0.02) < 0.001
        assert network.norms[0].weight.std() > 0.005
    kernel = DCGANDiscriminator(size=16, width=32, style="keras").convs[1].weight
    limit = (6 / (16 * 96)) ** 0.5
    assert 0.95 * limit < kernel.abs().max().item() <= limit


@pytest.mark.parametrize("shape", [(2, 6), (2, 5, 1, 1), (5,)])
def test_a_vector_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected vectors of shape \(N, 5\), got \("):
        DCGANGenerator(5, size=8, width=4)(torch.randn(shape))


def test_a_picture_of_another_shape_is_refused() -> None:
    network = DCGANDiscriminator(size=16, width=4)
    with pytest.raises(ValueError, match="image must be 16x16 pixels, got 16x20"):
        network(torch.rand(2, 3, 16, 20))
    with pytest.raises(ValueError, match=r"expected shape \(N, 3, H, W\), got \(2, 1, 16, 16\)"):
        network(torch.rand(2, 1, 16, 16))


@pytest.mark.parametrize("network", [DCGANGenerator, DCGANDiscriminator])
@pytest.mark.parametrize(
    ("options", "message"),
    [({"norm": "spectral"}, "norm must be one of batch, layer"),
     ({"style": "caffe"}, "style must be 'torch' or 'keras', got 'caffe'"),
     ({"size": 4}, "size must be 8, 16, 32, 64 or so on, got 4"),
     ({"size": 48}, "size must be 8, 16, 32, 64 or so on, got 48"),
     ({"width": 0}, "width must be at least 1, got 0")],
)  # fmt: skip
def test_what_cannot_be_built_is_refused(
    network: type[nn.Module], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        network(**options)
