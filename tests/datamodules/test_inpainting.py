"""Tests of lit_restore.datamodules.inpainting; what it shares is tested with its base."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningDataModule, LightningModule, Trainer
from lightning.pytorch.cli import LightningCLI
from torch import Tensor, nn

from lit_restore.data import CenterMask, IrregularMasks, RectangleMasks
from lit_restore.datamodules import InpaintingDataModule

MakeTrainer = Callable[..., Trainer]


@pytest.fixture
def folders(image_folder: Path, tmp_path: Path) -> Path:
    """Pictures in folders: 6 to train on, 3 to validate and 2 to test; none to predict."""
    files = sorted(image_folder.glob("[01]*"))
    root = tmp_path / "folders"
    for split, part in (("train", files[:6]), ("val", files[6:9]), ("test", files[9:11])):
        (root / split).mkdir(parents=True)
        for path in part:
            shutil.copy(path, root / split)
    return root


def _data(root: Path, **options: Any) -> InpaintingDataModule:
    options = {"masks": IrregularMasks(), "size": 16, "batch_size": 2} | options
    return InpaintingDataModule(str(root), **options)


def _ready(root: Path, stage: str = "fit", **options: Any) -> InpaintingDataModule:
    data = _data(root, **options)
    data.setup(stage)
    return data


class _Filling(LightningModule):
    """Notes the masks of training batches, and trains a little."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Conv2d(3, 3, 1)
        self.masks: list[Tensor] = []

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        self.masks.append(batch["mask"])
        return (self.network(batch["input"]) - batch["target"]).abs().mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


def test_batches_hold_pictures_masks_and_paths(image_folder: Path) -> None:
    batch = next(iter(_ready(image_folder).train_dataloader()))

    assert batch["input"].shape == batch["target"].shape == (2, 3, 16, 16)
    assert batch["mask"].shape == (2, 1, 16, 16)
    assert torch.equal(batch["input"], batch["target"] * batch["mask"])
    assert len(batch["path"]) == 2


def test_only_training_takes_its_masks_view_and_repeats(folders: Path) -> None:
    masks, eval_masks = RectangleMasks(), CenterMask()
    data = _ready(folders, masks=masks, eval_masks=eval_masks, flip=True, repeat=3, seed=7)

    train, val, test = (data.dataset(split) for split in ("train", "val", "test"))

    assert (train.masks, train.seed, len(train)) == (masks, 7, 18)
    assert (train.pictures.view, train.pictures.flip) == ("zoom", True)
    for measured, count in ((val, 3), (test, 2)):
        assert (measured.masks, measured.seed, len(measured)) == (eval_masks, 7, count)
        assert (measured.pictures.view, measured.pictures.flip) == ("resize", False)


def test_without_masks_of_their_own_measurements_take_those_of_the_training(folders: Path) -> None:
    masks = RectangleMasks()

    assert _ready(folders, masks=masks).dataset("val").masks is masks


def test_pictures_to_predict_get_holes_too(folders: Path) -> None:
    shutil.copytree(folders / "val", folders / "predict")
    data = _ready(folders, "predict", eval_masks=CenterMask(0.5))

    batches = list(data.predict_dataloader())

    assert sum(len(batch["path"]) for batch in batches) == 3
    for batch in batches:
        assert (batch["mask"] == CenterMask(0.5)(16, 16)).all()
        assert torch.equal(batch["input"], batch["target"] * batch["mask"])


def test_measuring_sees_the_same_holes_at_every_pass(folders: Path) -> None:
    loader = _ready(folders).val_dataloader()

    for one, other in zip(loader, loader, strict=True):
        assert torch.equal(one["mask"], other["mask"])


def test_worker_processes_change_nothing(image_folder: Path) -> None:
    alone = list(_ready(image_folder).train_dataloader())

    helped = list(_ready(image_folder, num_workers=2).train_dataloader())

    for one, other in zip(alone, helped, strict=True):
        assert torch.equal(one["input"], other["input"])
        assert torch.equal(one["mask"], other["mask"])


def test_loading_leaves_the_global_random_state_alone(image_folder: Path) -> None:
    before = torch.get_rng_state()

    list(_ready(image_folder).train_dataloader())

    assert torch.equal(torch.get_rng_state(), before)


def test_whole_pictures_come_one_by_one(folders: Path) -> None:
    batches = list(_ready(folders, eval_view="whole", batch_size=3).val_dataloader())

    assert [len(batch["path"]) for batch in batches] == [1, 1, 1]
    assert all(batch["mask"].shape[-2:] == batch["input"].shape[-2:] for batch in batches)


def test_small_pictures_are_counted(folders: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        _ready(folders, size=44).dataset("train")

    assert "train: left out 2 of 6 pictures, smaller than 44x44 pixels" in caplog.text


def test_a_resumed_run_sees_the_masks_that_come_next(
    image_folder: Path, tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    def run(steps: int, checkpoint: Path | None = None) -> list[Tensor]:
        filling, trainer = _Filling(), make_trainer(max_steps=steps, limit_val_batches=0)
        trainer.fit(filling, _data(image_folder), ckpt_path=checkpoint)
        trainer.save_checkpoint(tmp_path / f"{steps}.ckpt")
        return filling.masks

    whole = run(7)  # batches of 4 an epoch
    first, rest = run(3), run(7, tmp_path / "3.ckpt")

    assert len(whole) == len(first) + len(rest) == 7
    assert all(torch.equal(one, other) for one, other in zip(whole, first + rest, strict=True))


def _from_yaml(text: str, path: Path) -> LightningDataModule:
    path.write_text(text)
    cli = LightningCLI(
        _Filling,
        LightningDataModule,
        subclass_mode_data=True,
        save_config_callback=None,
        seed_everything_default=False,
        trainer_defaults={"accelerator": "cpu", "logger": False, "enable_progress_bar": False},
        args=["--config", str(path)],
        run=False,
    )
    return cli.datamodule


def test_a_yaml_of_plain_values_makes_it(folders: Path, tmp_path: Path) -> None:
    data = _from_yaml(
        f"""
        data:
          class_path: lit_restore.datamodules.InpaintingDataModule
          init_args:
            root: {folders}
            masks:
              class_path: lit_restore.data.IrregularMasks
              init_args: {{ratios: [[0.1, 0.2], [0.4, 0.5]], border: touch, kinds: [walk, blob]}}
            eval_masks:
              class_path: lit_restore.data.RectangleMasks
              init_args: {{sides: [0.2, 0.3]}}
        """,
        tmp_path / "config.yaml",
    )

    assert isinstance(data, InpaintingDataModule)
    assert repr(data.masks) == repr(
        IrregularMasks([(0.1, 0.2), (0.4, 0.5)], "touch", ["walk", "blob"])
    )
    assert repr(data.eval_masks) == repr(RectangleMasks((0.2, 0.3)))


def test_a_yaml_of_a_folder_of_masks_must_say_what_white_is(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masks = f"{{class_path: lit_restore.data.MaskFolder, init_args: {{root: {tmp_path}}}}}"
    text = f"data: {{class_path: InpaintingDataModule, init_args: {{root: a, masks: {masks}}}}}"

    with pytest.raises(SystemExit):
        _from_yaml(text, tmp_path / "config.yaml")

    assert "the following arguments are required: white" in capsys.readouterr().err
