"""Tests of lit_restore.models.unet_generator."""

import copy
import pickle
from typing import Any, get_args

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.models import UNetGenerator
from lit_restore.nn import KerasBatchNorm2d, Norm, recalibrate, set_norm_mode

NOTES: dict[str, Any] = {
    "widths": (4, 6, 8, 10), "norm": "instance", "upsample": "nearest", "slope": 0.0,
    "dropout": 0.0, "edge_norms": True, "dead_biases": True, "style": "keras",
}  # fmt: skip
SMALL: dict[str, Any] = {"widths": (4, 6, 8)}


def awake(network: UNetGenerator) -> UNetGenerator:
    """Give every parameter and statistic a value of its own, in float64."""
    torch.manual_seed(0)
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            positive = name.endswith("running_var") or name.endswith("norm.weight")
            value.copy_(torch.rand_like(value) * 0.4 - 0.2 + positive)
    return network.double()


def by_hand(network: UNetGenerator, image: Tensor) -> Tensor:
    """The network written out, as the paper's code has it: activations before convolutions."""
    skips, x = [], image
    for index, level in enumerate(network.encoder):
        x = level.norm(level.conv(F.leaky_relu(x, network.slope) if index else x))
        skips.append(x)
    x = skips.pop()
    for level in network.decoder:
        enlarged = level.norm(level.conv(x.relu()))
        x = torch.cat([enlarged, skips.pop()], dim=1)
    return network.head(x.relu()).tanh()


@pytest.mark.parametrize("options", [SMALL, SMALL | {"slope": 0.0}, NOTES])
def test_it_is_the_paper_s_network_written_out(options: dict[str, Any]) -> None:
    network = awake(UNetGenerator(**options)).eval()
    image = torch.rand(2, 3, 32, 48, dtype=torch.float64) * 2 - 1
    found = network(image)
    torch.testing.assert_close(found, by_hand(network, image), rtol=0, atol=1e-12)
    network.slope = 0.1
    assert (network(image) - found).abs().max() > 1e-3


@pytest.mark.parametrize("upsample", ["transposed", "nearest"])
@pytest.mark.parametrize(("levels", "sides"), [(1, (2, 6)), (2, (4, 12)), (3, (24, 8))])
def test_the_picture_keeps_its_size(upsample: Any, levels: int, sides: tuple[int, int]) -> None:
    network = UNetGenerator(2, 5, widths=range(4, 4 + levels), upsample=upsample)
    assert network.multiple_of == 2**levels
    found = network(torch.rand(2, 2, *sides))
    assert found.shape == (2, 5, *sides)
    assert found.abs().max() <= 1


def test_the_defaults_are_the_paper_s_unet_256() -> None:
    with torch.device("meta"):  # shapes alone
        network = UNetGenerator()
        # One picture, and an innermost map of one pixel, in training.
        assert network(torch.rand(1, 3, 256, 256)).shape == (1, 3, 256, 256)
    assert network.multiple_of == 256
    found = sum(value.numel() for value in network.parameters())
    down = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 4 * 512 * 512)
    up = 16 * (512 * 512 + 3 * 1024 * 512 + 1024 * 256 + 512 * 128 + 256 * 64 + 128 * 3)
    norms = 2 * (128 + 256 + 4 * 512) + 2 * (4 * 512 + 256 + 128 + 64)
    assert found == down + up + norms + (64 + 512 + 3)


@pytest.mark.parametrize("sides", [(16, 20), (12, 16), (7, 7)])
def test_a_size_that_cannot_be_halved_so_often_is_refused(sides: tuple[int, int]) -> None:
    height, width = sides
    with pytest.raises(ValueError, match=f"must be multiples of 8, got {height}x{width}"):
        UNetGenerator(**SMALL)(torch.rand(1, 3, *sides))


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (3, 8, 8)])
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected shape \(N, 3, H, W\), got"):
        UNetGenerator(**SMALL)(torch.rand(shape))


def test_every_skip_reaches_the_output() -> None:
    network = awake(UNetGenerator(**SMALL)).eval()
    image = torch.rand(1, 3, 16, 16, dtype=torch.float64)
    changes = []
    for index, (layer, width) in enumerate(((network.decoder[1].conv, 6), (network.head, 4))):
        cut = copy.deepcopy(network)
        target = cut.decoder[1].conv if index == 0 else cut.head
        assert layer.in_channels == 2 * width
        target.weight.data[width:] = 0  # a transposed kernel's first axis is what comes in
        changes.append((cut(image) - network(image)).abs().max().item())
    assert min(changes) > 1e-3


