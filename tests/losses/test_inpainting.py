"""Tests of lit_restore.losses.inpainting."""

import copy
import math
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lit_restore.losses import InpaintingLoss, dilated_hole
from lit_restore.models import VGGFeatures

POOLS = ("block1_pool", "block2_pool", "block3_pool")
NAMES = ["valid", "hole", "perceptual", "style_prediction", "style_composite", "total_variation"]
PAPER = dict(zip(NAMES, (1, 6, 0.05, 120, 120, 0.1), strict=True))
NO_VGG = {"perceptual": 0, "style_prediction": 0, "style_composite": 0}


def tiny(inputs: str = "imagenet") -> VGGFeatures:
    torch.manual_seed(0)
    return VGGFeatures(16, "block3_pool", inputs, (2, 2, 3, 3, 3))


class Counting(VGGFeatures):
    """Says how many pictures went in, and whether for a gradient."""

    def __init__(self) -> None:
        super().__init__(16, "block3_pool", "imagenet", (2, 2, 3, 3, 3))
        self.runs: list[tuple[int, bool]] = []

    def maps(self, image: Tensor, *args: Any) -> dict[str, Tensor]:
        found = super().maps(image, *args)
        self.runs.append((len(image), next(iter(found.values())).requires_grad))
        return found


@pytest.fixture
def batch() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    prediction, target = torch.rand(2, 2, 3, 16, 24, generator=generator)
    mask = torch.ones(2, 1, 16, 24)
    mask[0, :, 4:11, 5:9] = 0
    mask[1, :, :3, 15:] = 0
    return prediction, target, mask


def slow(
    prediction: Tensor, target: Tensor, mask: Tensor, scale: float = 1.0
) -> Iterator[tuple[str, float]]:
    """The paper's section 3.3, line by line, without weights; the mean over the pictures."""
    count = prediction.numel()
    composite = mask * target + (1 - mask) * prediction
    yield "valid", (mask * (prediction - target)).abs().sum().item() / count
    yield "hole", ((1 - mask) * (prediction - target)).abs().sum().item() / count
    network = tiny()
    maps = {
        name: [network.maps(one, [layer])[layer] * scale for layer in POOLS]
        for name, one in (("out", prediction), ("comp", composite), ("true", target))
    }
    apart, style = 0.0, {"out": 0.0, "comp": 0.0}
    for name, total in style.items():
        for ours, true in zip(maps[name], maps["true"], strict=True):
            apart += (ours - true).abs().sum().item() / true.numel()
            for a, b in zip(ours, true, strict=True):
                c, h, w = a.shape
                entries = [
                    (a[i] * a[j]).sum() - (b[i] * b[j]).sum() for i in range(c) for j in range(c)
                ]
                total += sum(abs(x.item()) for x in entries) / (c * h * w) / c**2 / len(ours)
        style[name] = total
    yield "perceptual", apart
    yield "style_prediction", style["out"]
    yield "style_composite", style["comp"]
    region = dilated_hole(mask)
    down = (composite[..., 1:, :] - composite[..., :-1, :]).abs()
    right = (composite[..., 1:] - composite[..., :-1]).abs()
    within = (down * region[..., 1:, :] * region[..., :-1, :]).sum()
    within += (right * region[..., 1:] * region[..., :-1]).sum()
    yield "total_variation", within.item() / count


def test_the_six_terms_are_the_papers_with_its_weights(
    batch: tuple[Tensor, Tensor, Tensor],
) -> None:
    terms = InpaintingLoss(features=tiny())(*batch)
    assert list(terms) == NAMES
    for name, expected in slow(*batch):
        assert terms[name].shape == ()
        assert terms[name].item() == pytest.approx(PAPER[name] * expected, rel=1e-5), name


