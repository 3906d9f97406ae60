"""Tests of lit_restore.nn.squeeze_excite."""

import numpy as np
import pytest
import torch

from lit_restore.nn import SqueezeExcite


def naive(image: np.ndarray, layer: SqueezeExcite) -> np.ndarray:
    """Hu et al., equations 2 to 4, for one image of shape (C, H, W)."""
    first, second = layer.fc1, layer.fc2
    narrow = first.weight.detach().numpy()[..., 0, 0] @ image.mean(axis=(1, 2))
    narrow = np.maximum(narrow + first.bias.detach().numpy(), 0)
    logits = second.weight.detach().numpy()[..., 0, 0] @ narrow + second.bias.detach().numpy()
    return image / (1 + np.exp(-logits))[:, None, None]


def test_it_scales_channels_as_the_paper_says() -> None:
    layer = SqueezeExcite(8, reduction=2).double()
    image = torch.randn(3, 8, 5, 7, dtype=torch.float64) + 1

    found = layer(image).detach().numpy()

    expected = np.stack([naive(one, layer) for one in image.numpy()])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_every_channel_keeps_its_sign_and_loses_size() -> None:
    image = torch.randn(1, 8, 4, 4)
    factor = SqueezeExcite(8)(image) / image
    torch.testing.assert_close(factor, factor[..., :1, :1].expand_as(factor))
    assert factor.min() > 0
    assert factor.max() < 1


def test_a_far_pixel_changes_all_others() -> None:
    torch.manual_seed(0)
    layer, image = SqueezeExcite(4, reduction=1), torch.rand(1, 4, 6, 6)
    other = image.clone()
    other[..., -1, -1] += 50
    assert (layer(other) - layer(image))[..., 0, 0].abs().max() > 1e-3


@pytest.mark.parametrize(("channels", "reduction", "narrow"), [(32, 16, 2), (8, 16, 1), (8, 1, 8)])
def test_at_least_one_channel_stays(channels: int, reduction: int, narrow: int) -> None:
    assert SqueezeExcite(channels, reduction).fc1.out_channels == narrow


def test_a_reduction_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="reduction must be at least 1, got 0"):
        SqueezeExcite(8, reduction=0)