def test_the_skip_is_read_after_the_enlarged_map() -> None:
    network = awake(UNetGenerator(widths=(4, 6))).eval()
    seen: list[Tensor] = []
    network.head.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    image = torch.rand(1, 3, 8, 8, dtype=torch.float64)
    network(image)
    torch.testing.assert_close(seen[0][:, 4:], network.encoder[0].conv(image).relu())


def results(network: UNetGenerator, image: Tensor) -> list[Tensor]:
    """The output and the gradients of all parameters."""
    output = network(image)
    gradients = torch.autograd.grad(output.sin().sum(), list(network.parameters()))
    return [output.detach(), *gradients]


def test_folding_changes_neither_the_output_nor_any_gradient() -> None:
    options = NOTES | {"norm": "group"}  # which has no dead bias, whose gradient is rounding alone
    image = torch.rand(2, 3, 64, 48, dtype=torch.float64)
    folded, plain = (
        results(awake(UNetGenerator(**options | {"folded": on})), image) for on in (True, False)
    )
    largest = max(float(one.abs().max()) for one in plain)
    for found, wanted in zip(folded, plain, strict=True):
        assert (found - wanted).abs().max() < 1e-12 * largest


@pytest.mark.parametrize("norm", get_args(Norm))
@pytest.mark.parametrize("edge_norms", [True, False])
def test_parameters_are_exactly_those_that_do_something(norm: Any, edge_norms: bool) -> None:
    names = dict(UNetGenerator(**SMALL, norm=norm, edge_norms=edge_norms).named_parameters())
    learned = {name.removesuffix(".weight") for name in names if name.endswith("norm.weight")}
    inner = {"encoder.1", "decoder.0", "decoder.1"}
    edges = {"encoder.0", "encoder.2"}
    normalised = inner | edges if edge_norms else inner
    has_weights = norm in ("batch", "layer", "group")
    assert learned == ({f"{one}.norm" for one in normalised} if has_weights else set())
    biases = {name.removesuffix(".conv.bias") for name in names if name.endswith("conv.bias")}
    dead = normalised if norm in ("batch", "instance", "std_instance") else set()
    assert biases == (inner | edges) - dead
    assert "head.bias" in names


@pytest.mark.parametrize("norm", ["batch", "instance", "std_instance"])
def test_dead_biases_are_there_if_wanted_and_change_nothing(norm: Any) -> None:
    network = awake(UNetGenerator(**SMALL, norm=norm, dropout=0.0, dead_biases=True))
    image = torch.rand(2, 3, 16, 16, dtype=torch.float64)
    before = network(image)
    biases = [value for name, value in network.named_parameters() if name.endswith("conv.bias")]
    assert len(biases) == 5
    for level in (network.encoder[1], *network.decoder):
        level.conv.bias.data += 1
    torch.testing.assert_close(network(image), before, rtol=0, atol=1e-10)
    network.encoder[0].conv.bias.data += 1
    assert (network(image) - before).abs().max() > 1e-2


def test_every_parameter_gets_a_gradient() -> None:
    for norm in ("batch", "layer", "group", "none"):
        network = awake(UNetGenerator(**SMALL, norm=norm))
        network(torch.rand(2, 3, 16, 16, dtype=torch.float64)).square().sum().backward()
        assert all(value.grad.abs().any() for value in network.parameters())


def test_dropout_is_in_the_innermost_stages_of_the_decoder_alone() -> None:
    network = UNetGenerator(widths=(4, 4, 4, 4, 4), dropout=0.3, dropout_stages=2)
    assert [level.dropout.p for level in network.decoder] == [0.3, 0.3, 0.0, 0.0]
    assert sum(isinstance(one, nn.Dropout) for one in network.modules()) == 4


@pytest.mark.parametrize("noise", [True, False])
def test_noise_is_dropout_that_evaluation_keeps(noise: bool) -> None:
    network = awake(UNetGenerator(**SMALL, norm="instance", noise=noise)).eval()
    image = torch.rand(1, 3, 16, 16, dtype=torch.float64)
    assert torch.equal(network(image), network(image)) == (not noise)
    assert network.training is False
    for copied in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert torch.equal(copied(image), copied(image)) == (not noise)
    around = nn.ModuleDict({"generator": network}).train().eval()
    assert torch.equal(around["generator"](image), network(image)) == (not noise)
    with torch.no_grad():
        network.train()
        assert not torch.equal(network(image), network(image))


