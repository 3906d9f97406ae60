"""Tests of lit_restore.losses.style_transfer."""

from typing import Any

import pytest
import torch
from torch import Tensor

from lit_restore.losses import StyleTransferLoss, gram_matrix
from lit_restore.models import VGGFeatures

LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1")
CONTENT = "block3_conv2"
Pictures = tuple[Tensor, Tensor, Tensor]


def thin(**options: Any) -> VGGFeatures:
    torch.manual_seed(0)
    return VGGFeatures(**{"depth": 16, "layer": CONTENT, "widths": (4, 5, 6, 7, 8), **options})


def made(pictures: Pictures, network: VGGFeatures | None = None, **options: Any) -> Any:
    loss = StyleTransferLoss(network or thin(), CONTENT, LAYERS, **options).double()
    loss.remember(pictures[0], [pictures[1]])
    return loss


@pytest.fixture
def pictures() -> Pictures:
    """Content, style and another picture, of one size."""
    generator = torch.Generator().manual_seed(1)
    content, style, image = torch.rand(3, 1, 3, 24, 20, generator=generator, dtype=torch.float64)
    return content, style, image


def by_hand(pictures: Pictures) -> dict[str, Tensor]:
    """The notes' terms with every weight 1, in plain sums."""
    image = pictures[2]
    network = thin().double()
    maps = [network.maps(one, [CONTENT, *LAYERS]) for one in pictures]
    grams = [[gram_matrix(found[name]) for name in LAYERS] for found in maps]
    pairs = zip(grams[1], grams[2], strict=True)
    squares = sum(((one - other) ** 2).sum() for one, other in pairs)
    corner = image[..., :-1, :-1] * 255
    a = (corner - image[..., 1:, :-1] * 255) ** 2
    b = (corner - image[..., :-1, 1:] * 255) ** 2
    return {
        "content": ((maps[2][CONTENT] - maps[0][CONTENT]) ** 2).sum(),
        "style": squares / (4 * 9 * (24 * 20) ** 2) / 3,
        "total_variation": ((a + b) ** 1.25).sum(),
    }


def test_the_notes_terms_are_their_sums(pictures: Pictures) -> None:
    weights = {"content_weight": 0.5, "style_weight": 2.0, "total_variation_weight": 3.0}
    terms = made(pictures, normalize="notes", **weights)(pictures[2])
    expected = by_hand(pictures)
    assert list(terms) == ["content", "style", "total_variation"]
    for name, weight in zip(terms, (0.5, 2.0, 3.0), strict=True):
        torch.testing.assert_close(terms[name], weight * expected[name].detach())


def test_gatys_s_terms_are_his(pictures: Pictures) -> None:
    weights = {"content_weight": 1.0, "style_weight": 1.0, "total_variation_weight": 0.0}
    loss = made(pictures, normalize="gatys", layer_weights=[0, 1, 0], **weights)
    terms = loss(pictures[2])
    torch.testing.assert_close(terms["content"], by_hand(pictures)["content"] / 2)
    one, other = (gram_matrix(thin().double().maps(p, LAYERS)[LAYERS[1]]) for p in pictures[1:])
    expected = ((one - other) ** 2).sum() / (4 * 5**2 * (12 * 10) ** 2)
    torch.testing.assert_close(terms["style"], expected)
    assert terms["total_variation"] == 0


def test_what_has_nothing_of_it_has_terms_of_one(pictures: Pictures) -> None:
    """Maps of nothing are those of a network whose weights are all 0."""
    loss = made(pictures, content_weight=1.0, style_weight=1.0)
    with torch.no_grad():
        for parameter in loss.features.network.parameters():
            parameter.zero_()
    terms = loss(pictures[2])
    assert terms["content"].item() == pytest.approx(1)
    assert terms["style"].item() == pytest.approx(1)


def test_a_layer_of_which_the_style_has_nothing_has_no_say(pictures: Pictures) -> None:
    loss = made(pictures)
    loss.aims.gram(0, LAYERS[1]).zero_()
    others = StyleTransferLoss(thin(), CONTENT, [LAYERS[0], LAYERS[2]]).double()
    others.remember(pictures[0], [pictures[1]])
    expected = others(pictures[2])["style"] * 2 / 3
    torch.testing.assert_close(loss(pictures[2])["style"], expected)


def test_relative_terms_do_not_ask_how_large_the_maps_are(pictures: Pictures) -> None:
    plain, louder = thin(layer="block1_conv2"), thin(layer="block1_conv2")
    with torch.no_grad():
        louder.features[0].weight.mul_(7)
        louder.features[0].bias.mul_(7)  # type: ignore[operator, union-attr]
        louder.features[2].bias.mul_(7)  # type: ignore[operator, union-attr]
    found = []
    for network in (plain, louder):
        loss = StyleTransferLoss(network, "block1_conv2", ["block1_conv1"]).double()
        loss.remember(pictures[0], [pictures[1]])
        found.append(loss(pictures[2]))
    for name in ("content", "style"):
        torch.testing.assert_close(found[0][name], found[1][name])


