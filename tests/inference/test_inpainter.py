"""Tests of lit_restore.inference.inpainter."""

import pytest
import torch
from torch import Tensor, nn

from lit_restore import Inpainter as PublicInpainter
from lit_restore.inference import Inpainter, takes_mask
from lit_restore.inference import inpainter as module
from lit_restore.models import MosaicUNet, PartialConvNet, PartialConvUNet


class Probe(nn.Module):
    """Paints everything in one colour, and remembers what it was given."""

    def __init__(self, level: float = 0.25, multiple_of: int = 1) -> None:
        super().__init__()
        self.multiple_of = multiple_of
        self.level = nn.Parameter(torch.tensor(level))
        self.seen: list[tuple[Tensor, Tensor]] = []

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Paint."""
        assert not self.training
        assert torch.is_inference_mode_enabled()
        self.seen.append((image, mask))
        return self.level.expand_as(image)


class Averager(nn.Module):
    """Paints the mean of the valid pixels that it sees."""

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Paint."""
        mean = (image * mask).sum((2, 3), keepdim=True) / mask.sum((2, 3), keepdim=True)
        return mean.expand_as(image)


def _network(norm: str = "none") -> PartialConvUNet:
    torch.manual_seed(0)
    network = PartialConvUNet((8, 8, 8), norm=norm)  # type: ignore[arg-type]
    for conv in network.modules():
        if isinstance(getattr(conv, "weight", None), Tensor) and conv.weight.ndim == 4:
            nn.init.kaiming_normal_(conv.weight, a=0.2)  # type: ignore[arg-type]
    return network


def _image(height: int, width: int, dtype: torch.dtype = torch.uint8) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    image = torch.randint(256, (3, height, width), generator=generator, dtype=torch.uint8)
    return image if dtype == torch.uint8 else image.to(dtype) / 255


def _mask(height: int, width: int, *holes: tuple[slice, slice]) -> Tensor:
    mask = torch.ones(1, height, width, dtype=torch.bool)
    for rows, columns in holes:
        mask[:, rows, columns] = False
    return mask


def test_it_is_public() -> None:
    assert PublicInpainter is Inpainter


@pytest.mark.parametrize("size", [(16, 24), (13, 22), (33, 7), (2, 1)])
@pytest.mark.parametrize("network", [_network(), _network("batch"), PartialConvNet("region", 0.1)])
def test_valid_pixels_are_the_inputs_own_bytes(network: nn.Module, size: tuple[int, int]) -> None:
    image, mask = _image(*size), _mask(*size, (slice(1, 9), slice(0, 6)))

    result = Inpainter(network, "cpu", reach=2)(image, mask)

    assert (result.dtype, result.shape) == (torch.float32, image.shape)
    assert result.isfinite().all()
    assert result.min() >= 0
    assert result.max() <= 1
    valid = mask.expand_as(image)
    assert torch.equal(result[valid], (image / 255)[valid])
    assert torch.equal((result * 255 + 0.5).floor().byte()[valid], image[valid])
    assert not torch.equal(result[~valid], (image / 255)[~valid])


def test_valid_values_outside_of_unit_range_stay_while_the_hole_is_clipped() -> None:
    image = torch.full((3, 4, 4), 1.5)
    mask = _mask(4, 4, (slice(0, 1), slice(0, 1)))

    result = Inpainter(Probe(level=7.0), "cpu")(image, mask)

    assert result[:, 0, 0].tolist() == [1, 1, 1]
    assert result[:, 1:].eq(1.5).all()


@pytest.mark.parametrize("reach", [1, 50])
def test_what_is_under_the_mask_does_not_matter(reach: int) -> None:
    image, mask = _image(29, 38, torch.float32), _mask(29, 38, (slice(3, 20), slice(5, 30)))
    other = image.masked_fill(~mask, torch.nan)
    inpainter = Inpainter(_network(), "cpu", reach)

    result = inpainter(image, mask)

    assert torch.equal(result, inpainter(other, mask))


def test_types_of_pictures_and_masks_mean_the_same() -> None:
    image, mask = _image(17, 18), _mask(17, 18, (slice(3, 9), slice(5, 12)))
    inpainter = Inpainter(_network(), "cpu")
    expected = inpainter(image, mask)

    for other in (mask.float(), mask.byte(), mask.long()):
        assert torch.equal(inpainter(image, other), expected)
    torch.testing.assert_close(inpainter(image.double() / 255, mask), expected)


