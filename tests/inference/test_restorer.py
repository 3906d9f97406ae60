"""Tests of lit_restore.inference.restorer."""

import pytest
import torch
import torch.nn.functional as F
from skimage.color import rgb2ycbcr, ycbcr2rgb
from torch import Tensor, nn

from lit_restore.data import matlab_resize
from lit_restore.inference import Restorer, is_translator, restore_luma
from lit_restore.metrics import luma
from lit_restore.models import (
    ESPCN,
    FSRCNN,
    SRCNN,
    VDSR,
    MosaicUNet,
    ResNetGenerator,
    SRResNet,
    UNetGenerator,
)
from lit_restore.nn import NormMode


class Probe(nn.Module):
    """Enlarges by repetition, and remembers what it was given."""

    def __init__(self, scale: int = 1, multiple_of: int = 1, gain: float = 1.0) -> None:
        super().__init__()
        self.scale = scale
        self.multiple_of = multiple_of
        self.gain = nn.Parameter(torch.tensor(gain))
        self.seen: Tensor | None = None

    def forward(self, image: Tensor) -> Tensor:
        """Enlarge."""
        assert not self.training
        assert torch.is_inference_mode_enabled()
        self.seen = image
        return F.interpolate(image * self.gain, scale_factor=self.scale)


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("size", [(16, 24), (13, 22), (1, 1), (5, 31)])
def test_any_size_comes_back_times_the_scale(size: tuple[int, int], scale: int) -> None:
    image = torch.randint(256, (3, *size), dtype=torch.uint8)
    network = Probe(scale, multiple_of=8)

    result = Restorer(network, "cpu")(image)

    assert result.dtype == torch.float32
    torch.testing.assert_close(result, F.interpolate(image[None] / 255, scale_factor=scale)[0])
    assert [side % 8 for side in network.seen.shape[-2:]] == [0, 0]


def test_the_padding_repeats_the_edge_at_the_right_and_the_bottom() -> None:
    network = Probe(multiple_of=4)

    Restorer(network, "cpu")(torch.arange(15.0).reshape(1, 3, 5).expand(3, -1, -1) / 15)

    seen = (network.seen[0, 0] * 15).round()
    assert seen[:3, 5:].tolist() == [[4, 4, 4], [9, 9, 9], [14, 14, 14]]
    assert torch.equal(seen[3], seen[2])


def test_what_fits_is_not_padded() -> None:
    network = Probe(multiple_of=4)

    Restorer(network, "cpu")(torch.rand(3, 8, 12))

    assert network.seen.shape == (1, 3, 8, 12)
    assert network.seen.is_contiguous(memory_format=torch.channels_last)


def test_the_result_is_clipped_to_unit_range() -> None:
    result = Restorer(Probe(gain=3.0), "cpu")(torch.tensor([0.1, 0.5, 1.0]).expand(3, 1, 3))

    torch.testing.assert_close(result[0, 0], torch.tensor([0.3, 1.0, 1.0]))


def test_bytes_and_unit_range_mean_the_same() -> None:
    image = torch.randint(256, (3, 9, 9), dtype=torch.uint8)
    restorer = Restorer(MosaicUNet(widths=(4, 8)), "cpu")

    torch.testing.assert_close(restorer(image), restorer(image.double() / 255))


