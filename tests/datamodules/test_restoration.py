"""Tests of lit_restore.datamodules.restoration, and of the base that it shares."""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import CSVLogger
from torch import nn

from lit_restore.data import GaussianNoise, Mosaic
from lit_restore.data.images import ImageFileError
from lit_restore.data.sampling import epoch_order
from lit_restore.data.split import manifest_hash, split_files
from lit_restore.datamodules import RestorationDataModule
from lit_restore.datamodules._base import _leave_signals_to_the_run
from lit_restore.tasks import RestorationTask

MakeTrainer = Callable[..., Trainer]


@pytest.fixture
def pictures(image_folder: Path, tmp_path: Path) -> Path:
    """A copy of the pictures that a test may change."""
    return Path(shutil.copytree(image_folder, tmp_path / "pictures"))


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


def _data(root: Path, **options: Any) -> RestorationDataModule:
    options = {"degradation": Mosaic(4), "size": 16, "batch_size": 2} | options
    return RestorationDataModule(str(root), **options)


def _ready(root: Path, stage: str = "fit", **options: Any) -> RestorationDataModule:
    data = _data(root, **options)
    data.setup(stage)
    return data


def _task() -> RestorationTask:
    return RestorationTask(nn.Conv2d(3, 3, 1))


def _names(batches: Any) -> list[str]:
    return [Path(path).name for batch in batches for path in batch["path"]]


class _Seen(Callback):
    """Notes the pictures of each training batch."""

    def __init__(self) -> None:
        self.names: list[list[str]] = []

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self.names.append(_names([batch]))


def test_batches_are_unit_range_pairs_with_their_paths(image_folder: Path) -> None:
    batch = next(iter(_ready(image_folder).train_dataloader()))

    assert batch["input"].shape == batch["target"].shape == (2, 3, 16, 16)
    assert batch["target"].dtype == torch.float32
    assert 0 <= batch["target"].min() < batch["target"].max() <= 1
    assert not torch.equal(batch["input"], batch["target"])
    assert all(Path(path).is_file() for path in batch["path"])


def test_training_follows_the_epochs_order_without_a_short_batch(folders: Path) -> None:
    loader = _ready(folders, batch_size=4, seed=9).train_dataloader()

    files = sorted(path.name for path in (folders / "train").iterdir())
    assert len(loader) == 1
    assert _names(loader) == [files[index] for index in epoch_order(6, 9, 0)[:4]]


def test_measuring_and_predicting_go_in_file_order_with_every_picture(folders: Path) -> None:
    shutil.copytree(folders / "val", folders / "predict")
    data = _ready(folders, batch_size=2)

    for loader in (data.val_dataloader(), data.predict_dataloader()):
        assert _names(loader) == sorted(path.name for path in (folders / "val").iterdir())
    assert len(_names(data.test_dataloader())) == 2


def test_measuring_sees_the_same_samples_at_every_pass(folders: Path) -> None:
    options = {"degradation": GaussianNoise(25), "eval_view": "crop"}
    loader = _ready(folders, **options).val_dataloader()

    for one, other in zip(loader, loader, strict=True):
        assert torch.equal(one["input"], other["input"])


@pytest.mark.parametrize("view", ["zoom", "resize"])
def test_worker_processes_change_nothing(image_folder: Path, tmp_path: Path, view: str) -> None:
    options = {
        "degradation": GaussianNoise(25), "view": view, "flip": True, "cache": str(tmp_path),
    }  # fmt: skip
    alone = list(_ready(image_folder, **options).train_dataloader())

    helped = list(_ready(image_folder, num_workers=2, **options).train_dataloader())

    for one, other in zip(alone, helped, strict=True):
        assert one["path"] == other["path"]
        assert torch.equal(one["input"], other["input"])
        assert torch.equal(one["target"], other["target"])


def test_a_worker_leaves_signals_to_the_run() -> None:
    kinds = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(kind) for kind in kinds]
    try:
        _leave_signals_to_the_run(0)
        assert [signal.getsignal(kind) for kind in kinds] == [signal.SIG_IGN] * 2
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)


