"""Tests of lit_restore.models.small_mosaic_unet."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lit_restore.models import SmallMosaicUNet


@pytest.fixture(scope="module")
def network() -> SmallMosaicUNet:
    torch.manual_seed(0)
    return SmallMosaicUNet().double()


def written_out(network: SmallMosaicUNet, image: Tensor, skip_first: bool = False) -> Tensor:
    """The notes' network in plain functions: SAME padding by hand, both skips joined."""
    state = network.state_dict()

    def layer(name: str, x: Tensor, stride: int = 1) -> Tensor:
        return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], stride)

    encoded = layer("encoder", F.pad(image, (0, 1, 0, 1)), stride=4).relu()
    x = layer("bottom", F.pad(encoded, (1, 1, 1, 1))).relu()
    parts = [encoded, x] if skip_first else [x, encoded]
    x = layer("decoder", F.pad(torch.cat(parts, dim=1), (2, 2, 2, 2))).relu()
    x = x.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    return layer("head", F.pad(torch.cat([x, image], dim=1), (1, 1, 1, 1))).sigmoid()


def test_it_is_the_network_of_the_notes(network: SmallMosaicUNet) -> None:
    image = torch.rand(2, 3, 16, 24, dtype=torch.float64)
    with torch.no_grad():
        expected = written_out(network, image)
        torch.testing.assert_close(network(image), expected, rtol=0, atol=1e-12)
        assert (written_out(network, image, skip_first=True) - expected).abs().max() > 1e-3


def test_the_result_has_the_size_of_the_input_and_is_in_unit_range(
    network: SmallMosaicUNet,
) -> None:
    result = network(torch.rand(1, 3, 8, 20, dtype=torch.float64))
    assert result.shape == (1, 3, 8, 20)
    assert result.min() > 0
    assert result.max() < 1


@pytest.mark.parametrize("size", [(16, 18), (15, 16)])
def test_a_size_that_is_no_multiple_of_four_is_refused(
    network: SmallMosaicUNet, size: tuple[int, int]
) -> None:
    message = f"must be multiples of 4, got {size[0]}x{size[1]}"
    with pytest.raises(ValueError, match=message):
        network(torch.rand(1, 3, *size, dtype=torch.float64))


def test_folded_is_plain_in_output_and_every_gradient(network: SmallMosaicUNet) -> None:
    plain = SmallMosaicUNet(folded=False).double()
    assert set(plain.state_dict()) == set(network.state_dict())
    plain.load_state_dict(network.state_dict())
    found, expected = [], []
    for results, one in ((found, network), (expected, plain)):
        image = torch.rand(
            2, 3, 16, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
        ).requires_grad_()
        out = one(image)
        results += [out, *torch.autograd.grad(out.square().sum(), [image, *one.parameters()])]
    for ours, wanted in zip(found, expected, strict=True):
        assert (ours - wanted).abs().max() <= 1e-12 * wanted.abs().max()


def kept_bytes(network: SmallMosaicUNet) -> int:
    """What a forward pass keeps for the backward pass, each storage once, without weights."""
    weights = {value.untyped_storage().data_ptr() for value in network.parameters()}
    kept = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = network(torch.rand(8, 3, 64, 64))
    assert result.requires_grad
    return sum(kept.values())


def test_folded_keeps_less_than_two_fifths_of_the_activations() -> None:
    assert kept_bytes(SmallMosaicUNet()) < 0.4 * kept_bytes(SmallMosaicUNet(folded=False))


def test_every_parameter_gets_a_gradient(network: SmallMosaicUNet) -> None:
    network(torch.rand(1, 3, 16, 16, dtype=torch.float64)).sum().backward()
    assert all(value.grad.abs().sum() > 0 for value in network.parameters())
