"""Tests of lit_restore.data.style_transfer."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lit_restore.data import matlab_resize, read_image, read_style_transfer
from lit_restore.data.style_transfer import with_side


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Pictures of 40x24, 20x30 and 700x10 pixels (width first)."""
    random = np.random.default_rng(0)
    for name, size in (("a", (24, 40, 3)), ("b", (30, 20, 3)), ("wide", (10, 700, 3))):
        pixels = random.integers(0, 256, size, dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    return [tmp_path / f"{name}.png" for name in ("a", "b", "wide")]


def test_a_small_content_keeps_its_pixels_and_styles_get_its_side(files: list[Path]) -> None:
    content, styles, initial = read_style_transfer(files[0], [files[1]])
    assert torch.equal(content, read_image(files[0])[None].float() / 255)
    assert torch.equal(initial, content)
    assert [style.shape for style in styles] == [(1, 3, 40, 27)]


def test_a_large_content_is_reduced_unless_its_size_is_given(files: list[Path]) -> None:
    assert read_style_transfer(files[2], [files[1]]).content.shape == (1, 3, 7, 512)
    given = read_style_transfer(files[2], [files[1]], size=600, style_size=15)
    assert given.content.shape == (1, 3, 9, 600)
    assert given.styles[0].shape == (1, 3, 15, 10)


def test_sizes_are_reached_by_matlab_s_bicubic_in_unit_range(files: list[Path]) -> None:
    whole = read_image(files[0])[None].float() / 255
    small = with_side(whole, 20)
    assert torch.equal(small, matlab_resize(whole, size=(12, 20)).clamp(0, 1))
    assert with_side(torch.ones(1, 3, 2, 100), 10).shape == (1, 3, 1, 10)
    with pytest.raises(ValueError, match="at least 1 pixel, got 0"):
        with_side(whole, 0)


def test_noise_depends_on_the_seed_alone(files: list[Path]) -> None:
    one, again, other = (
        read_style_transfer(files[0], [files[1]], initial="noise", seed=seed).initial
        for seed in (0, 0, 1)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert one.shape == (1, 3, 24, 40)
    assert one.mean().item() == pytest.approx(0.5, abs=0.02)


def test_a_file_to_begin_with_gets_the_content_s_size(files: list[Path]) -> None:
    initial = read_style_transfer(files[0], [files[1]], initial=str(files[1])).initial
    whole = read_image(files[1])[None].float() / 255
    assert torch.equal(initial, matlab_resize(whole, size=(24, 40)).clamp(0, 1))


def test_other_pixels_have_another_digest(files: list[Path]) -> None:
    one = read_style_transfer(files[0], [files[1]])
    same = read_style_transfer(files[0], [files[1]])
    digests = {
        one.digest(),
        one._replace(initial=one.initial + 0.01).digest(),
        one._replace(styles=[one.styles[0], one.styles[0]]).digest(),
        one._replace(content=one.content.flip(-1)).digest(),
    }
    assert one.digest() == same.digest()
    assert len(digests) == 4