def test_loading_leaves_the_global_random_state_alone(image_folder: Path) -> None:
    before = torch.get_rng_state()

    data = _ready(image_folder, degradation=GaussianNoise(25), view="zoom", flip=True)
    list(data.train_dataloader())
    list(data.val_dataloader())

    assert torch.equal(torch.get_rng_state(), before)


def test_only_training_flips_repeats_and_takes_its_view(folders: Path) -> None:
    data = _ready(folders, view="crop", eval_view="whole", flip=True, repeat=3)

    train, val = data.dataset("train"), data.dataset("val")

    assert (train.view, train.flip, train.repeat, len(train)) == ("crop", True, 3, 18)
    assert (val.view, val.flip, val.repeat, len(val)) == ("whole", False, 1, 3)


def test_whole_pictures_come_one_by_one(folders: Path) -> None:
    batches = list(_ready(folders, eval_view="whole", batch_size=3).val_dataloader())

    assert [len(batch["path"]) for batch in batches] == [1, 1, 1]
    assert {tuple(batch["input"].shape[-2:]) for batch in batches} > {(32, 32)}


@pytest.mark.parametrize("degrade", [True, False])
def test_pictures_to_predict_are_degraded_unless_they_are_already(
    folders: Path, degrade: bool
) -> None:
    shutil.copytree(folders / "val", folders / "predict")
    data = _ready(folders, "predict", degrade_predict=degrade)

    batch = next(iter(data.predict_dataloader()))

    assert torch.equal(batch["input"], batch["target"]) is not degrade


def test_small_pictures_are_counted(folders: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = _ready(folders, size=44)

    with caplog.at_level("INFO"):
        train = data.dataset("train")

    assert len(train.skipped) == 2  # of 40x40 and of 41x56 pixels
    assert "train: left out 2 of 6 pictures, smaller than 44x44 pixels" in caplog.text


def test_a_split_without_pictures_is_refused_when_it_is_needed(folders: Path) -> None:
    data = _ready(folders)

    with pytest.raises(ValueError, match=r"no pictures to predict: expected some in predict/"):
        data.predict_dataloader()


def test_a_share_that_was_0_is_named(tmp_path: Path, image_folder: Path) -> None:
    data = RestorationDataModule(str(image_folder), Mosaic(), 16, test_fraction=0)
    data.setup("test")

    told = r"to test: expected some in test/, or data\.test_fraction above 0 before the training"
    with pytest.raises(ValueError, match=told):
        data.test_dataloader()


def test_no_share_is_named_where_there_is_none(folders: Path) -> None:
    data = _ready(folders)
    data.division.splits["train"] = []

    with pytest.raises(ValueError, match=r"no pictures to train: expected some in train/$"):
        data.train_dataloader()


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageFileError, match="nowhere: no such folder"):
        _ready(tmp_path / "nowhere")


