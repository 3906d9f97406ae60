"""Tests of lit_restore.nn.tta."""

import copy
import pickle
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.nn import TTA


class _Classifier(nn.Module):
    """Logits by the means of its maps; with a kernel that tells directions apart, or not."""

    num_classes = 3
    multiple_of = 2

    def __init__(self, kernel: int = 3, classes: int = 3, symmetric: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, classes, kernel, padding=kernel // 2)
        if symmetric:
            _make_symmetric(self.conv.weight)
        self.seen: list[Tensor] = []

    def forward(self, image: Tensor) -> Tensor:
        self.seen.append(image)
        return 200 * self.conv(image).square().mean(dim=(2, 3))  # so that views disagree


class _Dense(nn.Module):
    """Maps as large as the picture, or ``scale`` times as large, or without a margin."""

    def __init__(
        self, channels: int = 3, scale: int = 1, margin: int = 0, symmetric: bool = False
    ) -> None:
        super().__init__()
        self.scale = scale
        self.margin = margin
        self.conv = nn.Conv2d(3, channels, 3, padding=0 if margin else 1)
        if symmetric:
            _make_symmetric(self.conv.weight)

    def forward(self, image: Tensor) -> Tensor:
        return F.interpolate(self.conv(image).sin(), scale_factor=self.scale)


def _make_symmetric(weight: Tensor) -> None:
    with torch.no_grad():
        kernel = weight + weight.flip(-1)
        kernel = kernel + kernel.flip(-2)
        weight.copy_(kernel + kernel.transpose(-1, -2))


def _made(make: Any, *arguments: Any, seed: int = 0, **options: Any) -> Any:
    torch.manual_seed(seed)
    return make(*arguments, **options).eval()


def _image(height: int = 12, width: int = 8, count: int = 2) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(1))


def _turned(image: Tensor) -> list[Tensor]:
    """All eight ways, by rotation and mirroring."""
    ways = [torch.rot90(image, quarters, (-2, -1)) for quarters in range(4)]
    return ways + [way.flip(-1) for way in ways]


def _turned_back(maps: list[Tensor]) -> list[Tensor]:
    ways = [torch.rot90(one, -quarters, (-2, -1)) for quarters, one in enumerate(maps[:4])]
    mirrored = [one.flip(-1) for one in maps[4:]]
    return ways + [torch.rot90(one, -quarters, (-2, -1)) for quarters, one in enumerate(mirrored)]


@pytest.mark.parametrize("flips", ["none", "horizontal", "eightfold"])
def test_what_does_not_care_for_mirroring_stays_as_it_was(flips: Any) -> None:
    image = _image()
    classifier, network = _made(_Classifier, symmetric=True), _made(_Dense, symmetric=True)

    for kind, one in (("classification", classifier), ("segmentation", network)):
        found = TTA(one, kind, flips)(image).softmax(1)  # type: ignore[arg-type]
        torch.testing.assert_close(found, one(image).softmax(1), atol=1e-6, rtol=0)
    found = TTA(network, "restoration", flips)(image)
    torch.testing.assert_close(found, network(image), atol=1e-6, rtol=0)


