"""Tests of lit_restore.models.srcnn."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from lit_restore.models import SRCNN


def count(network: torch.nn.Module, name: str) -> int:
    return sum(v.numel() for key, v in network.named_parameters() if key.endswith(name))


def test_the_paper_s_networks_have_the_paper_s_sizes() -> None:
    assert count(SRCNN(), "weight") == 8032
    assert count(SRCNN(kernel_sizes=(9, 3, 5)), "weight") == 24416
    assert count(SRCNN(kernel_sizes=(9, 5, 5)), "weight") == 57184
    assert count(SRCNN(), "bias") == 64 + 32 + 1
    assert count(SRCNN(in_channels=3), "weight") == 3 * (8032 - 2048) + 2048


@pytest.mark.parametrize("channels", [1, 3])
def test_same_padding_keeps_the_size(channels: int) -> None:
    network = SRCNN(channels, widths=(5, 4))
    assert network(torch.rand(2, channels, 17, 20)).shape == (2, channels, 17, 20)


@pytest.mark.parametrize(("kernels", "margin"), [((9, 1, 5), 6), ((9, 5, 5), 8), ((3, 1, 1), 1)])
def test_valid_padding_gives_the_inner_pixels_of_same_padding(
    kernels: tuple[int, int, int], margin: int
) -> None:
    same, valid = (SRCNN(1, (5, 4), kernels, padding) for padding in ("same", "valid"))
    valid.load_state_dict(same.state_dict())
    image = torch.rand(2, 1, 21, 24)

    found = valid(image)

    assert valid.margin == margin
    assert same.margin == 0
    assert found.shape == (2, 1, 21 - 2 * margin, 24 - 2 * margin)
    inner = same(image)[..., margin:-margin, margin:-margin]
    torch.testing.assert_close(found, inner)


@pytest.mark.parametrize("channels", [1, 3])
def test_it_begins_near_its_input(channels: int) -> None:
    torch.manual_seed(0)
    image = torch.rand(1, channels, 4, 4).repeat_interleave(6, 2).repeat_interleave(6, 3)
    assert (SRCNN(channels)(image) - image).square().mean().sqrt() < 0.06


def test_it_is_three_convolutions_with_relu_between_and_none_after() -> None:
    torch.manual_seed(0)
    network = SRCNN(1, (5, 4)).double()
    image = torch.rand(1, 1, 9, 11, dtype=torch.float64)
    state = network.state_dict()
    x = F.conv2d(image, state["extract.weight"], state["extract.bias"], padding=4).clamp(min=0)
    x = F.conv2d(x, state["mapping.weight"], state["mapping.bias"]).clamp(min=0)
    x = F.conv2d(x, state["reconstruct.weight"], state["reconstruct.bias"] - 5, padding=2)
    with torch.no_grad():
        network.reconstruct.bias -= 5
    torch.testing.assert_close(network(image), x)
    assert network(image).max() < 0


def test_a_picture_of_which_nothing_would_be_left_is_refused() -> None:
    network = SRCNN(padding="valid")
    assert network(torch.rand(1, 1, 13, 13)).shape == (1, 1, 1, 1)
    with pytest.raises(ValueError, match="must be at least 13x13, got 12x40"):
        network(torch.rand(1, 1, 12, 40))


def test_what_the_pipeline_enlarges_by_is_kept() -> None:
    assert SRCNN().enlarged_by is None
    assert SRCNN(enlarged_by=3).enlarged_by == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [({"widths": (64,)}, r"widths must be two, got \[64\]"),
     ({"kernel_sizes": (9, 5)}, r"three odd numbers, got \[9, 5\]"),
     ({"kernel_sizes": (9, 2, 5)}, r"three odd numbers, got \[9, 2, 5\]"),
     ({"padding": "reflect"}, "padding must be 'same' or 'valid', got 'reflect'"),
     ({"enlarged_by": 0}, "enlarged_by must be at least 1 or None, got 0")],
)  # fmt: skip
def test_what_cannot_be_built_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SRCNN(**options)
