"""Tests of lit_restore.nn.normalization."""

from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from lit_restore.nn import (
    Norm,
    StdInstanceNorm2d,
    SwitchBatchNorm2d,
    make_norm,
    removes_mean,
)

KINDS: tuple[Any, ...] = get_args(Norm)
# Over which axes of (N, group, channel of it, H, W) the mean is taken, and how many groups of 64.
AXES = {
    "batch": ((0, 2, 3, 4), 64),
    "layer": ((1, 2, 3, 4), 64),
    "instance": ((2, 3, 4), 64),
    "group": ((2, 3, 4), 32),
}


@pytest.fixture
def image() -> Tensor:
    torch.manual_seed(0)
    return torch.randn(3, 64, 5, 4, dtype=torch.float64) * 2 + 1


def normalised(image: Tensor, axes: tuple[int, ...], groups: int, eps: float) -> Tensor:
    """Divide by the root of variance plus ``eps``, written out."""
    parts = image.unflatten(1, (groups, -1))
    mean = parts.mean(axes, keepdim=True)
    variance = (parts - mean).square().mean(axes, keepdim=True)
    return ((parts - mean) / (variance + eps).sqrt()).flatten(1, 2)


@pytest.mark.parametrize("norm", ["batch", "layer", "instance", "group"])
@pytest.mark.parametrize(("style", "eps"), [("torch", 1e-5), ("keras", 1e-3)])
def test_each_kind_takes_its_own_mean_and_variance(
    norm: Any, style: Any, eps: float, image: Tensor
) -> None:
    image = 0.05 * image  # where the constant shows
    axes, groups = AXES[norm]
    found = make_norm(norm, 64, style).double()(image)
    torch.testing.assert_close(found, normalised(image, axes, groups, eps), rtol=0, atol=1e-12)
    for other, (axes, groups) in AXES.items():
        wrong = normalised(image, axes, groups, eps)
        assert other == norm or (found - wrong).abs().max() > 0.01


def test_std_instance_is_keras_contrib_s_in_either_style() -> None:
    for style in ("torch", "keras"):
        layer = make_norm("std_instance", 64, style)
        assert isinstance(layer, StdInstanceNorm2d)
        assert layer.eps == 1e-3


@pytest.mark.parametrize(("channels", "groups"), [(64, 32), (32, 16), (48, 24), (40, 20), (7, 1)])
def test_groups_are_32_or_the_next_that_divide_the_channels(channels: int, groups: int) -> None:
    layer = make_norm("group", channels)
    assert isinstance(layer, nn.GroupNorm)
    assert layer.num_groups == groups


@pytest.mark.parametrize("norm", KINDS)
def test_the_instance_norms_learn_nothing_unless_they_are_told_to(norm: Any) -> None:
    def learned(affine: bool | None) -> set[str]:
        return {name for name, _ in make_norm(norm, 8, affine=affine).named_parameters()}

    both = set() if norm == "none" else {"weight", "bias"}
    without = norm in ("instance", "std_instance", "none")
    assert learned(None) == (set() if without else both)
    assert learned(True) == both
    assert learned(False) == set()


@pytest.mark.parametrize("norm", KINDS)
def test_those_that_remove_the_mean_do_not_see_an_offset(norm: Any) -> None:
    torch.manual_seed(0)
    image = torch.randn(2, 64, 5, 4, dtype=torch.float64)
    layer = make_norm(norm, 64).double()
    offset = torch.linspace(-3, 3, 64, dtype=torch.float64)[:, None, None]
    blind = bool((layer(image + offset) - layer(image)).abs().max() < 1e-9)
    assert removes_mean(norm) == blind


def test_batch_norm_has_the_constants_of_its_style() -> None:
    layers = [make_norm("batch", 4, style) for style in ("torch", "keras")]
    assert all(isinstance(layer, SwitchBatchNorm2d) for layer in layers)
    found = [(layer.eps, layer.momentum, layer.bessel) for layer in layers]
    assert found == [(1e-5, 0.1, True), (1e-3, 0.01, False)]


def test_in_torch_s_style_batch_norm_is_torch_s_bit_for_bit(image: Tensor) -> None:
    ours, theirs = make_norm("batch", 64).double(), nn.BatchNorm2d(64).double()
    assert torch.equal(ours(image), theirs(image))
    assert torch.equal(ours.eval()(image), theirs.eval()(image))


def test_what_is_unknown_is_refused() -> None:
    wrong: Any = "spectral"
    with pytest.raises(ValueError, match=r"norm must be one of batch, layer, .*; got 'spectral'"):
        make_norm(wrong, 4)
    with pytest.raises(ValueError, match="style must be 'torch' or 'keras', got 'spectral'"):
        make_norm("batch", 4, wrong)
