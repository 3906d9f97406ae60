"""Tests of lit_restore.nn.batch_norm."""

import copy

import pytest
import torch
from torch import Tensor, nn

from lit_restore.nn import ConvNormAct, KerasBatchNorm2d


@pytest.fixture
def image() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 4, 3, 5, generator=generator, dtype=torch.float64) * 2 + 1


def test_the_running_variance_is_the_biased_one(image: Tensor) -> None:
    layer = KerasBatchNorm2d(4, momentum=0.25).double()
    layer(image)
    layer(3 * image)
    biased = image.var(dim=(0, 2, 3), correction=0)
    expected = 0.75 * (0.75 + 0.25 * biased) + 0.25 * 9 * biased
    torch.testing.assert_close(layer.running_var, expected, rtol=1e-14, atol=0)
    mean = image.mean(dim=(0, 2, 3))
    torch.testing.assert_close(layer.running_mean, 0.75 * 0.25 * mean + 0.25 * 3 * mean)


def test_with_bessel_it_is_that_of_torch(image: Tensor) -> None:
    ours = KerasBatchNorm2d(4, eps=1e-4, momentum=0.2, bessel=True).double()
    theirs = nn.BatchNorm2d(4, eps=1e-4, momentum=0.2).double()
    for layer in (ours, theirs):
        layer(image)
    assert torch.equal(ours.running_var, theirs.running_var)
    assert torch.equal(ours.eval()(image), theirs.eval()(image))


def test_outputs_and_gradients_are_those_of_torch_in_either_mode(image: Tensor) -> None:
    for training in (True, False):
        found = []
        for layer in (KerasBatchNorm2d(4), nn.BatchNorm2d(4, eps=1e-3)):
            source = image.clone().requires_grad_()
            output = layer.double().train(training)(source)
            (output * image.sin()).sum().backward()
            found += [output.detach(), source.grad, layer.weight.grad]
        for ours, theirs in zip(found[:3], found[3:], strict=True):
            assert torch.equal(ours, theirs)


def test_without_momentum_the_statistics_are_the_mean_over_the_batches(image: Tensor) -> None:
    layer = KerasBatchNorm2d(4, momentum=None).double()
    for factor in (1, 2, 6):
        layer(factor * image)
    assert layer.num_batches_tracked == 3
    torch.testing.assert_close(layer.running_mean, 3 * image.mean(dim=(0, 2, 3)))
    biased = image.var(dim=(0, 2, 3), correction=0)
    torch.testing.assert_close(layer.running_var, (1 + 4 + 36) / 3 * biased)


def test_averaged_weights_get_their_statistics_anew(image: Tensor) -> None:
    network = nn.Sequential(KerasBatchNorm2d(4)).double()
    torch.optim.swa_utils.update_bn([image, 3 * image], network)
    torch.testing.assert_close(network[0].running_mean, 2 * image.mean(dim=(0, 2, 3)))
    assert network[0].momentum == 0.01


def test_it_can_be_compiled(image: Tensor) -> None:
    layer = KerasBatchNorm2d(4).double()
    compiled = torch.compile(copy.deepcopy(layer), backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(image), layer(image))
    torch.testing.assert_close(compiled.running_var, layer.running_var)


@pytest.mark.parametrize("training", [True, False])
def test_what_is_no_batch_of_images_is_refused(training: bool) -> None:
    with pytest.raises(ValueError, match="expected 4D input"):
        KerasBatchNorm2d(3).train(training)(torch.zeros(2, 3, 5))


def test_evaluation_changes_no_statistics(image: Tensor) -> None:
    layer = KerasBatchNorm2d(4).double().eval()
    before = copy.deepcopy(layer.state_dict())
    layer(image)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


def test_a_converted_network_has_the_same_parameters_buffers_and_modes() -> None:
    network = nn.Sequential(ConvNormAct(3, 4), nn.ModuleDict({"norm": nn.BatchNorm2d(4)}))
    network[1]["norm"].eval()
    tensors = dict(network.state_dict(keep_vars=True))
    converted = KerasBatchNorm2d.convert(network, bessel=True)
    assert converted is network
    after = dict(network.state_dict(keep_vars=True))
    assert list(after) == list(tensors)
    assert all(after[name] is tensor for name, tensor in tensors.items())
    layers = [one for one in network.modules() if isinstance(one, nn.BatchNorm2d)]
    assert all(isinstance(one, KerasBatchNorm2d) and one.bessel for one in layers)
    assert [(one.eps, one.momentum, one.training) for one in layers] == [
        (1e-3, 0.01, True),
        (1e-3, 0.01, False),
    ]


def test_a_layer_alone_is_converted_and_one_without_weights_stays_without() -> None:
    layer = KerasBatchNorm2d.convert(nn.BatchNorm2d(5, affine=False).double(), momentum=0.5)
    assert isinstance(layer, KerasBatchNorm2d)
    assert layer.weight is None
    layer(torch.ones(2, 5, 3, 3, dtype=torch.float64))
    assert layer.running_mean.tolist() == [0.5] * 5


def test_a_layer_without_statistics_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a BatchNorm2d with running statistics"):
        KerasBatchNorm2d.convert(nn.Sequential(nn.BatchNorm2d(5, track_running_stats=False)))
