"""DataModules for translation, built of plain values as a config has them."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from lightning.pytorch import LightningDataModule
from lightning.pytorch.cli import LightningCLI
from lightning.pytorch.demos.boring_classes import BoringModel


def _from_yaml(text: str, path: Path) -> Any:
    path.write_text(text)
    return LightningCLI(
        BoringModel,
        LightningDataModule,
        subclass_mode_data=True,
        save_config_callback=None,
        seed_everything_default=False,
        trainer_defaults={"accelerator": "cpu", "logger": False, "enable_progress_bar": False},
        args=["--config", str(path)],
        run=False,
    ).datamodule


@pytest.mark.parametrize(
    ("name", "arguments", "keys"),
    [
        ("Paired", "{direction: ba, jitter: null, cache: null}", {"input", "target"}),
        ("Paired", "{side_by_side: true, view: crop, jitter: null}", {"input", "target"}),
        ("Unpaired", "{jitter: 20, multiple_of: 4, eval_view: whole}", {"a", "b"}),
        ("Restoration", "{degradation: null, batch_size: 1}", {"input", "target"}),
    ],
)
def test_a_yaml_of_plain_values_makes_it(
    image_folder: Path, tmp_path: Path, name: str, arguments: str, keys: set[str]
) -> None:
    one_folder = name == "Restoration" or "side_by_side" in arguments
    for folder in ["."] if one_folder else ["a", "b"]:
        (tmp_path / "pictures" / folder).mkdir(parents=True, exist_ok=True)
        for path in image_folder.glob("0[01346].png"):  # of even widths
            (tmp_path / "pictures" / folder / path.name).symlink_to(path)
    chosen = {"root": str(tmp_path / "pictures"), "size": 16, **yaml.safe_load(arguments)}
    config = {"class_path": f"lit_restore.datamodules.{name}DataModule", "init_args": chosen}

    data = _from_yaml(yaml.safe_dump({"data": config}), tmp_path / "config.yaml")

    data.setup("fit")
    batch = next(iter(data.train_dataloader()))
    assert batch.keys() > keys
    assert all(batch[key].shape == (1, 3, 16, 16) for key in keys)
