"""Tests of lit_restore.inference.segmenter."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.data.resize import resize_bicubic_pillow
from lit_restore.inference import Segmenter, decide, segmenter
from lit_restore.inference.luma import full_luma

RNG = torch.Generator().manual_seed(0)


def trained(network: nn.Module, seed: int = 0) -> nn.Module:
    """Redraw the weights so that far pixels count: at first weights they hardly do."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        fan_in = parameter[0].numel() if parameter.ndim > 1 else 1
        spread = (4 / fan_in) ** 0.5 if parameter.ndim > 1 else 0.5
        parameter.data = torch.randn(parameter.shape, generator=generator) * spread
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data = torch.rand(module.num_features, generator=generator) + 0.5
            module.running_mean = torch.randn(module.num_features, generator=generator) * 0.1
            module.running_var = torch.rand(module.num_features, generator=generator) + 0.5
    return network.eval()


class Plain(nn.Module):
    """Convolutions, with pooling and enlargement in the middle if it is asked for."""

    output = "logits"

    def __init__(self, num_classes: int = 3, in_channels: int = 3, pooled: bool = False) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.multiple_of = 2 if pooled else 1
        self.first = nn.Conv2d(in_channels, 6, 3, padding=1)
        self.second = nn.Conv2d(6, 6, 3, padding=1)
        self.head = nn.Conv2d(6, num_classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Judge."""
        x = self.first(image).relu()
        if self.multiple_of == 1:
            return self.head(self.second(x).relu())
        x = self.second(F.max_pool2d(x, 2)).relu()
        return self.head(F.interpolate(x, scale_factor=2))


class Unpadded(nn.Module):
    """Two convolutions without padding, between them pooling: sides of 8, 10, 12 ... lose 6."""

    output = "logits"
    num_classes = 1
    in_channels = 3
    margin = 3

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3)
        self.second = nn.Conv2d(6, 1, 3)

    def next_side(self, side: int) -> int:
        """Say the least even side that is not below."""
        return max(side + side % 2, 8)

    def forward(self, image: Tensor) -> Tensor:
        """Judge."""
        assert image.shape[-1] % 2 == image.shape[-2] % 2 == 0
        x = F.max_pool2d(self.first(image).relu(), 2)
        return F.interpolate(self.second(x), scale_factor=2)


class Average(nn.Module):
    """Compares a picture with its mean colour: it sees all of it."""

    output = "logits"
    num_classes = 1

    def forward(self, image: Tensor) -> Tensor:
        """Judge."""
        return (image - image.mean((-2, -1), keepdim=True)).sum(1, keepdim=True)


def picture(height: int, width: int) -> Tensor:
    return torch.rand(3, height, width, generator=RNG)


def test_probabilities_are_those_of_the_networks_logits() -> None:
    network, image = trained(Plain()), picture(9, 12)
    with torch.no_grad():
        logits = network(image[None])
    torch.testing.assert_close(Segmenter(network, "cpu")(image), logits.softmax(1)[0])

    network.num_classes = 1
    network.head = nn.Conv2d(6, 1, 1)
    with torch.no_grad():
        logits = network(image[None])
    torch.testing.assert_close(Segmenter(network, "cpu")(image), logits.sigmoid()[0])


def test_bytes_are_read_as_what_they_stand_for() -> None:
    network = trained(Plain())
    image = (picture(9, 12) * 255).byte()
    found = Segmenter(network, "cpu")(image)
    torch.testing.assert_close(found, Segmenter(network, "cpu")(image / 255))


def test_a_network_of_one_channel_is_given_the_grey_picture() -> None:
    network, image = trained(Plain(in_channels=1)), picture(9, 12)
    judge = Segmenter(network, "cpu")
    torch.testing.assert_close(judge(image), judge(full_luma(image[None])[0]))


def test_a_side_that_the_network_cannot_halve_is_continued_by_the_edge() -> None:
    network, image = trained(Plain(pooled=True)), picture(9, 13)
    longer = F.pad(image, (0, 1, 0, 1), mode="replicate")
    judge = Segmenter(network, "cpu")
    torch.testing.assert_close(judge(image), judge(longer)[:, :9, :13])


def test_a_network_with_a_margin_is_given_mirrored_surroundings() -> None:
    network, image = trained(Unpadded()), picture(10, 16)
    surrounded = torch.cat([image[:, :3].flip(1), image, image[:, -3:].flip(1)], 1)
    surrounded = torch.cat(
        [surrounded[..., :3].flip(2), surrounded, surrounded[..., -3:].flip(2)], 2
    )
    with torch.no_grad():
        expected = network(surrounded[None]).sigmoid()[0]
    torch.testing.assert_close(Segmenter(network, "cpu")(image), expected)


@pytest.mark.parametrize("make", [Plain, lambda: Plain(pooled=True), Unpadded])
@pytest.mark.parametrize("tile", [1, 7, 16, 100])
def test_tiles_give_what_the_whole_picture_gives(make: Callable[[], nn.Module], tile: int) -> None:
    network, image = trained(make()), picture(33, 46)
    whole, tiled = Segmenter(network, "cpu")(image), Segmenter(network, "cpu", tile)(image)
    assert whole.std() > 0.05
    torch.testing.assert_close(tiled, whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("make", [Plain, lambda: Plain(pooled=True)])
def test_a_smaller_halo_would_leave_seams(make: Callable[[], nn.Module]) -> None:
    network, image = trained(make()), picture(33, 46)
    whole = Segmenter(network, "cpu")(image)
    network.receptive_radius = 1
    assert not torch.allclose(Segmenter(network, "cpu", 8)(image), whole, rtol=0, atol=1e-2)


def test_a_large_picture_is_cut_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    class Watched(Plain):
        def forward(self, image: Tensor) -> Tensor:
            sizes.append(image.shape[-2] * image.shape[-1])
            return super().forward(image)

    network, image = trained(Watched()), picture(90, 40)
    whole = Segmenter(network, "cpu")(image)
    assert sizes == [3600]
    monkeypatch.setattr(segmenter, "MAX_TILE_PIXELS", 1000)
    judge = Segmenter(network, "cpu")
    torch.testing.assert_close(judge(image), whole, rtol=0, atol=1e-6)
    measuring = {128}  # of the receptive radius
    of_tiles = [size for size in sizes[1:] if size not in measuring]
    assert len(of_tiles) > 3
    assert max(of_tiles) <= 1000


def test_a_network_that_sees_all_of_a_picture_gets_it_in_one_piece(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(segmenter, "MAX_TILE_PIXELS", 100)
    image = picture(20, 30)
    expected = Average()(image[None]).sigmoid()[0]
    torch.testing.assert_close(Segmenter(Average(), "cpu")(image), expected)
    with pytest.raises(ValueError, match=r"Average looks at the whole picture.*no tile size"):
        Segmenter(Average(), "cpu", tile=8)


def test_a_network_that_sees_other_scales_is_not_tiled() -> None:
    network = trained(Plain())
    network.scales = (1.0, 0.5)  # type: ignore[assignment]
    with pytest.raises(ValueError, match="no tile size"):
        Segmenter(network, "cpu", tile=8)


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32])
@pytest.mark.parametrize(("size", "small"), [((40, 60), (16, 24)), ((60, 40), (24, 16))])
def test_a_picture_is_brought_to_the_side_that_the_network_knows(
    kind: torch.dtype, size: tuple[int, int], small: tuple[int, int]
) -> None:
    network = trained(Plain())
    image = picture(*size) if kind.is_floating_point else (picture(*size) * 255).byte()
    reduced = resize_bicubic_pillow(image, small)
    seen = Segmenter(network, "cpu")(reduced if kind == torch.uint8 else reduced.clamp(0, 1))
    network.working_side = 24  # type: ignore[assignment]

    found = Segmenter(network, "cpu")(image)

    assert found.shape == (3, *size)
    expected = F.interpolate(seen[None], size, mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(found.sum(0), torch.ones(size))


def test_a_small_picture_is_enlarged_to_the_working_side_and_reduced_again() -> None:
    network = trained(Plain())
    network.working_side = 30  # type: ignore[assignment]
    found = Segmenter(network, "cpu")(picture(10, 7))
    assert found.shape == (3, 10, 7)
    torch.testing.assert_close(found.sum(0), torch.ones(10, 7))


def test_of_one_class_a_pixel_on_the_threshold_is_a_yes() -> None:
    probabilities = torch.tensor([[[0.2, 0.5, 0.7]]])
    assert decide(probabilities).tolist() == [[0, 1, 1]]
    assert decide(probabilities, 0.6).tolist() == [[0, 0, 1]]


def test_of_several_classes_what_is_not_sure_enough_is_background() -> None:
    probabilities = torch.tensor([[[0.3, 0.1]], [[0.4, 0.2]], [[0.3, 0.7]]])
    assert decide(probabilities).tolist() == [[1, 2]]
    assert decide(probabilities, 0.5).tolist() == [[0, 2]]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(1, 4, 4), r"\(3, H, W\), got \(1, 4, 4\)"),
        (torch.zeros(3, 0, 4), r"got \(3, 0, 4\)"),
        (torch.zeros(3, 4, 4, dtype=torch.int64), "got torch.int64"),
    ],
)
def test_what_is_no_picture_is_refused(image: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Segmenter(Plain(), "cpu")(image)


class Short(Plain):
    """Loses a pixel that it does not tell of."""

    def forward(self, image: Tensor) -> Tensor:
        """Judge."""
        return super().forward(image)[..., 1:]


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (lambda: nn.Conv2d(3, 3, 1), {}, "gives logits of num_classes maps, got Conv2d"),
        (Plain, {"tile": 0}, "at least 1 pixel, got 0"),
        (Plain, {"device": "abacus"}, "auto, cpu or cuda"),
    ],
)
def test_a_mistake_is_refused(
    make: Callable[[], nn.Module], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Segmenter(make(), **options)


def test_a_network_that_changes_the_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"of 4x6 pixels .* \(1, 3, 4, 6\), got \(1, 3, 4, 5\)"):
        Segmenter(Short(), "cpu")(torch.zeros(3, 4, 6))
