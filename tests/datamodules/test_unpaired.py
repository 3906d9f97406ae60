"""Tests of lit_restore.datamodules.unpaired."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor, nn

from lit_restore.datamodules import UnpairedDataModule

MakeTrainer = Callable[..., Trainer]


@pytest.fixture
def folders(image_folder: Path, tmp_path: Path) -> Path:
    """Named as CycleGAN's data are: 4 and 3 pictures to train on, 2 and 3 to test."""
    files = sorted(image_folder.glob("[01]*"))
    parts = {"trainA": files[:4], "trainB": files[4:7], "testA": files[7:9], "testB": files[9:12]}
    for name, part in parts.items():
        (tmp_path / "folders" / name).mkdir(parents=True)
        for path in part:
            shutil.copy(path, tmp_path / "folders" / name)
    return tmp_path / "folders"


def _data(root: Path, **options: Any) -> UnpairedDataModule:
    names = {"a": "{split}A", "b": "{split}B"}
    return UnpairedDataModule(str(root), **{**names, "size": 16, "jitter": 18, **options})


def _ready(root: Path, stage: str = "fit", **options: Any) -> UnpairedDataModule:
    data = _data(root, **options)
    data.setup(stage)
    return data


def _stems(batches: Any, key: str) -> list[str]:
    return [Path(path).stem for batch in batches for path in batch[key]]


class _Watcher(LightningModule):
    """Trains next to nothing, and notes the pixels of each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Conv2d(3, 3, 1)
        self.batches: list[Tensor] = []

    def training_step(self, batch: dict[str, Any], index: int) -> Tensor:
        self.batches.append(torch.cat((batch["a"], batch["b"])))
        return self.network(batch["a"]).mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.0)


def test_batches_have_both_kinds_and_their_paths(folders: Path) -> None:
    batch = next(iter(_ready(folders, batch_size=2).train_dataloader()))

    assert batch["a"].shape == batch["b"].shape == (2, 3, 16, 16)
    assert batch.keys() == {"a", "b", "path_a", "path_b", "path"}
    assert batch["path"] == batch["path_a"]


def test_an_epoch_shows_all_of_the_longer_side(folders: Path) -> None:
    batches = list(_ready(folders).train_dataloader())

    assert sorted(_stems(batches, "path_a")) == ["00", "01", "02", "03"]
    assert set(_stems(batches, "path_b")) == {"04", "05", "06"}


def test_measuring_is_in_file_order_and_never_random(folders: Path) -> None:
    loader = _ready(folders, "test", turn=True).test_dataloader()

    for _ in range(2):
        batches = list(loader)
        assert _stems(batches, "path_a") == ["07", "08", "07"]
        assert _stems(batches, "path_b") == ["09", "10", "11"]
        assert torch.equal(batches[0]["a"], batches[2]["a"])


@pytest.mark.parametrize("counts", [(3, 2), (2, 3), (2, 0)])
def test_prediction_shows_each_picture_of_a_once(folders: Path, counts: tuple[int, int]) -> None:
    for side, count in zip("AB", counts, strict=True):
        for path in sorted((folders / f"train{side}").iterdir())[:count]:
            (folders / f"predict{side}").mkdir(exist_ok=True)
            shutil.copy(path, folders / f"predict{side}")

    batches = list(_ready(folders, "predict").predict_dataloader())

    assert _stems(batches, "path") == ["00", "01", "02"][: counts[0]]
    assert all(("b" in batch) == (counts[1] > 0) for batch in batches)


def test_a_split_that_is_missing_is_told(folders: Path) -> None:
    with pytest.raises(ValueError, match="has no pictures to val"):
        _ready(folders).val_dataloader()
    shutil.rmtree(folders / "trainA")
    with pytest.raises(ValueError, match=r"to train in \{split\}B, but none in \{split\}A"):
        _ready(folders).train_dataloader()


def test_each_folder_is_divided_by_the_same_seed(folders: Path, tmp_path: Path) -> None:
    root = tmp_path / "plain"
    for side in "ab":
        shutil.copytree(folders / "trainA", root / side)
        shutil.copytree(folders / "testB", root / side, dirs_exist_ok=True)

    data = _ready(root, a="a", b="b", test_fraction=0.3, val_fraction=0.2)

    parts = [data.dataset(split) for split in ("train", "val", "test")]
    for ours, theirs in ((part.pictures_a.files, part.pictures_b.files) for part in parts):
        assert [path.name for path in ours] == [path.name for path in theirs]
    assert sum(len(part.pictures_a) for part in parts) == 7
    assert len({path for part in parts for path in part.pictures_a.files}) == 7


def test_split_folders_may_hold_both(folders: Path, tmp_path: Path) -> None:
    root = tmp_path / "inner"
    for name in ("trainA", "trainB", "testA", "testB"):
        shutil.copytree(folders / name, root / name[:-1] / name[-1])

    inner, outer = (list(one.test_dataloader()) for one in
                    (_ready(root, "test", a="A", b="B"), _ready(folders, "test")))  # fmt: skip

    assert _stems(inner, "path_a") == _stems(outer, "path_a")
    assert _stems(inner, "path_b") == _stems(outer, "path_b")


def test_whole_pictures_come_one_by_one_each_of_its_size(folders: Path) -> None:
    data = _ready(folders, "test", eval_view="whole", multiple_of=4, batch_size=2)

    sizes = [(*batch["a"].shape, *batch["b"].shape) for batch in data.test_dataloader()]

    assert sizes[0] == (1, 3, 40, 56, 1, 3, 72, 60)  # of 41x56 and 72x60 pixels
    assert len(sizes) == 3


def test_loading_leaves_the_global_random_state_alone(folders: Path) -> None:
    before = torch.get_rng_state()
    list(_ready(folders, view="zoom", turn=True).train_dataloader())
    assert torch.equal(torch.get_rng_state(), before)


def test_a_resumed_run_goes_on_with_the_samples_that_come_next(
    folders: Path, tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    trainer = make_trainer(max_steps=3)
    trainer.fit(_Watcher(), _data(folders))
    trainer.save_checkpoint(tmp_path / "three.ckpt")
    whole, rest = _Watcher(), _Watcher()
    make_trainer(max_steps=9).fit(whole, _data(folders))

    make_trainer(max_steps=9).fit(rest, _data(folders), ckpt_path=tmp_path / "three.ckpt")

    assert len(whole.batches) == 9
    assert len(rest.batches) == 6
    assert all(map(torch.equal, rest.batches, whole.batches[3:]))


def test_a_run_is_not_resumed_on_other_pictures_of_either_side(folders: Path) -> None:
    state = _ready(folders).state_dict()
    next((folders / "trainB").iterdir()).unlink()
    with pytest.raises(ValueError, match="another split than this one"):
        _ready(folders).load_state_dict(state)


def test_small_pictures_are_counted(folders: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        _ready(folders, size=44, view="crop", jitter=None).dataset("train")

    assert "train: left out 2 of 4 pictures, smaller than 44x44 pixels" in caplog.text
    assert "train: left out 1 of 3 pictures, smaller than 44x44 pixels" in caplog.text
