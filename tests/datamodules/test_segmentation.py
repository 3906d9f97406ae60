"""Tests of lit_restore.datamodules.segmentation."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from lightning.pytorch import LightningDataModule, LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.cli import LightningCLI
from lightning.pytorch.demos.boring_classes import BoringModel
from lightning.pytorch.loggers import CSVLogger
from torch import nn

from lit_restore.data import (
    JointAugmentation,
    LabelError,
    make_classes,
    read_image,
    write_classes,
    write_image,
)
from lit_restore.data.split import split_files
from lit_restore.datamodules import SegmentationDataModule

MakeTrainer = Callable[..., Trainer]
CLASSES = make_classes(["background", "newt", "frog"])
SIZES = ((20, 30), (30, 20), (24, 24))


def _write(images: Path, labels: Path, name: str, index: int) -> None:
    """Write a picture of two patches, and labels of class 0, and of 1 or 2 by the folder."""
    height, width = SIZES[index % 3]
    classes = torch.zeros(height, width, dtype=torch.int64)
    classes[4 : 8 + index, 5:15] = 2 if "frogs" in name else 1
    picture = (40 * classes + 20 + index).to(torch.uint8).expand(3, -1, -1)
    for folder in (images, labels):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    write_image(picture, images / f"{name}.bmp")
    write_classes(classes, labels / f"{name}.png", CLASSES)


@pytest.fixture
def pond(tmp_path: Path) -> Path:
    """Eight newts and four frogs in folders inside of ``images`` and ``labels``."""
    root = tmp_path / "pond"
    names = [f"newts/{i}" for i in range(8)] + [f"frogs/{i}" for i in range(4)]
    for index, name in enumerate(names):
        _write(root / "images", root / "labels", name, index)
    return root


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Four pictures to train on, two to validate, three to test, and one to predict."""
    root = tmp_path / "folders"
    splits = ["train"] * 4 + ["val"] * 2 + ["test"] * 3
    for index, split in enumerate(splits):
        name = f"{'newts' if index % 2 else 'frogs'}/{index}"
        _write(root / split / "images", root / split / "labels", name, index)
    (root / "predict/images/new").mkdir(parents=True)
    write_image(torch.zeros(3, 20, 20), root / "predict/images/new/9.png")
    return root


