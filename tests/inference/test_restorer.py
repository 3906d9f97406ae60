"""Tests of lit_restore.inference.restorer."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.inference import Restorer
from lit_restore.models import MosaicUNet


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
    with pytest.raises(ValueError, match=r"image must have shape \(1, H, W\), got \(3"):
        Restorer(network, "cpu")(torch.rand(3, 8, 8))


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