def test_each_weight_is_that_of_its_term(batch: tuple[Tensor, Tensor, Tensor]) -> None:
    given = {name: weight / 3 + 1 for name, weight in PAPER.items()}
    terms = InpaintingLoss(**given, features=tiny())(*batch)
    for name, value in InpaintingLoss(features=tiny())(*batch).items():
        torch.testing.assert_close(terms[name], value / PAPER[name] * given[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_term_whose_weight_is_zero_is_left_out_and_the_others_stay(
    name: str, batch: tuple[Tensor, Tensor, Tensor]
) -> None:
    terms = InpaintingLoss(**{name: 0}, features=tiny())(*batch)
    every = InpaintingLoss(features=tiny())(*batch)
    assert list(terms) == [other for other in NAMES if other != name]
    for other, value in terms.items():
        torch.testing.assert_close(value, every[other])


@pytest.mark.parametrize("name", NAMES)
def test_each_term_alone_is_what_it_is_with_the_others(
    name: str, batch: tuple[Tensor, Tensor, Tensor]
) -> None:
    alone = {other: PAPER[other] if other == name else 0 for other in NAMES}
    every = InpaintingLoss(features=tiny())(*batch)
    terms = InpaintingLoss(**alone, features=tiny())(*batch)
    assert list(terms) == [name]
    torch.testing.assert_close(terms[name], every[name])


def test_vgg_is_neither_needed_nor_looked_for_if_no_term_reads_it(
    batch: tuple[Tensor, Tensor, Tensor],
) -> None:
    loss = InpaintingLoss(**NO_VGG, weights="/nowhere/vgg16.pth")
    assert list(loss(*batch)) == ["valid", "hole", "total_variation"]
    assert loss.features is None


def test_vgg_runs_once_for_the_gradient_and_keeps_no_graph_of_the_target(
    batch: tuple[Tensor, Tensor, Tensor],
) -> None:
    network = Counting()
    prediction, target = (one.clone().requires_grad_() for one in batch[:2])
    terms = InpaintingLoss(features=network)(prediction, target, batch[2])
    assert sorted(network.runs) == [(2, False), (4, True)]
    sum(terms.values()).backward()
    assert target.grad is None
    assert prediction.grad.abs().sum() > 0


@pytest.mark.parametrize("name", ["style_prediction", "style_composite"])
def test_vgg_does_not_see_a_picture_that_no_term_reads(
    name: str, batch: tuple[Tensor, Tensor, Tensor]
) -> None:
    network = Counting()
    InpaintingLoss(**(NO_VGG | {name: 1}), features=network)(*batch)
    assert [count for count, _ in network.runs] == [2, 2]


@pytest.mark.parametrize("name", ["hole", "style_composite", "total_variation"])
def test_what_is_predicted_where_the_mask_is_valid_does_not_matter_to_the_composite(
    name: str, batch: tuple[Tensor, Tensor, Tensor]
) -> None:
    prediction, target, mask = batch
    loss = InpaintingLoss(**{other: float(other == name) for other in NAMES}, features=tiny())
    expected = loss(*batch)[name]
    spoilt = prediction.where(mask == 0, math.nan).requires_grad_()
    found = loss(spoilt, target, mask)[name]
    found.backward()
    assert torch.equal(found, expected)
    assert spoilt.grad.where(mask != 0, 0).eq(0).all()
    assert spoilt.grad.abs().sum() > 0


def test_what_is_predicted_in_the_hole_does_not_matter_to_the_valid_term(
    batch: tuple[Tensor, Tensor, Tensor],
) -> None:
    prediction, target, mask = batch
    loss = InpaintingLoss(**NO_VGG)
    spoilt = prediction.where(mask != 0, 1e3)
    assert torch.equal(loss(spoilt, target, mask)["valid"], loss(*batch)["valid"])
    assert loss(spoilt, target, mask)["hole"] > 100 * loss(*batch)["hole"]


def test_a_perfect_picture_costs_nothing_but_its_own_variation(
    batch: tuple[Tensor, Tensor, Tensor],
) -> None:
    _, target, mask = batch
    terms = InpaintingLoss(features=tiny())(target, target, mask)
    assert [name for name, value in terms.items() if value != 0] == ["total_variation"]


def test_a_hole_twice_as_large_costs_twice_as_much() -> None:
    target = torch.zeros(1, 3, 16, 16)
    masks = [torch.ones(1, 1, 16, 16) for _ in range(2)]
    masks[0][..., :2, :] = masks[1][..., :4, :] = 0
    loss = InpaintingLoss(**NO_VGG)
    values = [loss(target + 1, target, mask)["hole"].item() for mask in masks]
    assert values == pytest.approx([6 / 8, 6 / 4])


def test_the_gradient_is_that_of_finite_differences(
    batch: tuple[Tensor, Tensor, Tensor],
) -> None:
    loss = InpaintingLoss(features=tiny()).double()
    prediction, target, mask = (one[:1, :, 3:11, 4:12].double() for one in batch)
    prediction.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: sum(loss(x, target, mask).values()), prediction)


def test_keras_weights_are_brought_to_the_range_of_torchvisions(
    batch: tuple[Tensor, Tensor, Tensor],
) -> None:
    """Its pictures are 57.6 times as large: the paper's weights would drown all but the style."""
    assert InpaintingLoss(features=tiny("imagenet")).features.scale == 1
    assert InpaintingLoss(features=tiny("caffe")).features.scale == pytest.approx(1 / 57.63)
    assert InpaintingLoss(features=tiny("caffe"), scale=0.5).features.scale == 0.5
    terms = InpaintingLoss(features=tiny(), scale=0.5)(*batch)
    for name, expected in slow(*batch, scale=0.5):
        assert terms[name].item() == pytest.approx(PAPER[name] * expected, rel=1e-5), name


def test_masks_of_truth_values_are_read_alike(batch: tuple[Tensor, Tensor, Tensor]) -> None:
    loss = InpaintingLoss(features=tiny())
    expected = loss(*batch)
    for name, value in loss(*batch[:2], batch[2].bool()).items():
        assert torch.equal(value, expected[name])


def test_half_precision_is_compared_in_float32(batch: tuple[Tensor, Tensor, Tensor]) -> None:
    expected = InpaintingLoss(features=tiny())(*batch)
    terms = InpaintingLoss(features=tiny()).bfloat16()(*(one.bfloat16() for one in batch))
    for name, value in terms.items():
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(expected[name].item(), rel=0.1)


def test_it_runs_under_autocast_on_what_a_network_gave_there(
    batch: tuple[Tensor, Tensor, Tensor],
) -> None:
    expected = InpaintingLoss(features=tiny())(*batch)
    prediction = batch[0].bfloat16().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        terms = InpaintingLoss(features=tiny())(prediction, *batch[1:])
    sum(terms.values()).backward()
    assert prediction.grad.isfinite().all()
    for name, value in terms.items():
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(expected[name].item(), rel=0.1)


def test_it_stores_nothing_trains_nothing_and_copies(batch: tuple[Tensor, Tensor, Tensor]) -> None:
    loss = InpaintingLoss(features=tiny()).train()
    assert loss.state_dict() == {}
    assert list(loss.parameters()) == []
    assert not loss.features.network.training
    recipe = nn.ModuleDict({"network": nn.Conv2d(3, 3, 1), "loss": loss}).double()
    assert set(recipe.state_dict()) == {"network.weight", "network.bias"}
    assert {one.dtype for one in loss.features.network.parameters()} == {torch.float64}
    doubles = [one.double() for one in batch]
    for copied in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        for name, value in copied(*doubles).items():
            assert torch.equal(value, loss(*doubles)[name])


def test_depth_and_layers_say_which_vgg_is_made() -> None:
    loss = InpaintingLoss(layers=["block2_conv2", "block1_pool"], depth=19, weights="random")
    network = loss.features.network
    assert (network.depth, network.layer) == (19, "block2_conv2")
    assert InpaintingLoss(weights="random").features.network.layer == "block3_pool"
    assert InpaintingLoss(weights="random").features.layers == POOLS


@pytest.mark.parametrize(
    ("shapes", "message"),
    [(((2, 3, 8, 8), (1, 3, 8, 8), (2, 1, 8, 8)), r"got \(2, 3, 8, 8\) and \(1, 3, 8, 8\)"),
     (((2, 3, 8, 8), (2, 3, 8, 8), (2, 3, 8, 8)), r"\(2, 1, 8, 8\), got \(2, 3, 8, 8\)"),
     (((2, 3, 8, 8), (2, 3, 8, 8), (1, 1, 8, 8)), r"\(2, 1, 8, 8\), got \(1, 1, 8, 8\)"),
     (((1, 3, 7, 8), (1, 3, 7, 8), (1, 1, 7, 8)), "at least 8x8 pixels, got 7x8")],
)  # fmt: skip
def test_shapes_that_do_not_fit_are_refused(
    shapes: tuple[tuple[int, ...], ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        InpaintingLoss(features=tiny())(*(torch.rand(shape) for shape in shapes))


@pytest.mark.parametrize("weights", [{"hole": -1}, dict.fromkeys(NAMES, 0)])
def test_weights_that_cannot_be_meant_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="weights of terms of 0 or more, and one above 0; got"):
        InpaintingLoss(**weights, weights="random")


def test_averaged_over_the_region_a_small_hole_counts_as_a_large_one() -> None:
    target = torch.zeros(2, 3, 8, 8)
    mask = torch.ones(2, 1, 8, 8)
    mask[0, :, 0, 0] = 0
    mask[1, :, :6] = 0
    prediction = torch.where(mask == 0, torch.tensor([0.1, 0.3]).view(2, 1, 1, 1), 0.2) + target
    loss = InpaintingLoss(1, 6, 0, 0, 0, 0, average="region")
    terms = loss(prediction, target, mask)
    assert terms["hole"].item() == pytest.approx(6 * 0.2)  # the mean of .1 and .3
    assert terms["valid"].item() == pytest.approx(0.2)
    whole = InpaintingLoss(1, 6, 0, 0, 0, 0)(prediction, target, mask)
    assert whole["hole"].item() == pytest.approx(6 * (0.1 / 64 + 0.3 * 48 / 64) / 2)


def test_an_unknown_average_is_refused() -> None:
    with pytest.raises(ValueError, match="average must be 'picture' or 'region', got 'hole'"):
        InpaintingLoss(average="hole")  # type: ignore[arg-type]