def test_the_division_is_kept_beside_the_logs(
    image_folder: Path, tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    trainer = make_trainer(max_steps=1, logger=CSVLogger(tmp_path / "runs"), limit_val_batches=0)

    trainer.fit(_task(), _data(image_folder, split_seed=5, val_fraction=0.2))

    kept = json.loads((Path(trainer.log_dir or "") / "split.json").read_text())
    splits = split_files(image_folder, 0.15, 0.2, 5)
    assert kept["splits"] == {
        split: [path.name for path in files] for split, files in splits.items()
    }
    assert kept["hash"] == manifest_hash(kept["splits"])


def test_measuring_does_not_write_a_division(
    image_folder: Path, tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    trainer = make_trainer(logger=CSVLogger(tmp_path / "runs"))

    trainer.validate(_task(), _data(image_folder), verbose=False)

    assert not list(tmp_path.rglob("split.json"))


@pytest.fixture
def checkpoint(pictures: Path, tmp_path: Path, make_trainer: MakeTrainer) -> Path:
    """Of a run of one step on ``pictures``."""
    path = tmp_path / "one.ckpt"
    trainer = make_trainer(max_steps=1, limit_val_batches=0)
    trainer.fit(_task(), _data(pictures))
    trainer.save_checkpoint(path)
    return path


def test_a_run_goes_on_with_the_pictures_that_come_next(
    pictures: Path, checkpoint: Path, make_trainer: MakeTrainer
) -> None:
    whole, rest = _Seen(), _Seen()
    make_trainer(max_steps=6, limit_val_batches=0, callbacks=[whole]).fit(_task(), _data(pictures))

    trainer = make_trainer(max_steps=6, limit_val_batches=0, callbacks=[rest])
    trainer.fit(_task(), _data(pictures), ckpt_path=checkpoint)

    assert len(whole.names) == 6
    assert rest.names == whole.names[1:]


@pytest.mark.parametrize("limit", [2, 0.5])  # of 4 batches
def test_a_limited_epoch_is_followed_by_another_order(
    image_folder: Path, make_trainer: MakeTrainer, limit: float
) -> None:
    seen = _Seen()
    options: dict[str, Any] = {"max_epochs": 3, "limit_val_batches": 0, "callbacks": [seen]}
    data = _data(image_folder)

    make_trainer(limit_train_batches=limit, **options).fit(_task(), data)

    files = [path.name for path in data.dataset("train").files]
    expected = [files[i] for epoch in range(3) for i in epoch_order(len(files), 0, epoch)[:4]]
    assert [name for batch in seen.names for name in batch] == expected


@pytest.mark.parametrize("change", ["added", "removed"])
def test_a_run_is_not_resumed_on_other_pictures(
    pictures: Path, checkpoint: Path, make_trainer: MakeTrainer, change: str
) -> None:
    if change == "added":
        shutil.copy(pictures / "00.png", pictures / "another.png")
    else:
        (pictures / "03.png").unlink()

    trainer = make_trainer(max_steps=2, limit_val_batches=0)
    with pytest.raises(ValueError, match=r"another split than this one.*compare their split\.json"):
        trainer.fit(_task(), _data(pictures), ckpt_path=checkpoint)


def test_the_hash_is_checked_whichever_comes_first_the_pictures_or_the_checkpoint(
    image_folder: Path,
) -> None:
    data = _data(image_folder)
    data.load_state_dict({"split_hash": "0" * 64})
    with pytest.raises(ValueError, match="another split"):
        data.setup("fit")

    with pytest.raises(ValueError, match="its hash is 000000000000"):
        _ready(image_folder).load_state_dict({"split_hash": "0" * 64})


def test_more_pictures_to_predict_do_not_hinder_a_resume(folders: Path) -> None:
    state = _ready(folders).state_dict()

    shutil.copytree(folders / "val", folders / "predict")

    _ready(folders).load_state_dict(state)


def test_lightnings_own_sharing_is_refused_for_several_processes(
    image_folder: Path, make_trainer: MakeTrainer
) -> None:
    data = _data(image_folder)
    data.trainer = make_trainer(devices=2, strategy="ddp", use_distributed_sampler=True)
    data.setup("fit")

    with pytest.raises(ValueError, match=r"expected Trainer\(use_distributed_sampler=False\)"):
        data.train_dataloader()


def test_processes_share_training_and_prediction_but_each_measures_all(
    folders: Path, make_trainer: MakeTrainer
) -> None:
    shutil.copytree(folders / "val", folders / "predict")
    data = _data(folders)
    data.trainer = make_trainer(devices=2, strategy="ddp")
    data.setup("test")

    counts = {
        split: len(_names(getattr(data, f"{split}_dataloader")()))
        for split in ("train", "val", "test", "predict")
    }

    # One batch of 2 for each process from 6 pictures to train on; 2 of 3 to predict for the first.
    assert counts == {"train": 2, "val": 3, "test": 2, "predict": 2}
