"""Tests of lit_restore.models.patch_discriminator."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.checkpoints import load_network, save_network
from lit_restore.models import PatchDiscriminator
from lit_restore.nn import pad_same


def awake(network: PatchDiscriminator) -> PatchDiscriminator:
    """Give every parameter a value of its own, in float64."""
    torch.manual_seed(0)
    for value in network.parameters():
        nn.init.uniform_(value, -0.3, 0.3)
    return network.double()


@pytest.mark.parametrize(
    ("padding", "sides", "scores"),
    [("same", (256, 256), (32, 32)), ("same", (65, 50), (9, 7)), ("one", (256, 256), (30, 30)),
     ("one", (65, 50), (6, 4)), ("one", (24, 24), (1, 1)), ("same", (9, 9), (2, 2))],
)  # fmt: skip
def test_how_many_scores_a_picture_gets(
    padding: Any, sides: tuple[int, int], scores: tuple[int, int]
) -> None:
    network = PatchDiscriminator(width=2, padding=padding)
    assert network(torch.rand(2, 3, *sides)).shape == (2, 1, *scores)


@pytest.mark.parametrize("padding", ["same", "one"])
@pytest.mark.parametrize(("layers", "pixels"), [(0, 1), (1, 16), (2, 34), (3, 70), (4, 142)])
def test_a_score_sees_so_many_pixels(padding: Any, layers: int, pixels: int) -> None:
    network = awake(PatchDiscriminator(width=1, layers=layers, norm="none", padding=padding))
    assert network.receptive_field == pixels
    side = 2 * 2**layers + pixels + 40
    image = torch.rand(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    logits = network(image)
    middle = logits.shape[-1] // 2
    logits[0, 0, middle, middle].backward()
    seen = image.grad.abs().sum((0, 1)).nonzero()
    first, last = seen.min(0).values, seen.max(0).values
    assert (last - first + 1).tolist() == [pixels, pixels]
    assert first.min() > 0
    assert last.max() < side - 1


def test_widths_strides_and_norms_are_the_paper_s() -> None:
    with torch.device("meta"):
        network, default = PatchDiscriminator(layers=5), PatchDiscriminator()
    widths = [64, 128, 256, 512, 512, 512]
    assert [conv.out_channels for conv in network.convs] == widths
    assert [conv.stride[0] for conv in network.convs] == [2] * 5 + [1]
    assert len(network.norms) == 5
    assert (network.head.out_channels, network.head.stride[0]) == (1, 1)
    kernels = [3 * 64, 64 * 128, 128 * 256, 256 * 512, 512]
    found = sum(value.numel() for value in default.parameters())
    assert found == 16 * sum(kernels) + 64 + 1


@pytest.mark.parametrize("padding", ["same", "one"])
def test_it_is_convolution_norm_and_leaky_relu_but_for_the_first_norm(padding: Any) -> None:
    network = awake(PatchDiscriminator(width=2, padding=padding, slope=0.3))
    x = image = torch.rand(2, 3, 34, 41, dtype=torch.float64)
    for index, conv in enumerate([*network.convs, network.head]):
        stride = 2 if index < 3 else 1
        padded = pad_same(x, 4, stride) if padding == "same" else F.pad(x, [1] * 4)
        x = F.conv2d(padded, conv.weight, conv.bias, stride)
        if 0 < index < 4:
            x = F.instance_norm(x, eps=1e-5)
        x = F.leaky_relu(x, 0.3) if index < 4 else x
    torch.testing.assert_close(network(image), x, rtol=0, atol=1e-12)


def test_without_layers_each_pixel_is_scored_by_itself() -> None:
    network = awake(PatchDiscriminator(width=4, layers=0, norm="none"))
    image = torch.rand(1, 3, 5, 6, dtype=torch.float64)
    logits = network(image)
    assert logits.shape == (1, 1, 5, 6)
    torch.testing.assert_close(network(image[:, :, 2:3, 3:4]), logits[:, :, 2:3, 3:4])
    assert [conv.out_channels for conv in network.convs] == [4, 8]


@pytest.mark.parametrize("dead_biases", [True, False])
@pytest.mark.parametrize("norm", ["batch", "layer", "instance", "std_instance", "group", "none"])
def test_biases_are_where_they_do_something_or_are_wanted(norm: Any, dead_biases: bool) -> None:
    network = PatchDiscriminator(width=4, norm=norm, dead_biases=dead_biases)
    biases = [conv.bias is not None for conv in [*network.convs, network.head]]
    inner = dead_biases or norm in ("layer", "group", "none")
    assert biases == [True, inner, inner, inner, True]
    learned = [name for name, _ in network.named_parameters() if "norm" in name]
    assert len(learned) == (6 if norm in ("batch", "layer", "group") else 0)


def test_the_condition_is_read_and_comes_first() -> None:
    network = awake(PatchDiscriminator(in_channels=2, width=2, layers=1, condition_channels=1))
    image = torch.rand(1, 2, 16, 16, dtype=torch.float64)
    condition = torch.rand(1, 1, 16, 16, dtype=torch.float64)
    seen: list[Tensor] = []
    network.convs[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    logits = network(image, condition)
    assert torch.equal(seen[0], torch.cat([condition, image], dim=1))
    assert (network(image, 1 - condition) - logits).abs().max() > 1e-3


def test_a_condition_too_many_too_few_or_of_another_shape_is_refused() -> None:
    image, condition = torch.rand(2, 3, 16, 16), torch.rand(2, 1, 16, 16)
    conditional = PatchDiscriminator(width=2, condition_channels=1)
    with pytest.raises(ValueError, match=r"condition of shape \(2, 1, 16, 16\), got none"):
        conditional(image)
    with pytest.raises(ValueError, match=r"shape \(2, 1, 16, 16\), got \(1, 1, 16, 16\)"):
        conditional(image, condition[:1])
    with pytest.raises(ValueError, match=r"expected no condition.*\(2, 1, 16, 16\)"):
        PatchDiscriminator(width=2)(image, condition)


@pytest.mark.parametrize("norm", ["instance", "std_instance", "batch"])
@pytest.mark.parametrize("padding", ["same", "one"])
@pytest.mark.parametrize("layers", [0, 1, 3])
def test_the_smallest_picture_is_scored_and_a_smaller_one_refused(
    norm: Any, padding: Any, layers: int
) -> None:
    network = PatchDiscriminator(width=2, layers=layers, norm=norm, padding=padding)
    least = network.smallest
    assert network(torch.rand(2, 3, least, least)).isfinite().all()
    if least > 1:
        with pytest.raises(ValueError, match=f"at least {least}, got {least - 1}x{least}"):
            network(torch.rand(2, 3, least - 1, least))


def largest_singular_values(network: nn.Module) -> list[float]:
    """Of the kernel of every convolution, as a matrix with a row for each output."""
    convs = [one for one in network.modules() if isinstance(one, nn.Conv2d)]
    return [torch.linalg.matrix_norm(one.weight.flatten(1), 2).item() for one in convs]


def test_spectral_norm_brings_every_kernel_s_largest_singular_value_to_one() -> None:
    torch.manual_seed(0)
    network = PatchDiscriminator(width=4, spectral=True)
    assert len(largest_singular_values(network)) == 5
    for _ in range(60):
        network(torch.rand(1, 3, 16, 16))
    for value in largest_singular_values(network.eval()):
        assert abs(value - 1) < 0.02
    without = largest_singular_values(PatchDiscriminator(width=4))
    assert max(without) < 0.9


def test_spectral_norm_survives_files_and_copies(tmp_path: Path) -> None:
    network = PatchDiscriminator(width=4, spectral=True)
    image = torch.rand(1, 3, 16, 16)
    network(image)  # one more power iteration than a new network has
    expected = network.eval()(image)
    save_network(network, tmp_path / "d.safetensors")
    loaded = load_network(tmp_path / "d.safetensors")
    assert torch.equal(loaded(image), expected)
    copied = copy.deepcopy(network)
    assert torch.equal(copied(image), expected)
    with torch.no_grad():
        for value in copied.parameters():
            value.mul_(0).add_(0.1)
    assert torch.equal(network(image), expected)
    assert not torch.equal(copied(image), expected)


def test_evaluation_leaves_the_estimate_alone() -> None:
    network = PatchDiscriminator(width=2, spectral=True).eval()
    before = copy.deepcopy(network.state_dict())
    network(torch.rand(1, 3, 16, 16))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("spectral", [True, False])
def test_every_parameter_gets_a_gradient(spectral: bool) -> None:
    for norm in ("instance", "batch", "layer"):
        network = awake(PatchDiscriminator(width=2, norm=norm, spectral=spectral))
        network(torch.rand(2, 3, 32, 32, dtype=torch.float64)).square().sum().backward()
        assert all(value.grad.abs().any() for value in network.parameters())


def test_the_first_weights_are_the_paper_s_or_keras_s() -> None:
    torch.manual_seed(0)
    for spectral in (True, False):
        network = PatchDiscriminator(width=32, spectral=spectral)
        kernel = dict(network.named_parameters())[
            "convs.2.parametrizations.weight.original" if spectral else "convs.2.weight"
        ]
        assert abs(kernel.std().item() - 0.02) < 0.001
    kernel = PatchDiscriminator(width=32, style="keras").convs[2].weight
    limit = (6 / (16 * (64 + 128))) ** 0.5
    assert 0.95 * limit < kernel.abs().max().item() <= limit


def test_bfloat16_autocast_comes_near() -> None:
    torch.manual_seed(0)
    network = PatchDiscriminator(width=8, spectral=True).eval()
    image = torch.rand(2, 3, 32, 32)
    with torch.autocast("cpu", torch.bfloat16):
        found = network(image)
    assert (found - network(image)).abs().max() < 0.05


@pytest.mark.parametrize(
    ("options", "message"),
    [({"norm": "spectral"}, "norm must be one of batch, layer"),
     ({"style": "caffe"}, "style must be 'torch' or 'keras', got 'caffe'"),
     ({"padding": "valid"}, "padding must be 'same' or 'one', got 'valid'"),
     ({"layers": -1}, "layers must be at least 0, got -1"),
     ({"condition_channels": -1}, "condition_channels must be at least 0, got -1")],
)  # fmt: skip
def test_what_cannot_be_built_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PatchDiscriminator(**options)