def test_recalibration_runs_without_the_noise() -> None:
    network = awake(UNetGenerator(**SMALL, noise=True)).eval()
    batches = [torch.rand(2, 3, 16, 16, dtype=torch.float64) for _ in range(3)]
    states = []
    for _ in range(2):
        recalibrate(network, batches)
        states.append(copy.deepcopy(network.state_dict()))
    assert all(torch.equal(value, states[0][name]) for name, value in states[1].items())
    assert network.decoder[0].dropout.training
    mean = torch.stack([network.encoder[0](one) for one in batches])  # of the level before
    conv = network.encoder[1].conv
    features = [conv(F.leaky_relu(one, 0.2)) for one in mean]
    expected = torch.stack([one.mean((0, 2, 3)) for one in features]).mean(0)
    torch.testing.assert_close(network.encoder[1].norm.running_mean, expected)


def test_norm_modes_differ_in_what_a_picture_depends_on() -> None:
    network = awake(UNetGenerator(**SMALL, dropout=0.0, norm_mode="batch"))
    one, other = (torch.rand(2, 3, 16, 16, dtype=torch.float64) for _ in range(2))
    expected = network(one)
    network.eval()
    assert torch.equal(network(one), expected)  # as in training, without dropout
    joined = torch.cat([one[:1], other[1:]])
    assert (network(joined)[0] - expected[0]).abs().max() > 1e-6
    set_norm_mode(network, "running")
    torch.testing.assert_close(network(joined)[0], network(one)[0], rtol=0, atol=1e-14)
    assert network.norm_mode == "running"


@pytest.mark.parametrize("norm", ["batch", "instance", "std_instance"])
def test_one_pixel_cannot_be_normalised_by_itself(norm: Any) -> None:
    network = UNetGenerator(**SMALL, norm=norm, edge_norms=True)
    with pytest.raises(ValueError, match=r"innermost map, one pixel.*edge_norms=False"):
        network(torch.rand(1, 3, 8, 8))
    network(torch.rand(1, 3, 8, 16))
    if norm == "batch":
        network(torch.rand(2, 3, 8, 8))
        network.eval()(torch.rand(1, 3, 8, 8))
        set_norm_mode(network, "batch")
        with pytest.raises(ValueError, match="got shape"):
            network(torch.rand(1, 3, 8, 8))


def test_the_first_weights_are_the_paper_s_or_keras_s() -> None:
    torch.manual_seed(0)
    options: dict[str, Any] = {"widths": (32, 48, 64), "dead_biases": True}
    torch_style = UNetGenerator(**options)
    kernel = torch_style.decoder[0].conv.weight
    assert abs(kernel.std().item() - 0.02) < 0.001
    factors = torch_style.decoder[0].norm.weight
    assert 0.01 < factors.std().item() < 0.03
    keras_style = UNetGenerator(**options, style="keras")
    kernel = keras_style.encoder[1].conv.weight
    limit = (6 / (16 * (32 + 48))) ** 0.5
    assert 0.95 * limit < kernel.abs().max().item() <= limit
    assert set(keras_style.decoder[0].norm.weight.tolist()) == {1.0}
    for network in (torch_style, keras_style):
        values = network.named_parameters()
        assert not any(value.any() for name, value in values if name.endswith("bias"))
    norm = keras_style.encoder[1].norm
    assert isinstance(norm, KerasBatchNorm2d)
    assert (norm.eps, norm.momentum) == (1e-3, 0.01)


def test_bfloat16_autocast_comes_near() -> None:
    torch.manual_seed(0)
    network = UNetGenerator(widths=(8, 16, 16), norm="instance", dropout=0.0)
    image = torch.rand(2, 3, 32, 32)
    with torch.autocast("cpu", torch.bfloat16):
        found = network(image)
    found.float().sum().backward()
    assert (found - network(image)).abs().max() < 0.05


@pytest.mark.parametrize(
    ("options", "message"),
    [({"norm": "spectral"}, "norm must be one of batch, layer"),
     ({"style": "caffe"}, "style must be 'torch' or 'keras', got 'caffe'"),
     ({"upsample": "bilinear"}, "upsample must be 'transposed' or 'nearest', got 'bilinear'"),
     ({"norm_mode": "own"}, "norm_mode must be 'running', 'batch' or 'recalibrated', got 'own'"),
     ({"widths": ()}, "expected at least one width, got none"),
     ({"slope": -0.1}, "slope must be at least 0, got -0.1"),
     ({"dropout": 1.0}, "dropout must be at least 0 and below 1, got 1.0"),
     ({"dropout_stages": -1}, "dropout_stages must be at least 0, got -1"),
     ({"noise": True, "dropout": 0.0}, "expected dropout and stages above 0")],
)  # fmt: skip
def test_what_cannot_be_built_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UNetGenerator(**{"widths": (4, 6)} | options)