class _Task(LightningModule):
    """Learns a little; notes the batches."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Conv2d(3, 3, 1)

    def training_step(self, batch: Any, index: int) -> torch.Tensor:
        return nn.functional.cross_entropy(
            self.network(batch["input"]), batch["classes"], ignore_index=255
        )

    def validation_step(self, batch: Any, index: int) -> None:
        pass

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


class _Seen(Callback):
    """Notes the pixels and the classes of each training batch."""

    def __init__(self) -> None:
        self.batches: list[torch.Tensor] = []

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self.batches.append(torch.cat((batch["input"], batch["classes"][:, None]), 1))


def _ready(root: Path, stage: str = "fit", **options: Any) -> SegmentationDataModule:
    data = SegmentationDataModule(str(root), **{"size": 16, "batch_size": 2, **options})
    data.setup(stage)
    return data


def _names(data: SegmentationDataModule, split: str) -> list[str]:
    return ["/".join(path.with_suffix("").parts[-2:]) for path in data.dataset(split).files]


@pytest.mark.parametrize("view", ["zoom", "crop", "resize"])
def test_training_batches_are_squares_with_the_class_of_each_pixel(
    folders: Path, view: str
) -> None:
    augmentation = JointAugmentation(turn=True)
    loader = _ready(folders, view=view, augmentation=augmentation, repeat=3).train_dataloader()

    assert len(loader) == 6
    for batch in loader:
        assert batch.keys() == {"input", "classes", "path"}
        assert batch["input"].shape == (2, 3, 16, 16)
        assert batch["classes"].shape == (2, 16, 16)
        assert batch["classes"].dtype == torch.int64
        for image, classes in zip(batch["input"], batch["classes"], strict=True):
            dark = image[0][classes == 0]
            bright = image[0][(classes == 1) | (classes == 2)]
            if len(dark) and len(bright):
                assert bright.mean() > dark.mean() + 0.1


def test_whole_pictures_come_one_by_one_padded_to_a_multiple(folders: Path) -> None:
    data = _ready(folders, multiple_of=16)

    sizes = [tuple(batch["classes"].shape) for batch in data.test_dataloader()]
    ignored = [int((batch["classes"] == 255).sum()) for batch in data.test_dataloader()]

    assert _names(data, "test") == ["frogs/6", "frogs/8", "newts/7"]
    assert sizes == [(1, 32, 32)] * 3
    assert ignored == [1024 - 600, 1024 - 576, 1024 - 600]
    alone = _ready(folders).test_dataloader()
    assert [tuple(b["classes"].shape) for b in alone] == [(1, 20, 30), (1, 24, 24), (1, 30, 20)]


def test_only_training_is_augmented_weighed_and_repeated(folders: Path) -> None:
    class Weigh:
        def __call__(self, classes: torch.Tensor) -> torch.Tensor:
            return classes + 1.0

    options: dict[str, Any] = {"augmentation": JointAugmentation(), "border": Weigh(), "repeat": 5}
    data = _ready(folders, **options)

    assert len(data.dataset("train")) == 20
    batch = next(iter(data.train_dataloader()))
    assert torch.equal(batch["weights"], batch["classes"] + 1.0)
    for split in ("val", "test", "predict"):
        dataset = data.dataset(split)
        assert (dataset.augmentation, dataset.weigh, dataset.repeat) == (None, None, 1)
        assert dataset.look.view == "whole"


def test_prediction_needs_no_labels(folders: Path) -> None:
    data = _ready(folders, "predict")

    batches = list(data.predict_dataloader())

    assert [batch.keys() for batch in batches] == [{"input", "path"}]
    assert data.class_names == ("class_0", "class_1", "class_2")


def test_a_folder_to_predict_is_enough(folders: Path) -> None:
    root = folders / "alone"
    (root / "predict").mkdir(parents=True)
    (root / "train").mkdir()
    (folders / "predict/images").rename(root / "predict/images")

    assert len(list(_ready(root, "predict").predict_dataloader())) == 1


def test_classes_are_found_in_the_labels_or_told(folders: Path) -> None:
    found = _ready(folders)
    named = _ready(folders, names=["nothing", "newt", "frog"])
    told = _ready(folders, names=["a", "b", "c"], colours=[[0, 0, 0], [0, 127, 0], [127, 0, 0]])

    assert found.class_names == ("class_0", "class_1", "class_2")
    assert found.class_colours == named.class_colours == CLASSES.colours
    assert named.class_names == ("nothing", "newt", "frog")
    assert told.class_colours == ((0, 0, 0), (0, 127, 0), (127, 0, 0))
    assert (found.num_classes, named.num_classes) == (3, 3)
    swapped = torch.tensor([0, 2, 1])
    for one, other in zip(found.val_dataloader(), told.val_dataloader(), strict=True):
        assert torch.equal(swapped[one["classes"]], other["classes"])
    with pytest.raises(LabelError, match="a colour for each of a, b, got 3"):
        _ready(folders, names=["a", "b"])
    assert SegmentationDataModule(str(folders)).class_names == ()


def test_two_classes_need_one_logit(folders: Path) -> None:
    data = _ready(folders, kind="foreground")

    assert (data.class_names, data.num_classes) == (("background", "foreground"), 1)
    every = _ready(folders)
    for one, other in zip(data.val_dataloader(), every.val_dataloader(), strict=True):
        assert torch.equal(one["classes"], (other["classes"] > 0).long())
    named = _ready(folders, kind="foreground", names=["water", "animal"])
    assert named.class_names == ("water", "animal")


def test_a_colour_of_no_class_is_told_when_it_comes(folders: Path) -> None:
    data = _ready(folders, colours=[[0, 0, 0], [128, 0, 0]])

    with pytest.raises(LabelError, match=r"colour \(0, 128, 0\) at x 5, y 4 is of no class"):
        list(data.val_dataloader())


def test_a_seed_divides_pictures_of_folders_inside_with_their_labels(pond: Path) -> None:
    data = _ready(pond, test_fraction=0.2, val_fraction=0.1, split_seed=5)

    expected = split_files(pond / "images", 0.2, 0.1, 5, recursive=True)
    for split, files in expected.items():
        dataset = data.dataset(split)
        assert dataset.files == files
        labels = [str(path).replace("images", "labels").replace("bmp", "png") for path in files]
        assert split == "predict" or list(map(str, dataset.labels or [])) == labels
    assert len(expected["train"]) == 7


def test_each_fold_is_tested_once_and_has_its_share_of_each_folder(pond: Path) -> None:
    tested = []
    for fold in range(4):
        data = _ready(pond, folds=4, fold=fold)
        test = _names(data, "test")
        assert [name.split("/")[0] for name in test] == ["frogs", "newts", "newts"]
        assert _names(data, "val") == _names(data, "predict") == test
        assert sorted(test + _names(data, "train")) == sorted(
            [f"newts/{i}" for i in range(8)] + [f"frogs/{i}" for i in range(4)]
        )
        tested += test
    assert len(set(tested)) == 12


def test_another_fold_may_be_for_validation(pond: Path) -> None:
    data = _ready(pond, folds=4, fold=1, val_fold=3)

    assert _names(data, "val") == _names(_ready(pond, folds=4, fold=3), "test")
    assert len(_names(data, "train")) == 6
    assert not {*_names(data, "train")} & {*_names(data, "val"), *_names(data, "test")}


@pytest.mark.parametrize(("fold", "val_fold"), [(4, None), (-1, None), (0, 4)])
def test_folds_that_are_not_there_are_refused(pond: Path, fold: int, val_fold: int | None) -> None:
    with pytest.raises(ValueError, match="fold and val_fold must be 0 to 3"):
        SegmentationDataModule(str(pond), folds=4, fold=fold, val_fold=val_fold)


def test_splits_are_not_dealt_to_folds(folders: Path, pond: Path) -> None:
    with pytest.raises(ValueError, match=r"folders is divided already: expected images and labels"):
        _ready(folders, folds=2)
    with pytest.raises(ValueError, match="folds must be 2 to the 12 pictures there are, got 13"):
        _ready(pond, folds=13)
    with pytest.raises(ValueError, match="2 folds leave none for training: expected val_fold"):
        _ready(pond, folds=2, val_fold=1)
    with pytest.raises(ValueError, match="folds must be at least 2, or None to deal none, got 0"):
        _ready(pond, folds=0)


def test_a_picture_without_labels_is_named(pond: Path) -> None:
    (pond / "labels/frogs/2.png").unlink()

    with pytest.raises(ValueError, match=r"frogs/2\.bmp has no partner: .*labels lacks .*frogs/2"):
        _ready(pond)


def test_the_working_side_and_grey_reach_the_samples(pond: Path) -> None:
    data = _ready(pond, working_side=15, grey=True)

    sizes = {tuple(batch["input"].shape) for batch in data.val_dataloader()}

    assert data.working_side == 15
    assert sizes <= {(1, 1, 10, 15), (1, 1, 15, 10), (1, 1, 15, 15)}


def test_worker_processes_change_nothing(pond: Path, tmp_path: Path) -> None:
    augmentation = JointAugmentation(elastic=2, rotation=10, noise=0.1, paste=0.5)
    options = {"augmentation": augmentation, "cache": str(tmp_path / "cache")}
    alone = list(_ready(pond, **options).train_dataloader())

    helped = list(_ready(pond, num_workers=1, **options).train_dataloader())

    for one, other in zip(alone, helped, strict=True):
        assert one["path"] == other["path"]
        assert torch.equal(one["input"], other["input"])
        assert torch.equal(one["classes"], other["classes"])


def test_loading_leaves_the_global_random_state_alone(pond: Path) -> None:
    before = torch.get_rng_state()

    data = _ready(pond, augmentation=JointAugmentation(elastic=2, paste=0.5), folds=3)
    list(data.train_dataloader())
    list(data.val_dataloader())

    assert torch.equal(torch.get_rng_state(), before)


def test_a_resumed_run_goes_on_with_the_samples_that_come_next(
    pond: Path, tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    def data() -> SegmentationDataModule:
        augmentation = JointAugmentation(elastic=2, noise=0.1, paste=0.5)
        return SegmentationDataModule(
            str(pond), size=16, batch_size=3, folds=4, augmentation=augmentation
        )

    options: dict[str, Any] = {"limit_val_batches": 0}
    trainer = make_trainer(max_steps=2, **options)
    trainer.fit(_Task(), data())
    trainer.save_checkpoint(tmp_path / "two.ckpt")
    whole, rest = _Seen(), _Seen()
    make_trainer(max_steps=7, callbacks=[whole], **options).fit(_Task(), data())

    trainer = make_trainer(max_steps=7, callbacks=[rest], **options)
    trainer.fit(_Task(), data(), ckpt_path=tmp_path / "two.ckpt")

    assert len(whole.batches) == 7
    assert len(rest.batches) == 5
    assert all(map(torch.equal, rest.batches, whole.batches[2:]))


def test_a_run_is_kept_with_its_pictures_and_not_resumed_on_another_fold(
    pond: Path, tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    options: dict[str, Any] = {"size": 16, "batch_size": 3, "folds": 4}
    trainer = make_trainer(max_steps=1, limit_val_batches=0, logger=CSVLogger(tmp_path / "runs"))
    trainer.fit(_Task(), SegmentationDataModule(str(pond), **options))
    trainer.save_checkpoint(tmp_path / "one.ckpt")

    kept = json.loads((Path(trainer.log_dir or "") / "split.json").read_text())["splits"]
    names = [name for split in ("train", "test") for name in kept[split]]
    assert sorted(names) == sorted(path.relative_to(pond).as_posix() for path in pond.rglob("*.*"))
    with pytest.raises(ValueError, match="another split than this one"):
        make_trainer(max_steps=2, limit_val_batches=0).fit(
            _Task(),
            SegmentationDataModule(str(pond), **options, fold=1),
            ckpt_path=tmp_path / "one.ckpt",
        )


@pytest.mark.skipif("LIT_RESTORE_DATA" not in os.environ, reason="LIT_RESTORE_DATA is not set")
def test_published_newts_have_colours_of_128_where_notes_say_127() -> None:
    root = Path(os.environ["LIT_RESTORE_DATA"]) / "newts/train"
    names = ["background", "akahara", "madara"]
    told = [[0, 0, 0], [127, 0, 0], [0, 127, 0]]
    options: dict[str, Any] = {"labels": "seg_images", "names": names, "folds": 4, "size": 64}

    by_notes, by_files = _ready(root, colours=told, **options), _ready(root, **options)

    assert by_files.class_colours == ((0, 0, 0), (128, 0, 0), (0, 128, 0))
    for one, other in zip(by_notes.test_dataloader(), by_files.test_dataloader(), strict=True):
        assert torch.equal(one["classes"], other["classes"])
        assert set(one["classes"].unique().tolist()) == {0, 1 + ("madara" in one["path"][0])}
    with pytest.raises(LabelError, match=r"colour \(128, 0, 0\) at x \d+, y \d+ is of no class"):
        next(iter(_ready(root, colours=told, tolerance=0, **options).test_dataloader()))


def test_a_yaml_of_plain_values_makes_it(pond: Path, tmp_path: Path) -> None:
    text = f"""
    class_path: lit_restore.datamodules.SegmentationDataModule
    init_args:
      root: {pond}
      names: [background, newt, frog]
      colours: [[0, 0, 0], [128, 0, 0], [0, 128, 0]]
      ignore_colour: [224, 224, 192]
      size: 16
      batch_size: 2
      folds: 4
      border: {{class_path: lit_restore.data.BorderWeights, init_args: {{w0: 5.0}}}}
      augmentation:
        class_path: lit_restore.data.JointAugmentation
        init_args: {{zoom: [0.8, 1.25], elastic: 2.0, paste: 0.5}}
    """
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"data": yaml.safe_load(text)}))

    data: Any = LightningCLI(
        BoringModel,
        LightningDataModule,
        subclass_mode_data=True,
        save_config_callback=None,
        seed_everything_default=False,
        trainer_defaults={"accelerator": "cpu", "logger": False, "enable_progress_bar": False},
        args=["--config", str(tmp_path / "config.yaml")],
        run=False,
    ).datamodule

    data.setup("fit")
    assert data.class_names == ("background", "newt", "frog")
    assert data.augmentation.zoom == (0.8, 1.25)
    assert data.border.w0 == 5
    assert data.ignore_colour == (224, 224, 192)
    assert len(read_image(data.dataset("train").files[0])) == 3


def test_backgrounds_are_trained_on_and_nothing_else(pond: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backgrounds"
    folder.mkdir()
    with pytest.raises(ValueError, match="must hold pictures without any class"):
        _ready(pond, backgrounds=str(folder)).train_dataloader()
    write_image(torch.full((3, 20, 20), 255, dtype=torch.uint8), folder / "white.png")

    data = _ready(pond, backgrounds=str(folder), background_share=1.0)

    assert all(not batch["classes"].any() for batch in data.train_dataloader())
    assert any(batch["classes"].any() for batch in data.val_dataloader())
    assert all("white" not in name for name in _names(data, "train"))