@pytest.mark.parametrize("flips", ["horizontal", "eightfold"])
def test_probabilities_of_a_picture_are_the_mean_of_its_views(flips: Any) -> None:
    image, network = _image(), _made(_Classifier)
    views = _turned(image) if flips == "eightfold" else [image, image.flip(-1)]
    expected = torch.stack([network(view).softmax(1) for view in views]).mean(0)

    found = TTA(network, flips=flips)(image)

    torch.testing.assert_close(found.softmax(1), expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(found, expected.log(), atol=1e-5, rtol=0)
    assert (expected - network(image).softmax(1)).abs().max() > 1e-4


@pytest.mark.parametrize("channels", [1, 4])
def test_maps_are_brought_back_before_the_mean(channels: int) -> None:
    image, network = _image(), _made(_Dense, channels)
    decide = torch.sigmoid if channels == 1 else (lambda logits: logits.softmax(1))
    maps = [decide(network(view)) for view in _turned(image)]
    expected = torch.stack(_turned_back(maps)).mean(0)

    found = TTA(network, "segmentation", "eightfold")(image)

    assert found.shape == (2, channels, 12, 8)
    torch.testing.assert_close(decide(found), expected, atol=1e-6, rtol=0)
    assert (expected - decide(network(image))).abs().max() > 1e-3


@pytest.mark.parametrize("scale", [1, 2])
def test_a_restored_picture_is_the_mean_of_eight(scale: int) -> None:
    image, network = _image(), _made(_Dense, scale=scale)
    maps = [network(view) for view in _turned(image)]
    expected = torch.stack(_turned_back(maps)).mean(0)

    found = TTA(network, "restoration", "eightfold")(image)

    assert found.shape == (2, 3, 12 * scale, 8 * scale)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_eight_views_of_a_turned_picture_give_the_turned_result() -> None:
    image, network = _image(), _made(_Dense)
    seen_so = TTA(network, "restoration", "eightfold")

    results = [seen_so(view) for view in _turned(image)]

    for one in _turned_back(results):
        torch.testing.assert_close(one, results[0], atol=1e-6, rtol=0)


def test_the_mean_may_be_that_of_the_logits() -> None:
    image, network = _image(), _made(_Classifier)

    found = TTA(network, mean="logits")(image)

    expected = (network(image) + network(image.flip(-1))) / 2
    torch.testing.assert_close(found, expected)
    assert not torch.allclose(found.softmax(1), TTA(network)(image).softmax(1), atol=1e-3)


def test_squares_are_the_centre_and_the_corners() -> None:
    image, network = _image(9, 10), _made(_Classifier)
    places = [(1, 1), (0, 0), (0, 3), (2, 0), (2, 3)]
    squares = [image[..., top : top + 7, left : left + 7] for top, left in places]
    expected = torch.stack([network(square).softmax(1) for square in squares]).mean(0)

    found = TTA(network, flips="none", crops=7)(image)

    torch.testing.assert_close(found.softmax(1), expected, atol=1e-6, rtol=0)
    with pytest.raises(ValueError, match="crops of 11 pixels need a larger picture than 9x10"):
        TTA(network, crops=11)(image)


def test_squares_and_scales_and_mirrored_views_multiply() -> None:
    network = _made(_Classifier)

    TTA(network, flips="horizontal", crops=4, scales=(0.5, 1.0, 1.5))(_image())

    assert [view.shape[-2:] for view in network.seen] == [(4, 4)] * (5 * 3 * 2)


def test_scaled_pictures_fit_the_network_and_maps_are_scaled_back() -> None:
    image, network = _image(12, 8), _made(_Classifier)

    TTA(network, flips="none", scales=(1.0, 0.7, 1.3))(image)

    assert [tuple(view.shape[-2:]) for view in network.seen] == [(12, 8), (8, 6), (16, 10)]
    assert torch.equal(network.seen[0], image)
    for kind, scale in (("segmentation", 1), ("restoration", 2)):
        dense = _made(_Dense, scale=scale)
        maps = TTA(dense, kind, scales=(0.5, 1.0))(image)  # type: ignore[arg-type]
        assert maps.shape == (2, 3, 12 * scale, 8 * scale)
        small = F.interpolate(image, (6, 4), mode="bilinear", antialias=True)
        large = F.interpolate(dense(small), (12 * scale, 8 * scale), mode="bilinear")
        if kind == "restoration":
            expected = (large + dense(image)) / 2
            found = TTA(dense, "restoration", "none", scales=(0.5, 1.0))(image)
            torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_scales_do_not_move_anything() -> None:
    """A network that passes on what it sees gives a smooth picture back, at every scale."""
    ramp = torch.linspace(0, 1, 32).expand(1, 3, 32, 32)

    found = TTA(nn.Identity().eval(), "restoration", "none", scales=(0.5, 2.0))(ramp)

    inner = (..., slice(4, -4))
    torch.testing.assert_close(found[inner], ramp[inner], atol=1e-5, rtol=0)


def test_the_order_of_views_does_not_matter() -> None:
    image, network = _image(), _made(_Classifier)

    one, other = (TTA(network, scales=scales)(image) for scales in ((0.5, 1, 2), (2, 0.5, 1)))

    torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


def test_a_networks_margin_is_kept_and_not_scaled() -> None:
    image, network = _image(), _made(_Dense, margin=1)

    maps = [network(view).softmax(1) for view in _turned(image)]

    found = TTA(network, "segmentation", "eightfold")(image)
    expected = torch.stack(_turned_back(maps)).mean(0)
    assert found.shape == (2, 3, 10, 6)
    torch.testing.assert_close(found.softmax(1), expected, atol=1e-6, rtol=0)
    with pytest.raises(ValueError, match=r"expected scales of 1 alone, got \[0\.5\]"):
        TTA(network, "segmentation", scales=(0.5,))


@pytest.mark.parametrize("channels", [1, 3])
def test_sure_networks_stay_finite(channels: int) -> None:
    class _Sure(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return image[:, :channels] * 1e4

    found = TTA(_Sure().eval(), "segmentation", "eightfold")(_image() - 0.5)

    assert torch.isfinite(found).all()
    assert found.abs().max() > 100


def test_a_network_in_training_sees_the_picture_once() -> None:
    image, network = _image(), _made(_Classifier)
    seen_so = TTA(network, flips="eightfold")
    seen_so.train()

    assert torch.equal(seen_so(image), network(image))
    network.seen.clear()
    network.eval()
    seen_so(image)

    assert len(network.seen) == 8


def test_half_precision_is_summed_in_single_and_double_in_double() -> None:
    image, network = _image(), _made(_Dense)

    assert TTA(network.double(), "restoration")(image.double()).dtype == torch.float64
    network.bfloat16()
    assert TTA(network, "restoration")(image.bfloat16()).dtype == torch.float32


def test_it_stands_in_for_the_network() -> None:
    network = _made(_Classifier)
    seen_so = TTA(network)

    assert (seen_so.num_classes, seen_so.multiple_of) == (3, 2)
    assert seen_so.conv is network.conv
    assert getattr(seen_so, "scale", 7) == 7
    with pytest.raises(AttributeError, match="'_Classifier' object has no attribute 'nothing'"):
        _ = seen_so.nothing
    assert "flips='horizontal'" in repr(seen_so)
    for copied in (copy.deepcopy(seen_so), pickle.loads(pickle.dumps(seen_so))):
        assert torch.equal(copied(_image()), seen_so(_image()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "detection"}, "kind must be one of classification, segmentation, restoration"),
        ({"flips": "vertical"}, "flips must be one of none, horizontal, eightfold, got 'vertical'"),
        ({"mean": "median"}, "mean must be one of probabilities, logits"),
        ({"kind": "restoration", "crops": 4}, "for classification only, got 4"),
        ({"crops": 0}, "crops must be at least 1 pixel"),
        ({"scales": ()}, "scales must be factors above 0, one at least"),
        ({"scales": (1.0, 0.0)}, "scales must be factors above 0"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TTA(nn.Identity(), **options)
