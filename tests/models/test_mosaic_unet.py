"""Tests of lit_restore.models.mosaic_unet."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lit_restore.models import MosaicUNet
from lit_restore.nn import SqueezeExcite

SMALL: dict[str, Any] = {"widths": (6, 10), "dilations": (1, 2)}


def small(**options: Any) -> MosaicUNet:
    torch.manual_seed(0)
    return MosaicUNet(**SMALL | options)


def awake(network: MosaicUNet) -> MosaicUNet:
    """Give a residual network's last layer other weights than zero."""
    nn.init.normal_(network.head.weight, std=0.1)
    return network


def size(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


@pytest.mark.parametrize(
    "options",
    [{}, {"stem_stride": 1}, {"stem_stride": 2}, {"widths": (5,)}, {"widths": (5, 7, 9)},
     {"skip": "add"}, {"squeeze_excite": True}, {"dilations": ()}, {"depth": 3},
     {"output": "sigmoid"}, {"output": "sigmoid", "in_channels": 1}],
)  # fmt: skip
def test_the_result_has_the_size_of_the_input(options: dict[str, Any]) -> None:
    network = small(**options)
    height, width = network.multiple_of * 2, network.multiple_of * 3
    result = network(torch.rand(2, network.in_channels, height, width))
    assert result.shape == (2, 3, height, width)


def test_a_residual_network_starts_as_identity() -> None:
    image = torch.rand(2, 3, 16, 24)
    torch.testing.assert_close(small()(image), image, rtol=0, atol=0)
    assert (awake(small())(image) - image).abs().max() > 0.01


def test_a_sigmoid_network_is_in_unit_range_and_no_identity() -> None:
    network = small(output="sigmoid")
    nn.init.normal_(network.head.weight, std=3)
    result = network(torch.rand(2, 3, 16, 24))
    assert result.min() >= 0
    assert result.max() <= 1
    assert result.std() > 0.1


@pytest.mark.parametrize(("stem_stride", "stages", "multiple"), [(4, 2, 8), (1, 3, 4), (2, 1, 2)])
def test_sizes_that_do_not_divide_are_refused(stem_stride: int, stages: int, multiple: int) -> None:
    network = small(stem_stride=stem_stride, widths=(4, 6, 8)[:stages])
    assert network.multiple_of == multiple
    network(torch.rand(1, 3, multiple, 2 * multiple))
    wrong = f"must be multiples of {multiple}, got {multiple}x{multiple + 1}"
    with pytest.raises(ValueError, match=wrong):
        network(torch.rand(1, 3, multiple, multiple + 1))


def test_each_stage_halves_what_the_stem_leaves() -> None:
    network = small(widths=(4, 6, 8), stem_stride=4)
    seen: list[tuple[int, ...]] = []
    for stage in [*network.encoder, *network.decoder]:
        stage.register_forward_hook(lambda _, __, out: seen.append(tuple(out.shape[1:])))
    network(torch.rand(1, 3, 32, 64))
    assert seen == [(4, 8, 16), (6, 4, 8), (8, 2, 4), (6, 4, 8), (4, 8, 16)]


def test_adding_needs_fewer_weights_than_joining() -> None:
    assert size(small()) - size(small(skip="add")) == 6 * 6 * 9  # of one decoder's convolution


def test_depth_counts_the_convolutions_of_a_stage() -> None:
    assert [len(stage) for stage in small(depth=3).encoder] == [3, 3]
    assert [len(stage) for stage in small(depth=1).decoder] == [1]


def test_squeeze_excite_ends_each_stage() -> None:
    network = small(squeeze_excite=True)
    assert all(isinstance(stage[-1], SqueezeExcite) for stage in network.encoder)
    assert all(isinstance(stage[-1], SqueezeExcite) for stage in network.decoder)
    assert not any(isinstance(module, SqueezeExcite) for module in small().modules())


def seen_pixels(network: MosaicUNet) -> int:
    """How many input pixels of a row change the pixel in the middle."""
    network = awake(network).eval()
    image = torch.rand(1, 3, 96, 96, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(image)[0, 0, 48, 48], image)
    return int(gradient[0, :, 48].abs().sum(dim=0).count_nonzero())


def test_dilations_widen_what_a_pixel_sees() -> None:
    narrow, wide = small(widths=(12,), dilations=(1,)), small(widths=(12,), dilations=(4,))
    assert [layer.conv.dilation for layer in wide.bottom] == [(4, 4)]
    assert seen_pixels(wide) > seen_pixels(narrow) > 3


def test_the_input_reaches_the_last_layer_at_full_size() -> None:
    network = small(output="sigmoid").eval()
    image: Tensor = torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        network.head.weight[:, :-3] = 0
    other = image.clone()
    other[..., 5, 5] += 0.5
    changed = (network(image) != network(other)).any(dim=1)[0].nonzero()
    assert changed.min(dim=0).values.tolist() == [4, 4]
    assert changed.max(dim=0).values.tolist() == [6, 6]


@pytest.mark.parametrize(
    "options", [{}, {"skip": "add", "squeeze_excite": True, "widths": (64, 80)}]
)
def test_every_parameter_gets_a_gradient(options: dict[str, Any]) -> None:
    network = awake(small(**options))
    network(torch.rand(4, 3, 16, 16)).square().sum().backward()
    without = [name for name, value in network.named_parameters() if not value.grad.abs().sum()]
    assert without == []


@pytest.mark.parametrize(
    ("options", "message"),
    [({"widths": ()}, "widths must name at least one stage, got none"),
     ({"stem_stride": 3}, "stem_stride must be a power of 2, got 3"),
     ({"stem_stride": 0}, "stem_stride must be a power of 2, got 0"),
     ({"depth": 0}, "depth must be at least 1, got 0"),
     ({"skip": "sum"}, "skip must be 'concat' or 'add', got 'sum'"),
     ({"output": "tanh"}, "output must be 'residual' or 'sigmoid', got 'tanh'"),
     ({"in_channels": 1}, "output='residual' needs out_channels == in_channels, got 3 and 1")],
)  # fmt: skip
def test_what_cannot_be_built_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**options)