def test_a_real_network_gives_what_it_gives_when_called_by_hand() -> None:
    torch.manual_seed(0)
    network = MosaicUNet(widths=(4, 8), output="sigmoid")
    image = torch.rand(3, 2 * network.multiple_of, network.multiple_of)

    result = Restorer(network, "cpu")(image)

    with torch.no_grad():
        torch.testing.assert_close(result, network.eval()(image[None])[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("shape", [(1, 8, 8), (4, 8, 8), (8, 8), (1, 3, 8, 8), (3, 0, 8)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"image must have shape \(3, H, W\), got \("):
        Restorer(Probe(), "cpu")(torch.rand(shape))


def test_other_types_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must be uint8 or float in unit range, got torch\.int64"):
        Restorer(Probe(), "cpu")(torch.zeros(3, 8, 8, dtype=torch.int64))


def test_a_network_of_one_channel_says_so() -> None:
    network = Probe()
    network.in_channels = 1

    assert Restorer(network, "cpu")(torch.rand(1, 8, 8)).shape == (1, 8, 8)
    assert Restorer(network, "cpu")(torch.rand(3, 8, 8)).shape == (3, 8, 8)
    with pytest.raises(ValueError, match=r"shape \(1, H, W\) or \(3, H, W\), got \(2, 8, 8\)"):
        Restorer(network, "cpu")(torch.rand(2, 8, 8))


def test_a_network_that_lies_about_its_scale_is_found_out() -> None:
    network = Probe(scale=2)
    restorer = Restorer(network, "cpu")
    network.scale = 1

    with pytest.raises(ValueError, match="a network of scale 2 must make 16x16 pixels, got 8x8"):
        restorer(torch.rand(3, 8, 8))


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ValueError, match="device must be auto, cpu or cuda, got 'gpu'"):
        Restorer(Probe(), "gpu")


def test_a_missing_gpu_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    assert Restorer(Probe(), "auto").device.type == "cpu"
    with pytest.raises(ValueError, match="device cuda is not available here"):
        Restorer(Probe(), "cuda")


def _drawn(network: nn.Module) -> nn.Module:
    """Redraw weights so that the result is a picture far from black and from the input."""
    generator = torch.Generator().manual_seed(1)
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data.normal_(0, 0.2 / parameter[0].numel() ** 0.5, generator=generator)
        else:
            parameter.data.fill_(0.2)
    return network.eval()


NETWORKS = {
    "fsrcnn": lambda: FSRCNN(2, width=4, mapping_width=2, depth=1),
    "espcn": lambda: ESPCN(3, widths=(4, 4)),
    "srcnn": lambda: SRCNN(1, (4, 4), enlarged_by=2),
    "vdsr": lambda: VDSR(width=4, depth=3, enlarged_by=4),
}


@torch.no_grad()
@pytest.mark.parametrize("name", NETWORKS)
def test_luma_networks_change_y_and_leave_cb_and_cr(name: str) -> None:
    torch.manual_seed(0)
    network = _drawn(NETWORKS[name]())
    image = torch.rand(3, 11, 13)
    restorer = Restorer(network, "cpu")

    result = restorer(image)

    assert result.shape == (3, 11 * restorer.scale, 13 * restorer.scale)
    bicubic = matlab_resize(image, restorer.scale)
    seen = bicubic if hasattr(network, "enlarged_by") else image
    ycbcr = rgb2ycbcr(bicubic.permute(1, 2, 0).double().numpy())
    before = ycbcr[..., 0].copy()
    ycbcr[..., 0] = network(luma(seen[None]))[0, 0].double().numpy() * 255
    assert abs(ycbcr[..., 0] - before).max() > 25
    expected = ycbcr2rgb(ycbcr).clip(0, 1)
    assert abs(result.permute(1, 2, 0).numpy() - expected).max() < 1e-5


@pytest.mark.parametrize("name", NETWORKS)
def test_grey_stays_grey_whatever_its_channels(name: str) -> None:
    restorer = Restorer(_drawn(NETWORKS[name]()), "cpu")
    grey = torch.rand(1, 9, 10) * 0.5 + 0.2

    colour = restorer(grey.expand(3, -1, -1))

    assert torch.equal(colour[0], colour[1])
    assert torch.equal(colour[1], colour[2])
    alone = restorer(grey)
    assert alone.shape == (1, 9 * restorer.scale, 10 * restorer.scale)
    torch.testing.assert_close(alone[0], colour[0], atol=1e-6, rtol=0)


def test_a_network_that_gives_the_luma_back_gives_the_picture_back() -> None:
    network = Probe()
    network.in_channels, network.enlarged_by = 1, 1
    image = torch.rand(3, 8, 9)

    torch.testing.assert_close(Restorer(network, "cpu")(image), image, atol=1e-6, rtol=0)
    torch.testing.assert_close(network.seen, luma(image[None]))


def test_other_networks_of_one_channel_read_grey_in_full_range() -> None:
    network = Probe(gain=0.5)
    network.in_channels = 1
    restorer = Restorer(network, "cpu")
    grey = torch.rand(1, 6, 7)

    assert torch.allclose(restorer(grey), grey / 2, atol=1e-6)
    assert torch.equal(network.seen, grey[None])
    colour = torch.tensor([0.9, 0.5, 0.6]).view(3, 1, 1).expand(3, 4, 4)
    y = 0.299 * 0.9 + 0.587 * 0.5 + 0.114 * 0.6
    torch.testing.assert_close(restorer(colour), colour - y / 2, atol=1e-6, rtol=0)


def test_the_caller_may_say_the_scale_where_the_network_does_not() -> None:
    image = torch.rand(3, 6, 5)
    for scale in (1, 2, 3):
        restorer = Restorer(VDSR(width=4, depth=2), "cpu", scale)
        assert (restorer.scale, restorer.enlarged_by) == (scale, scale)
        assert restorer(image).shape == (3, 6 * scale, 5 * scale)
    with pytest.raises(ValueError, match="this VDSR restores pictures that were enlarged before"):
        Restorer(VDSR(width=4, depth=2), "cpu")
    with pytest.raises(ValueError, match="this FSRCNN enlarges by 2, got a scale of 3"):
        Restorer(NETWORKS["fsrcnn"](), "cpu", 3)
    with pytest.raises(ValueError, match="this SRCNN enlarges by 2, got a scale of 4"):
        Restorer(NETWORKS["srcnn"](), "cpu", 4)
    with pytest.raises(ValueError, match="scale must be at least 1, got 0"):
        Restorer(VDSR(width=4, depth=2), "cpu", 0)


def test_bytes_are_enlarged_as_bytes_and_floats_as_floats() -> None:
    network = Probe()
    network.enlarged_by = 2
    restorer = Restorer(network, "cpu")
    codes = torch.randint(256, (3, 7, 6), dtype=torch.uint8)

    assert torch.equal(restorer(codes), matlab_resize(codes, 2) / 255)
    restorer(codes / 255)
    torch.testing.assert_close(network.seen[0], matlab_resize(codes / 255, 2))


@torch.no_grad()
@pytest.mark.parametrize("channels", [1, 3])
def test_a_margin_keeps_what_was_there(channels: int) -> None:
    network = _drawn(SRCNN(channels, (4, 4), (5, 1, 3), padding="valid", enlarged_by=2))
    image = torch.rand(3, 8, 9) * 0.2 + 0.4

    result = Restorer(network, "cpu")(image)

    bicubic = matlab_resize(image, 2)
    border = torch.ones(result.shape, dtype=torch.bool)
    border[:, 3:-3, 3:-3] = False
    torch.testing.assert_close(result[border], bicubic[border], atol=1e-6, rtol=0)
    seen = luma(bicubic[None]) if channels == 1 else bicubic[None]
    inner = result[:, 3:-3, 3:-3]
    found = luma(result[None])[..., 3:-3, 3:-3] if channels == 1 else inner[None]
    torch.testing.assert_close(found, network(seen), atol=1e-5, rtol=0)


def test_tasks_and_files_are_restored_alike() -> None:
    network = _drawn(NETWORKS["fsrcnn"]())
    image = torch.rand(3, 8, 9)

    with torch.no_grad():
        batch = restore_luma(network, image[None]).clamp(0, 1)

    torch.testing.assert_close(Restorer(network, "cpu")(image), batch[0], atol=1e-6, rtol=0)


@torch.no_grad()
def test_signed_range_is_turned_to_unit_range() -> None:
    torch.manual_seed(0)
    network = SRResNet(width=4, depth=1, scale=2, output="tanh").eval()
    image = torch.rand(3, 6, 7)

    result = Restorer(network, "cpu")(image)

    torch.testing.assert_close(result, network(image[None])[0] / 2 + 0.5, atol=1e-5, rtol=0)


@torch.no_grad()
def test_predictions_of_the_network_alone_are_not_clipped() -> None:
    network = Probe(scale=2, multiple_of=4, gain=3.0)
    network.in_channels = 1
    y = torch.rand(2, 1, 5, 6, dtype=torch.float64) * 0.5 + 0.5

    result = Restorer(network, "cpu").predict(y)

    assert result.dtype == torch.float32
    torch.testing.assert_close(result, F.interpolate(y.float() * 3, scale_factor=2))


def signed(network: Probe) -> Probe:
    """Make a network one that reads and makes signed range."""
    network.input_range = network.value_range = "signed"  # type: ignore[assignment]
    return network


def test_a_network_of_signed_range_reads_it_and_the_result_is_in_unit_range() -> None:
    network = signed(Probe())
    codes = torch.randint(256, (3, 5, 6), dtype=torch.uint8)

    result = Restorer(network, "cpu")(codes)

    torch.testing.assert_close(network.seen[0], codes / 127.5 - 1)
    torch.testing.assert_close(result, codes / 255)
    assert is_translator(network)
    assert not is_translator(SRResNet(width=4, depth=1, output="tanh"))


@torch.no_grad()
@pytest.mark.parametrize(
    "network", [UNetGenerator(widths=(4, 6), norm="instance"), ResNetGenerator(width=4, blocks=1)],
    ids=["unet", "resnet"],
)  # fmt: skip
def test_a_translator_gives_what_it_gives_when_called_by_hand(network: nn.Module) -> None:
    image = torch.rand(3, 2 * network.multiple_of, 3 * network.multiple_of)
    _drawn(network)

    result = Restorer(network, "cpu")(image)

    expected = network.eval()(image[None] * 2 - 1)[0] / 2 + 0.5
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=0)


def test_the_padding_of_a_translator_is_the_mirrored_picture_however_small_it_is() -> None:
    network = signed(Probe(multiple_of=16))
    image = torch.rand(3, 3, 20)

    result = Restorer(network, "cpu")(image)

    seen = network.seen[0] / 2 + 0.5
    assert seen.shape == (3, 16, 32)
    for rows in (seen[:, :3], seen[:, 3:6].flip(1), seen[:, 6:9]):
        torch.testing.assert_close(rows[..., :20], image)
    torch.testing.assert_close(seen[..., 20:], seen[..., 8:20].flip(-1))
    torch.testing.assert_close(result, image)


@torch.no_grad()
@pytest.mark.parametrize("norm_mode", ["batch", "running"])
def test_what_else_is_in_a_batch_does_not_matter(norm_mode: NormMode) -> None:
    network = _drawn(UNetGenerator(widths=(4, 6), edge_norms=True, norm_mode=norm_mode))
    batch = torch.rand(3, 3, 8, 8) * torch.tensor([0.1, 0.5, 1.0]).view(3, 1, 1, 1)
    restorer = Restorer(network, "cpu")

    together = restorer.predict(batch)

    alone = torch.cat([restorer.predict(image[None]) for image in batch])
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=0)
    by_hand = network(batch * 2 - 1) / 2 + 0.5  # where it does matter, if it may
    assert torch.allclose(by_hand, alone, atol=1e-3) == (norm_mode == "running")


def test_a_translator_of_one_channel_reads_grey_and_makes_what_it_makes() -> None:
    class Painter(Probe):
        in_channels = 1

        def forward(self, image: Tensor) -> Tensor:
            return torch.cat([image, -image, image], dim=1)

    colour = torch.tensor([0.9, 0.5, 0.6]).view(3, 1, 1).expand(3, 4, 4)
    y = 0.299 * 0.9 + 0.587 * 0.5 + 0.114 * 0.6

    for image in (colour, torch.full((1, 4, 4), y)):
        result = Restorer(signed(Painter()), "cpu")(image)
        expected = torch.tensor([y, 1 - y, y]).view(3, 1, 1).expand(3, 4, 4)
        torch.testing.assert_close(result, expected, atol=1e-6, rtol=0)
