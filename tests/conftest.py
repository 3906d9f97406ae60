"""What tests of several packages share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import Trainer
from PIL import Image

from lit_restore.data import DeadLeaves

SIDES = ((40, 40), (41, 56), (64, 48), (72, 60), (50, 90), (44, 44))

torch.set_num_threads(1)  # tests run side by side; a thread each is fastest for small tensors


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pictures of at least 40 pixels a side, PNG and JPEG, and one of 12x30. Read only."""
    folder = tmp_path_factory.mktemp("pictures")
    generator = torch.Generator().manual_seed(0)
    for index in range(12):
        height, width = SIDES[index % len(SIDES)]
        pixels = DeadLeaves(96)(generator)[:, :height, :width].permute(1, 2, 0).numpy()
        suffix = "jpg" if index % 3 == 2 else "png"
        Image.fromarray(np.ascontiguousarray(pixels)).save(folder / f"{index:02}.{suffix}")
    Image.new("RGB", (30, 12), (200, 30, 60)).save(folder / "small.png")
    return folder


@pytest.fixture
def make_trainer(tmp_path: Path) -> Callable[..., Trainer]:
    """Makes quiet trainers on the CPU, which write below ``tmp_path``; options go to them."""

    def make(**options: Any) -> Trainer:
        defaults: dict[str, Any] = {
            "accelerator": "cpu",
            "devices": 1,
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "use_distributed_sampler": False,
            "num_sanity_val_steps": 0,
            "log_every_n_steps": 1,
            "default_root_dir": tmp_path,
        }
        return Trainer(**{**defaults, **options})

    return make
