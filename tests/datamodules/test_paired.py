"""Tests of lit_restore.datamodules.paired, and of the folders that it shares with unpaired."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import CSVLogger
from PIL import Image
from torch import nn

from lit_restore.data import read_image, write_image
from lit_restore.data.split import split_files
from lit_restore.datamodules import PairedDataModule
from lit_restore.tasks import RestorationTask

MakeTrainer = Callable[..., Trainer]


def _pair(ours: Path, theirs: Path, source: Path) -> None:
    """Write a picture and its negative."""
    image = read_image(source)
    for path, pixels in ((ours, image), (theirs, 255 - image)):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(pixels, path)


@pytest.fixture
def pairs(image_folder: Path, tmp_path: Path) -> Path:
    """The folders ``a`` and ``b`` of twelve pairs each, of which b are the negatives."""
    root = tmp_path / "pairs"
    for index, path in enumerate(sorted(image_folder.glob("[01]*"))):
        suffix = "bmp" if index % 2 else "png"
        _pair(root / "a" / f"{path.stem}.png", root / "b" / f"{path.stem}.{suffix}", path)
    return root


@pytest.fixture
def folders(pairs: Path, tmp_path: Path) -> Path:
    """The same in folders: 6 to train on, 3 to validate and 3 to test; none to predict."""
    root = tmp_path / "folders"
    splits = ["train"] * 6 + ["val"] * 3 + ["test"] * 3
    for side in "ab":
        for split, path in zip(splits, sorted((pairs / side).iterdir()), strict=True):
            (root / split / side).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, root / split / side)
    return root


def _ready(root: Path, stage: str = "fit", **options: Any) -> PairedDataModule:
    data = PairedDataModule(str(root), **{"size": 16, "jitter": 18, **options})
    data.setup(stage)
    return data


def _stems(batches: Any, key: str = "path") -> list[str]:
    return [Path(path).stem for batch in batches for path in batch[key]]


def _splits(data: PairedDataModule) -> dict[str, list[str]]:
    return {
        split: [path.stem for path in data.dataset(split).files]
        for split in ("train", "val", "test", "predict")
    }


def _task() -> RestorationTask:
    return RestorationTask(nn.Conv2d(3, 3, 1))


class _Seen(Callback):
    """Notes the pixels of each training batch."""

    def __init__(self) -> None:
        self.batches: list[torch.Tensor] = []

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self.batches.append(torch.cat((batch["input"], batch["target"])))


@pytest.mark.parametrize("view", ["resize", "crop", "zoom"])
def test_training_batches_are_pairs_seen_alike(folders: Path, view: str) -> None:
    loader = _ready(folders, view=view, turn=True, batch_size=2).train_dataloader()

    assert len(loader) == 3
    for batch in loader:
        assert batch["input"].shape == batch["target"].shape == (2, 3, 16, 16)
        assert torch.allclose(batch["input"], 1 - batch["target"], atol=1.5 / 255)


def test_the_direction_says_which_is_the_input(folders: Path) -> None:
    forth = list(_ready(folders).val_dataloader())
    back = list(_ready(folders, direction="ba").val_dataloader())

    assert _stems(forth) == _stems(back) == ["06", "07", "08"]
    for one, other in zip(forth, back, strict=True):
        assert torch.equal(one["input"], other["target"])
        assert torch.equal(one["target"], other["input"])
    expected = [str(folders / "val" / "b" / f"{name}") for name in ("06.png", "07.bmp", "08.png")]
    assert [path for batch in back for path in batch["path"]] == expected
    with pytest.raises(ValueError, match="direction must be 'ab' or 'ba', got 'a'"):
        _ready(folders, direction="a")


def test_a_seed_divides_pairs_together_and_alike_in_both_directions(pairs: Path) -> None:
    fractions: dict[str, Any] = {"test_fraction": 0.2, "val_fraction": 0.1, "split_seed": 5}

    forth, back = (_ready(pairs, **fractions, direction=way) for way in ("ab", "ba"))

    expected = split_files(pairs / "a", 0.2, 0.1, 5)
    for data in (forth, back):
        assert _splits(data) == {
            split: [path.stem for path in files] for split, files in expected.items()
        }
        for batch in [*data.val_dataloader(), *data.test_dataloader()]:
            assert torch.allclose(batch["input"], 1 - batch["target"], atol=1.5 / 255)


@pytest.mark.parametrize("kept", ["a", "b"])
@pytest.mark.parametrize("layout", ["folders", "pairs"])
def test_a_file_without_a_partner_is_named(
    layout: str, kept: str, request: pytest.FixtureRequest
) -> None:
    root: Path = request.getfixturevalue(layout)
    inner = root / "train" if layout == "folders" else root
    lacking = inner / ("b" if kept == "a" else "a")
    next(lacking.glob("04.*")).unlink()

    with pytest.raises(ValueError, match=rf"/{kept}/04\.png has no partner: {lacking} lacks .*04"):
        _ready(root)


def test_two_files_of_one_stem_are_refused(folders: Path) -> None:
    shutil.copy(folders / "train/b/01.bmp", folders / "train/b/01.png")

    with pytest.raises(ValueError, match=r"train/b has both 01\.bmp and 01\.png"):
        _ready(folders)


def test_pairs_of_different_sizes_are_refused(folders: Path) -> None:
    Image.new("RGB", (9, 7)).save(folders / "train/b/02.png")

    with pytest.raises(ValueError, match=r"a/02\.png and 9x7 of \S*b/02\.png"):
        _ready(folders).train_dataloader()


def test_the_names_of_the_folders_are_arguments(folders: Path) -> None:
    expected = _splits_but_predict(_ready(folders))
    for split in ("train", "val", "test"):
        (folders / split / "a").rename(folders / split / "edges")
        (folders / split / "b").rename(folders / split / "photo")

    assert _splits_but_predict(_ready(folders, a="edges", b="photo")) == expected


def _splits_but_predict(data: PairedDataModule) -> list[list[str]]:
    return [[path.stem for path in data.dataset(s).files] for s in ("train", "val", "test")]


def test_a_pattern_finds_folders_of_published_names(folders: Path, tmp_path: Path) -> None:
    root = tmp_path / "published"
    for split, name in (("train", "train"), ("val", "valid"), ("test", "test")):
        for side in "ab":
            shutil.copytree(folders / split / side, root / f"{name}{side.upper()}")

    data = _ready(root, a="{split}A", b="{split}B")

    assert _splits_but_predict(data) == _splits_but_predict(_ready(folders))


@pytest.mark.parametrize("divided", [False, True])
@pytest.mark.parametrize("direction", ["ab", "ba"])
def test_files_of_two_halves_serve_as_two_folders(
    folders: Path, tmp_path: Path, direction: str, divided: bool
) -> None:
    root = tmp_path / "joined"
    for split in ("train", "val", "test"):
        folder = root if divided else root / split
        folder.mkdir(parents=True, exist_ok=True)
        for path in (folders / split / "a").iterdir():
            other = next((folders / split / "b").glob(f"{path.stem}.*"))
            write_image(torch.cat((read_image(path), read_image(other)), -1), folder / path.name)

    options: dict[str, Any] = {"direction": direction, "eval_view": "crop"}
    data = _ready(root, side_by_side=True, **options)

    if divided:
        expected = split_files(root, 0.15, 0.1, 18)
        assert {s: data.dataset(s).files for s in expected} == expected
    else:
        apart = _ready(folders, **options)
        for one, other in zip(data.val_dataloader(), apart.val_dataloader(), strict=True):
            assert torch.equal(one["input"], other["input"])
            assert torch.equal(one["target"], other["target"])


@pytest.mark.parametrize("direction", ["ab", "ba"])
def test_prediction_needs_no_targets(folders: Path, direction: str) -> None:
    side = direction[0]
    shutil.copytree(folders / "test" / side, folders / "predict" / side)

    batches = list(_ready(folders, "predict", direction=direction).predict_dataloader())

    assert _stems(batches) == ["09", "10", "11"]
    assert batches[0].keys() == {"input", "path"}
    other = "ba" if direction == "ab" else "ab"
    with pytest.raises(ValueError, match="no pictures to predict"):
        _ready(folders, "predict", direction=other).predict_dataloader()


def test_only_training_is_jittered_mirrored_turned_and_repeated(folders: Path) -> None:
    data = _ready(folders, turn=True, repeat=3)

    train, val = data.dataset("train"), data.dataset("val")

    assert (train.look.jitter, train.look.flip, train.look.turn, len(train)) == (18, True, True, 18)
    assert (val.look.jitter, val.look.flip, val.look.turn, len(val)) == (None, False, False, 3)


def test_whole_pictures_come_one_by_one_cut_to_a_multiple(folders: Path) -> None:
    data = _ready(folders, eval_view="whole", multiple_of=5, batch_size=3)

    sizes = [tuple(batch["input"].shape) for batch in data.val_dataloader()]

    assert sizes == [(1, 3, 40, 40), (1, 3, 40, 55), (1, 3, 60, 45)]  # of 40x40, 41x56, 64x48


def test_small_pictures_are_counted(folders: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        train = _ready(folders, size=44, view="crop", jitter=None).dataset("train")

    assert len(train) == 4
    assert "train: left out 2 of 6 pictures, smaller than 44x44 pixels" in caplog.text


def test_worker_processes_change_nothing(folders: Path, tmp_path: Path) -> None:
    options = {"turn": True, "cache": str(tmp_path / "cache"), "batch_size": 2}
    alone = list(_ready(folders, **options).train_dataloader())

    helped = list(_ready(folders, num_workers=1, **options).train_dataloader())

    for one, other in zip(alone, helped, strict=True):
        assert one["path"] == other["path"]
        assert torch.equal(one["input"], other["input"])
        assert torch.equal(one["target"], other["target"])


def test_loading_leaves_the_global_random_state_alone(folders: Path) -> None:
    before = torch.get_rng_state()

    data = _ready(folders, view="zoom", turn=True)
    list(data.train_dataloader())
    list(data.val_dataloader())

    assert torch.equal(torch.get_rng_state(), before)


def test_a_resumed_run_goes_on_with_the_samples_that_come_next(
    pairs: Path, tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    def data() -> PairedDataModule:
        return PairedDataModule(str(pairs), size=16, jitter=18, batch_size=3, direction="ba")

    options: dict[str, Any] = {"limit_val_batches": 0}
    trainer = make_trainer(max_steps=2, **options)
    trainer.fit(_task(), data())
    trainer.save_checkpoint(tmp_path / "two.ckpt")
    whole, rest = _Seen(), _Seen()
    make_trainer(max_steps=7, callbacks=[whole], **options).fit(_task(), data())

    trainer = make_trainer(max_steps=7, callbacks=[rest], **options)
    trainer.fit(_task(), data(), ckpt_path=tmp_path / "two.ckpt")

    assert len(whole.batches) == 7
    assert len(rest.batches) == 5
    assert all(map(torch.equal, rest.batches, whole.batches[2:]))


@pytest.mark.parametrize("side", ["a", "b"])
def test_a_run_is_kept_with_its_pictures_and_not_resumed_on_others(
    pairs: Path, tmp_path: Path, make_trainer: MakeTrainer, side: str
) -> None:
    trainer = make_trainer(max_steps=1, limit_val_batches=0, logger=CSVLogger(tmp_path / "runs"))
    trainer.fit(_task(), PairedDataModule(str(pairs), size=16, jitter=18))
    trainer.save_checkpoint(tmp_path / "one.ckpt")

    kept = json.loads((Path(trainer.log_dir or "") / "split.json").read_text())["splits"]
    names = [name for split in ("train", "val", "test") for name in kept[split]]
    assert sorted(names) == sorted(
        path.relative_to(pairs).as_posix() for path in pairs.rglob("*.*")
    )
    (pairs / side / "02.png").rename(pairs / side / "02.jpg")
    with pytest.raises(ValueError, match="another split than this one"):
        make_trainer(max_steps=2, limit_val_batches=0).fit(
            _task(),
            PairedDataModule(str(pairs), size=16, jitter=18),
            ckpt_path=tmp_path / "one.ckpt",
        )


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("{split}A", "b"), r"both folders or neither must have \{split\}"),
        (("a", "a"), "must be two names below root"),
        (("a", "/b"), "must be two names below root"),
        (("{split}A", "{split}B"), r"trainA and \S*trainB must be folders of pictures"),
        (("x", "b"), r"must hold the folders x and b, or train/x and train/b"),
    ],
)
def test_folders_that_cannot_be_are_refused(pairs: Path, names: tuple[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        _ready(pairs, a=names[0], b=names[1])