def test_a_network_is_fed_pixels_that_are_not_valid_up_to_its_multiple() -> None:
    network = Probe(multiple_of=8)

    Inpainter(network, "cpu")(_image(13, 22).clamp(min=1), _mask(13, 22, (slice(2, 4),) * 2))

    ((image, mask),) = network.seen
    assert image.shape == (1, 3, 16, 24)
    assert mask.shape == (1, 1, 16, 24)
    assert image.is_contiguous(memory_format=torch.channels_last)
    inside = torch.zeros(16, 24, dtype=torch.bool)
    inside[:13, :22] = True
    inside[2:4, 2:4] = False
    assert torch.equal(mask[0, 0] == 1, inside)
    assert torch.equal((image[0] > 0).all(0), inside)
    assert not image[0, :, ~inside].any()


def test_the_padding_changes_nothing_in_the_hole_of_a_partial_convolution() -> None:
    """A picture of the multiple's size, and the same cut by less than the hole is away from it."""
    network, mask = _network(), _mask(48, 64, (slice(4, 9), slice(6, 11)))
    image = _image(48, 64)
    padded = mask.clone()
    padded[..., 43:, :] = False
    padded[..., 59:] = False
    with torch.inference_mode():
        by_hand = network(torch.where(padded, image / 255, 0)[None], padded[None].float())[0]

    cut = Inpainter(network, "cpu")(image[:, :43, :59], mask[:, :43, :59])

    hole = ~mask[:, :43, :59].expand(3, -1, -1)
    torch.testing.assert_close(cut[hole], by_hand[:, :43, :59][hole].clamp(0, 1))


def test_no_step_shows_at_the_multiple() -> None:
    """A hole over the last whole block of a flat picture is filled as evenly there as elsewhere."""
    image = torch.full((3, 40, 45), 0.5)
    mask = _mask(40, 45, (slice(5, 35), slice(20, 45)))

    result = Inpainter(Averager(), "cpu", reach=4)(image, mask)

    torch.testing.assert_close(result, image)


def test_nothing_to_fill_gives_the_picture_and_never_asks_the_network() -> None:
    network, image = Probe(), _image(5, 6)

    result = Inpainter(network, "cpu")(image, _mask(5, 6))

    assert torch.equal(result, image / 255)
    assert network.seen == []


def test_a_small_hole_of_a_large_picture_costs_no_more_than_its_surroundings() -> None:
    network, context = Probe(), module.CONTEXT
    image, mask = _image(400, 300), _mask(400, 300, (slice(200, 203), slice(4, 9)))

    result = Inpainter(network, "cpu")(image, mask)

    ((seen, mask_seen),) = network.seen
    assert seen.shape[-2:] == (3 + 2 * context, 9 + context)
    assert mask_seen[0, 0, context : context + 3, 4:9].eq(0).all()
    assert mask_seen.eq(0).sum() == 15
    assert result[:, 200:203, 4:9].eq(0.25).all()
    assert torch.equal(result[:, :200], image[:, :200] / 255)


def test_a_wide_hole_is_seen_with_half_of_its_width_around() -> None:
    network = Probe()
    mask = _mask(2, 900, (slice(0, 1), slice(300, 350)), (slice(1, 2), slice(560, 600)))

    Inpainter(network, "cpu")(_image(2, 900), mask)

    assert network.seen[0][0].shape == (1, 3, 2, 150 + 300 + 150)
    assert torch.equal(network.seen[0][1][0], mask[:, :, 150:750].float())


def test_what_was_given_is_left_as_it_was() -> None:
    image, mask = _image(9, 9, torch.float32), _mask(9, 9, (slice(2, 4), slice(2, 4)))
    before = image.clone(), mask.clone()

    with torch.inference_mode():
        for given in (mask, mask | True):
            Inpainter(Probe(), "cpu")(image, given).zero_()

    assert torch.equal(image, before[0])
    assert torch.equal(mask, before[1])


def test_holes_deeper_than_the_reach_are_filled_from_coarse_to_fine() -> None:
    network = Probe()
    mask = _mask(64, 64, (slice(16, 49), slice(16, 49)))  # 33 pixels: 17 deep

    for reach, sides in ((17, [64]), (16, [64, 32]), (8, [64, 32]), (3, [64, 32, 16, 8])):
        network.seen.clear()
        Inpainter(network, "cpu", reach)(_image(64, 64), mask)
        assert [image.shape[-1] for image, _ in network.seen] == sides


