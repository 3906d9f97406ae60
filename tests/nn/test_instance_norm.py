"""Tests of lit_restore.nn.instance_norm."""

import numpy as np
import pytest
import torch

from lit_restore.nn import StdInstanceNorm2d


def test_each_map_is_divided_by_its_deviation_plus_epsilon() -> None:
    image = (
        torch.rand(2, 3, 4, 5, dtype=torch.float64) * torch.tensor([1, 0.1, 0.01])[:, None, None]
    )
    maps = image.numpy()
    mean, deviation = (f(maps, axis=(2, 3), keepdims=True) for f in (np.mean, np.std))
    expected = (maps - mean) / (deviation + 0.02)
    found = StdInstanceNorm2d(3, eps=0.02)(image).numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
    under_the_root = torch.nn.InstanceNorm2d(3, eps=0.02**2)(image).numpy()
    assert np.abs(found - under_the_root).max() > 0.1


def test_factor_and_offset_are_per_channel() -> None:
    layer = StdInstanceNorm2d(2, affine=True)
    image = torch.rand(3, 2, 4, 5)
    plain = StdInstanceNorm2d(2)(image)
    assert torch.equal(layer(image), plain)
    layer.load_state_dict({"weight": torch.tensor([2.0, 3.0]), "bias": torch.tensor([0.5, -1.0])})
    torch.testing.assert_close(layer(image)[:, 1], 3 * plain[:, 1] - 1)
    assert list(StdInstanceNorm2d(2).parameters()) == []


def test_a_constant_map_becomes_zero_with_finite_gradients() -> None:
    image = torch.full((1, 2, 4, 5), 0.7).requires_grad_()
    output = StdInstanceNorm2d(2)(image)
    output.square().sum().backward()
    assert output.abs().max() < 1e-3  # what rounding leaves of the mean, over epsilon
    assert image.grad.isfinite().all()


def test_its_gradient_is_that_of_finite_differences() -> None:
    image = torch.rand(2, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(StdInstanceNorm2d(2), image)


@pytest.mark.parametrize("scale", [2.0**-9, 2.0**9])
def test_half_precision_keeps_small_and_large_deviations(scale: float) -> None:
    layer = StdInstanceNorm2d(2, affine=True)
    image = (torch.rand(2, 2, 4, 5) * scale).half()
    found = layer(image)
    assert found.dtype == torch.float16
    torch.testing.assert_close(found, layer(image.float()).half())


def test_other_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 3 channels, got 2"):
        StdInstanceNorm2d(3)(torch.zeros(1, 2, 4, 4))


def test_it_says_what_it_was_made_with() -> None:
    assert repr(StdInstanceNorm2d(3, 0.1)) == "StdInstanceNorm2d(3, eps=0.1, affine=False)"
