"""Tests of lit_restore.inference.segmenter."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.data import SegmentationDataset
from lit_restore.data.images import read_image, write_image
from lit_restore.data.resize import resize_bicubic_pillow
from lit_restore.inference import Segmenter, decide, segmenter
from lit_restore.inference.luma import full_luma
from lit_restore.models import ConvSegmenter, PoolingSegmenter, ResNet, UNet
from lit_restore.nn import TTA

RNG = torch.Generator().manual_seed(0)


def trained(network: nn.Module, seed: int = 0) -> nn.Module:
    """Redraw the weights so that far pixels count: at first weights they hardly do."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        fan_in = parameter[0].numel() if parameter.ndim > 1 else 1
        spread = (2 / fan_in) ** 0.5 if parameter.ndim > 1 else 0.2
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


REAL: dict[str, Callable[[], nn.Module]] = {
    "conv": lambda: ConvSegmenter(num_classes=3, width=8),
    "nearest": lambda: PoolingSegmenter(width=8),
    "bilinear": lambda: PoolingSegmenter(width=8, upsample="bilinear"),
    "transposed": lambda: PoolingSegmenter(width=8, upsample="transposed", skip=True),
    "unet": lambda: UNet(widths=(6, 8, 10)),
    "unet_norm": lambda: UNet(num_classes=3, widths=(6, 8), norm="batch", upsample="bilinear"),
    "valid": lambda: UNet(widths=(6, 8, 10), padding="valid"),
    "valid_bilinear": lambda: UNet(widths=(6, 8), depth=1, padding="valid", upsample="bilinear"),
    "valid_nearest": lambda: UNet(1, 2, (6, 8), padding="valid", upsample="nearest"),
}


@pytest.mark.parametrize("name", REAL)
def test_tiles_of_our_networks_give_what_the_whole_picture_gives(name: str) -> None:
    network, image = trained(REAL[name]()), picture(101, 147)
    whole, tiled = Segmenter(network, "cpu")(image), Segmenter(network, "cpu", 30)(image)
    assert whole.std() > 0.02
    torch.testing.assert_close(tiled, whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["conv", "nearest", "unet"])
def test_a_halo_that_is_a_step_smaller_would_leave_seams(name: str) -> None:
    network, image = trained(REAL[name]()), picture(101, 147)
    whole, judge = Segmenter(network, "cpu")(image), Segmenter(network, "cpu", 16)
    assert judge._tiled is not None
    torch.testing.assert_close(judge(image), whole, rtol=0, atol=1e-6)
    judge._tiled = judge._tiled._replace(halo=judge._tiled.halo - judge._tiled.step)
    assert (judge(image) - whole).abs().max() > 1e-5


@pytest.mark.parametrize("flips", ["horizontal", "eightfold"])
@pytest.mark.parametrize("name", ["transposed", "unet", "valid"])
def test_tiles_of_a_mean_over_mirror_images_give_what_the_whole_picture_gives(
    name: str, flips: Literal["horizontal", "eightfold"]
) -> None:
    network, image = trained(REAL[name]()), picture(45, 70)
    views = TTA(network, kind="segmentation", flips=flips)
    whole, tiled = Segmenter(views, "cpu")(image), Segmenter(views, "cpu", 24)(image)
    torch.testing.assert_close(tiled, whole, rtol=0, atol=1e-6)
    assert not torch.allclose(whole, Segmenter(network, "cpu")(image), atol=1e-3)


def test_the_papers_network_judges_every_pixel_of_its_mirrored_surroundings() -> None:
    network = trained(UNet(1, 2, widths=(2, 2, 2, 2, 2), padding="valid"))
    image = torch.rand(1, 388, 388, generator=RNG)
    places = torch.arange(-92, 480).abs()  # the edge pixel stands twice
    places = torch.where(places > 387, 2 * 388 - 1 - places, places)
    places[:92] -= 1
    with torch.no_grad():
        expected = network(image[:, places][..., places][None]).softmax(1)[0]
    torch.testing.assert_close(Segmenter(network, "cpu")(image), expected)


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


class Seeing(Plain):
    """Remembers what it was shown."""

    def forward(self, image: Tensor) -> Tensor:
        """Judge."""
        self.seen = image[0]
        return super().forward(image)


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("size", [(50, 37), (37, 51), (9, 7)])
def test_the_network_is_shown_what_the_dataset_showed_it(
    size: tuple[int, int], grey: bool, tmp_path: Path
) -> None:
    write_image(picture(*size), tmp_path / "a.png")
    options: dict[str, Any] = {"view": "whole", "working_side": 26, "grey": grey}
    network = Seeing(in_channels=1 if grey else 3)
    network.working_side = 26  # type: ignore[assignment]

    Segmenter(network, "cpu")(read_image(tmp_path / "a.png"))

    sample = SegmentationDataset([tmp_path / "a.png"], **options)[0]["input"]
    assert network.seen.shape == sample.shape
    # The two lumas are rounded by other rules.
    assert (network.seen - sample).abs().max() <= (1.01 / 255 if grey else 1e-7)


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
        (lambda: ResNet((1,), "basic", 4, 3), {}, "num_classes maps, got ResNet"),
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
