"""Tests of lit_restore.losses.style."""

import numpy as np
import pytest
import torch
from torch import Tensor

from lit_restore.losses import StyleLoss, gram_matrix, style_loss
from lit_restore.models import VGGFeatures

THIN = (2, 3, 4, 2, 2)
POOLS = ["block1_pool", "block2_pool", "block3_pool"]


def thin(depth: int = 16, layer: str = "block3_pool") -> VGGFeatures:
    torch.manual_seed(0)
    return VGGFeatures(depth, layer, "caffe", THIN)


@pytest.fixture
def grams() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    prediction, target = torch.rand(2, 2, 4, 3, 5, generator=generator, dtype=torch.float64)
    return gram_matrix(prediction), gram_matrix(target)


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    prediction, target = torch.rand(2, 2, 3, 16, 24, generator=generator)
    return prediction, target


def test_absolute_is_the_inpainting_papers_equation(grams: tuple[Tensor, Tensor]) -> None:
    expected = [
        sum(abs(x - y) / (4 * 3 * 5) for x, y in zip(a.flat, b.flat, strict=True)) / 4**2
        for a, b in zip(*(gram.numpy() for gram in grams), strict=True)
    ]
    np.testing.assert_allclose(style_loss(*grams, size=15).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize(("channels", "size"), [(None, 15), (3, 128 * 96)])
def test_squared_is_gatyss_and_the_notes_equation(
    grams: tuple[Tensor, Tensor], channels: int | None, size: int
) -> None:
    sums = np.square((grams[0] - grams[1]).numpy()).sum(axis=(1, 2))
    expected = sums / (4 * (channels or 4) ** 2 * size**2)
    found = style_loss(*grams, size, "squared", channels)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("kind", ["absolute", "squared"])
def test_the_gradient_is_that_of_finite_differences(
    kind: str, grams: tuple[Tensor, Tensor]
) -> None:
    gram = grams[0].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: style_loss(x, grams[1], 15, kind), gram)


@pytest.mark.parametrize("kind", ["absolute", "squared"])
@pytest.mark.parametrize("of", ["maps", "picture"])
def test_the_module_sums_over_the_layers(kind: str, of: str, pair: tuple[Tensor, Tensor]) -> None:
    loss = StyleLoss(kind, POOLS, of, 0.25, features=thin())
    maps = [thin().maps(one, POOLS) for one in pair]
    expected = torch.zeros(2)
    for name in POOLS:
        ruler = maps[0][name] if of == "maps" else pair[0]
        channels, size = ruler.shape[1], ruler.shape[2] * ruler.shape[3]
        prediction, target = (gram_matrix(one[name]) for one in maps)
        expected += style_loss(prediction, target, size, kind, channels)
    torch.testing.assert_close(loss(*pair), expected.mean() / 4)


def test_the_style_of_a_picture_is_that_of_its_tiles() -> None:
    """Where something is does not matter, and how large the picture is only at its border."""
    generator = torch.Generator().manual_seed(0)
    tile = torch.rand(1, 3, 32, 32, generator=generator)
    loss = StyleLoss(features=thin(), layers=["block1_conv1"])
    apart = loss(1 - tile, tile)
    assert loss(tile.repeat(1, 1, 2, 2), tile) < 0.1 * apart
    assert loss(tile, tile) == 0


def test_the_gradient_reaches_the_prediction_and_not_the_target(
    pair: tuple[Tensor, Tensor],
) -> None:
    loss = StyleLoss(features=thin())
    prediction, target = (one.clone().requires_grad_() for one in pair)
    loss(prediction, target).backward()
    assert prediction.grad.abs().sum() > 0
    assert target.grad is None
    assert all(one.grad is None for one in loss.features.network.parameters())


def test_it_has_no_parameters_and_no_state() -> None:
    loss = StyleLoss(layers=["block1_conv1"], weights="random").train()
    assert loss.state_dict() == {}
    assert list(loss.parameters()) == []
    assert not loss.features.network.training


def test_only_the_layers_that_are_needed_are_built() -> None:
    loss = StyleLoss(layers=["block2_conv1", "block1_pool"], depth=19, weights="random")
    assert (loss.features.network.depth, loss.features.network.layer) == (19, "block2_conv1")


@pytest.mark.parametrize(
    ("options", "message"),
    [({"kind": "cubed"}, "kind must be 'absolute' or 'squared', got 'cubed'"),
     ({"of": "batch"}, "of must be 'maps' or 'picture', got 'batch'"),
     ({"depth": 13}, "depth must be 16 or 19, got 13"),
     ({"layers": []}, "block5_pool; got none"),
     ({"layers": ["block1_pool", "pool2"]}, r"block5_pool; got \['pool2'\]")],
)  # fmt: skip
def test_what_cannot_be_made_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StyleLoss(weights="random", **options)


def test_matrices_of_different_layers_and_unknown_kinds_are_refused(
    grams: tuple[Tensor, Tensor],
) -> None:
    with pytest.raises(ValueError, match=r"got \(2, 4, 4\) and \(2, 3, 3\)"):
        style_loss(grams[0], grams[1][:, :3, :3], 15)
    with pytest.raises(ValueError, match="got 'cubed'"):
        style_loss(*grams, 15, "cubed")
