"""Tests of lit_restore.commands._restore_file: super-resolution of every kind of picture."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lit_restore.checkpoints import save_network
from lit_restore.commands.restore import main
from lit_restore.data import matlab_resize, read_image, write_image
from lit_restore.data.images import read_pictures
from lit_restore.models import ESPCN, FSRCNN, SRCNN, VDSR, SRResNet


def _starting_as_bicubic(network: VDSR) -> VDSR:
    """Make a network that adds nothing to the enlarged picture."""
    nn.init.zeros_(network.convs[-1].weight)
    return network


@pytest.fixture
def vdsr(tmp_path: Path) -> Path:
    path = tmp_path / "vdsr.safetensors"
    save_network(_starting_as_bicubic(VDSR(width=4, depth=2)), path)
    return path


@pytest.fixture
def image() -> Tensor:
    return torch.rand(3, 9, 7, generator=torch.Generator().manual_seed(0))


def _run(tmp_path: Path, *words: object) -> int:
    options = ("--out", tmp_path / "out", "--device", "cpu")
    return main([str(word) for word in (*words, *options)])


def test_a_network_of_any_scale_enlarges_by_the_one_that_is_asked_for(
    vdsr: Path, image: Tensor, tmp_path: Path
) -> None:
    write_image(image, tmp_path / "a.png")

    assert _run(tmp_path, tmp_path / "a.png", "--weights", vdsr, "--scale", 3) == 0

    expected = matlab_resize(read_image(tmp_path / "a.png"), 3)
    assert torch.equal(read_image(tmp_path / "out" / "a.png"), expected)


@pytest.mark.parametrize("words", ["DefaultCPUAllocator: can't allocate memory", "broken"])
def test_a_picture_that_memory_cannot_hold_fails_in_words(
    vdsr: Path,
    image: Tensor,
    tmp_path: Path,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> Tensor:
        raise RuntimeError(words)

    write_image(image, tmp_path / "a.png")
    monkeypatch.setattr(VDSR, "forward", fail)

    assert _run(tmp_path, tmp_path / "a.png", "--weights", vdsr, "--scale", 2) == 1

    told = "7x9 pixels need more memory than there is; pictures are restored in one piece"
    assert (told in capsys.readouterr().err) == (words != "broken")


def test_a_network_of_any_scale_has_to_be_told_which(
    vdsr: Path, image: Tensor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(image, tmp_path / "a.png")

    with pytest.raises(SystemExit, match="2"):
        _run(tmp_path, tmp_path / "a.png", "--weights", vdsr)
    assert "this VDSR restores pictures that were enlarged before" in capsys.readouterr().err
    save_network(FSRCNN(2, width=4, mapping_width=2, depth=1), vdsr)
    with pytest.raises(SystemExit, match="2"):
        _run(tmp_path, tmp_path / "a.png", "--weights", vdsr, "--scale", 4)
    assert "this FSRCNN enlarges by 2, got a scale of 4" in capsys.readouterr().err


def test_transparency_and_16_bits_are_enlarged_alike(
    vdsr: Path, image: Tensor, tmp_path: Path
) -> None:
    alpha = torch.rand(1, 9, 7, generator=torch.Generator().manual_seed(1))
    write_image(image, tmp_path / "deep.png", alpha=alpha, bit_depth=16)
    write_image(image, tmp_path / "flat.png", alpha=alpha)

    names = ("deep.png", "flat.png")
    files = [tmp_path / name for name in names]
    assert _run(tmp_path, *files, "--weights", vdsr, "--scale", 2) == 0

    for name, depth in zip(names, (16, 8), strict=True):
        (before,) = read_pictures(tmp_path / name)
        (after,) = read_pictures(tmp_path / "out" / name)
        assert after.bit_depth == depth
        for part in ("pixels", "alpha"):
            old, new = getattr(before, part), getattr(after, part)
            expected = matlab_resize(old, 2)
            if depth == 8:
                assert torch.equal(new, expected)
            else:
                torch.testing.assert_close(new, expected.clamp(0, 1), atol=1 / 65535, rtol=0)


@pytest.mark.parametrize("network", [
    FSRCNN(2, width=4, mapping_width=2, depth=1), ESPCN(3, widths=(4, 4)),
    SRCNN(1, (4, 4), enlarged_by=4), SRCNN(3, (4, 4), enlarged_by=2),
    SRResNet(width=4, depth=1, scale=2), SRResNet(width=4, depth=1, output="tanh"),
], ids=lambda network: type(network).__name__)  # fmt: skip
def test_every_network_restores_grey_files_to_grey_ones(
    network: nn.Module, image: Tensor, tmp_path: Path
) -> None:
    save_network(network, tmp_path / "some.safetensors")
    write_image(image[:1].expand(3, -1, -1), tmp_path / "grey.png", grey=True)
    write_image(image, tmp_path / "colour.png")
    files = (tmp_path / "grey.png", tmp_path / "colour.png")

    assert _run(tmp_path, *files, "--weights", tmp_path / "some.safetensors") == 0

    scale = network.scale * (getattr(network, "enlarged_by", None) or 1)
    (grey,), (colour,) = (read_pictures(tmp_path / "out" / path.name) for path in files)
    assert (grey.grey, colour.grey) == (True, False)
    assert grey.pixels.shape == colour.pixels.shape == (3, 9 * scale, 7 * scale)


def test_the_limit_of_pixels_counts_the_whole_factor(
    vdsr: Path, image: Tensor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(image, tmp_path / "a.png")
    words = (tmp_path / "a.png", "--weights", vdsr, "--scale", 4, "--max-pixels")

    assert _run(tmp_path, *words, 63 * 16 - 1) == 1
    assert "the result would have 1008 pixels" in capsys.readouterr().err
    assert _run(tmp_path, *words, 63 * 16) == 0