def test_reduced_pictures_hold_the_means_of_valid_pixels() -> None:
    network = Probe()
    image, mask = _image(7, 7, torch.float32), _mask(7, 7, (slice(0, 4), slice(0, 5)))
    mask[0, 0, 0] = True

    Inpainter(network, "cpu", reach=1)(image, mask)

    coarse, valid = network.seen[1]
    assert coarse.shape == (1, 3, 4, 4)
    assert valid[0, 0].tolist() == [[1, 0, 1, 1], [0, 0, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]]
    for row, column in valid[0, 0].nonzero().tolist():
        block = (slice(2 * row, 2 * row + 2), slice(2 * column, 2 * column + 2))
        expected = image[:, *block][:, mask[0, *block]].mean(1)
        torch.testing.assert_close(coarse[0, :, row, column], expected)


def test_the_coarse_result_takes_over_gradually_towards_the_middle() -> None:
    class Level(Probe):
        """White at full size, black below."""

        def forward(self, image: Tensor, mask: Tensor) -> Tensor:
            """Paint."""
            return torch.full_like(image, float(image.shape[-1] == 80))

    image, mask = torch.full((3, 80, 80), 0.5), _mask(80, 80, (slice(None), slice(20, 61)))

    row = Inpainter(Level(), "cpu", reach=10)(image, mask)[0, 40]

    assert row[20] > 0.9
    assert row[31:50].eq(0).all()
    assert (row[20:40].diff() <= 0).all()
    assert row[20:61].diff().abs().max() < 0.15
    torch.testing.assert_close(row[20:61], row[20:61].flip(0))


@pytest.mark.parametrize("height", [1, 2, 3, 31])
def test_one_valid_pixel_in_any_corner_is_enough(height: int) -> None:
    for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        mask = torch.zeros(1, height, 29)
        mask[:, row, column] = 1
        image = torch.rand(3, height, 29)

        result = Inpainter(Averager(), "cpu", reach=1)(image, mask)

        expected = image[:, row, column][:, None, None].expand_as(image)
        torch.testing.assert_close(result, expected)


def test_a_network_of_signed_range_is_read_as_such() -> None:
    network = Probe(level=-0.5)
    network.value_range = "signed"

    result = Inpainter(network, "cpu")(_image(4, 4), _mask(4, 4, (slice(0, 1), slice(0, 1))))

    assert result[:, 0, 0].tolist() == [0.25, 0.25, 0.25]


@pytest.mark.parametrize(("image", "mask", "message"), [
    (torch.rand(1, 4, 4), torch.ones(1, 4, 4), r"image must have shape \(3, H, W\), got \(1, 4, 4"),
    (torch.rand(3, 0, 4), torch.ones(1, 0, 4), r"image must have shape"),
    (torch.ones(3, 4, 4).long(), torch.ones(1, 4, 4), "uint8 or float in unit range, got torch.in"),
    (torch.rand(3, 4, 4), torch.ones(1, 4, 5), r"for an image of \(3, 4, 4\), got \(1, 4, 5\)"),
    (torch.rand(3, 4, 4), torch.ones(4, 4), r"mask must have shape \(1, 4, 4\)"),
    (torch.rand(3, 4, 4), torch.full((1, 4, 4), 255), "1 where valid and 0 in the holes"),
    (torch.rand(3, 4, 4), torch.full((1, 4, 4), torch.nan), "1 where valid and 0 in the holes"),
    (torch.rand(3, 4, 4), torch.zeros(1, 4, 4), "no valid pixel"),
])  # fmt: skip
def test_what_is_no_picture_or_no_mask_is_refused(
    image: Tensor, mask: Tensor, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Inpainter(Probe(), "cpu")(image, mask)


def test_a_network_without_a_mask_is_refused() -> None:
    with pytest.raises(ValueError, match="got MosaicUNet, which takes no mask"):
        Inpainter(MosaicUNet(widths=(4, 8)), "cpu")
    assert takes_mask(PartialConvNet())
    assert not takes_mask(MosaicUNet(widths=(4, 8)))


def test_a_network_that_changes_the_size_is_found_out() -> None:
    class Half(Probe):
        def forward(self, image: Tensor, mask: Tensor) -> Tensor:
            """Drop every other pixel."""
            return image[..., ::2, ::2]

    with pytest.raises(ValueError, match=r"must make shape \(1, 3, 4, 4\), got \(1, 3, 2, 2\)"):
        Inpainter(Half(), "cpu")(_image(4, 4), _mask(4, 4, (slice(0, 1), slice(0, 1))))


def test_reach_and_device_are_checked() -> None:
    with pytest.raises(ValueError, match="reach must be at least 1 pixel, got 0"):
        Inpainter(Probe(), "cpu", reach=0)
    with pytest.raises(ValueError, match="device must be auto, cpu or cuda, got 'gpu'"):
        Inpainter(Probe(), "gpu")
