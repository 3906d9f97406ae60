"""Fixtures that several tests share."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from lit_restore.data import DeadLeaves

SIZES = [(40, 40), (48, 64), (64, 48), (56, 41), (72, 40), (45, 80)]  # height, width


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pictures of 40 pixels and more, PNG and JPEG by turns, and one of 12x50; read only."""
    folder = tmp_path_factory.mktemp("images")
    leaves, generator = DeadLeaves(80), torch.Generator().manual_seed(0)
    for index in range(12):
        height, width = SIZES[index % len(SIZES)]
        pixels = leaves(generator)[:, :height, :width].permute(1, 2, 0).contiguous().numpy()
        Image.fromarray(pixels).save(folder / f"{index:02}.{('png', 'jpg')[index % 2]}")
    Image.new("RGB", (50, 12), (10, 200, 90)).save(folder / "small.png")
    return folder