@pytest.mark.parametrize("normalize", ["relative", "notes", "gatys"])
def test_a_style_of_another_size_counts_as_if_it_had_the_picture_s(
    normalize: Any, pictures: Pictures
) -> None:
    """A flat style has the same statistics at any size, but for what its borders add."""
    content, style, image = pictures
    loss = StyleTransferLoss(thin(layer="block1_conv1"), "block1_conv1", ["block1_conv1"],
                             normalize=normalize).double()  # fmt: skip
    flat = torch.full_like(style, 0.3)
    loss.remember(content, [flat])
    near = loss(image)["style"]
    loss.remember(content, [torch.full((1, 3, 96, 80), 0.3, dtype=torch.float64)])
    assert loss(image)["style"].item() == pytest.approx(near.item(), rel=0.4)


def test_the_content_has_no_content_to_gain_and_the_style_no_style(pictures: Pictures) -> None:
    loss = made(pictures)
    assert loss(pictures[0])["content"] == 0
    assert loss(pictures[1])["style"].item() == pytest.approx(0, abs=1e-20)
    assert loss(pictures[0])["style"] > 1e-6
    assert loss(pictures[1])["content"] > 1e-6


def test_styles_share_the_term_by_their_weights(pictures: Pictures) -> None:
    content, style, other = pictures
    image = content.flip(-1)
    loss = made(pictures, normalize="notes")
    alone = []
    for one in (style, other):
        loss.remember(content, [one])
        alone.append(loss(image)["style"])
    loss.remember(content, [style, other], [3, 1])
    torch.testing.assert_close(loss(image)["style"], 0.75 * alone[0] + 0.25 * alone[1])
    loss.remember(content, [style, other])
    torch.testing.assert_close(loss(image)["style"], (alone[0] + alone[1]) / 2)


def test_the_gradient_is_that_of_the_terms(pictures: Pictures) -> None:
    small = [one[..., :5, :6].contiguous() for one in pictures]
    network = thin(layer="block1_conv2")
    loss = StyleTransferLoss(network, "block1_conv2", ["block1_conv1"]).double()
    loss.remember(small[0], [small[1]])
    image = small[2].requires_grad_()
    assert torch.autograd.gradcheck(lambda x: sum(loss(x).values()), image)


def test_what_is_constant_is_computed_once(pictures: Pictures) -> None:
    loss = made(pictures)
    runs: list[int] = []
    loss.features.network.features[0].register_forward_hook(lambda *call: runs.append(1))
    for _ in range(3):
        loss(pictures[2])
    assert len(runs) == 3


def test_nothing_of_it_is_trained_or_stored(pictures: Pictures) -> None:
    loss = made(pictures)
    assert list(loss.parameters()) == []
    assert loss.state_dict() == {}
    assert loss.float()(pictures[2].float())["style"].dtype == torch.float32


@pytest.mark.parametrize(
    ("options", "message"),
    [({"content_layer": "block4_conv1"}, "block3_conv2; got .*block4_conv1"),
     ({"style_layers": []}, "expected a content layer and style layers"),
     ({"layer_weights": [1.0]}, r"layer_weights must be 3, got \[1.0\]"),
     ({"normalize": "mean"}, "normalize must be one of relative, notes, gatys; got 'mean'"),
     ({"exponent": 0}, "exponent must be positive, got 0")],
)  # fmt: skip
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    given = {"content_layer": CONTENT, "style_layers": LAYERS, **options}
    with pytest.raises(ValueError, match=message):
        StyleTransferLoss(thin(), **given)


def test_pictures_that_do_not_fit_are_refused(pictures: Pictures) -> None:
    content, style, image = pictures
    loss = StyleTransferLoss(thin(), CONTENT, LAYERS).double()
    with pytest.raises(RuntimeError, match="remember"):
        loss(image)
    for arguments, message in (
        ((content, []), "at least one style"),
        ((content, [style], [0.0]), r"style_weights must be 1, at least 0 .* got \[0.0\]"),
        ((content, [style], [1.0, 2.0]), "style_weights must be 1"),
        ((content.expand(2, -1, -1, -1), [style]), r"one picture, .* got \(2, 3, 24, 20\)"),
    ):
        with pytest.raises(ValueError, match=message):
            loss.remember(*arguments)
    loss.remember(content, [style])
    with pytest.raises(ValueError, match="as large as the content"):
        loss(image[..., :16, :])


def test_autocast_does_not_lower_the_precision_of_the_comparison(pictures: Pictures) -> None:
    loss = made(pictures).float()
    exact = loss(pictures[2].float())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = loss(pictures[2].float())
    for name, term in rough.items():
        assert term.dtype == torch.float32
        assert term.item() == pytest.approx(exact[name].item(), rel=0.1)
