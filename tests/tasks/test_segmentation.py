"""Tests of lit_restore.tasks.segmentation."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from lightning.pytorch import LightningDataModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lit_restore.callbacks import LabelWriter
from lit_restore.checkpoints import load_network
from lit_restore.data.classes import Classes
from lit_restore.data.label_images import read_classes
from lit_restore.models import ConvSegmenter, UNet
from lit_restore.nn import TTA
from lit_restore.tasks import SegmentationTask

MakeTrainer = Callable[..., Trainer]
Batch = dict[str, Any]
NAMES = ("background", "akahara", "madara")
COLOURS = ((0, 0, 0), (128, 0, 0), (0, 128, 0))


def _batch(seed: int = 0, size: tuple[int, int] = (12, 20), kinds: int = 3) -> Batch:
    """Pictures whose red, green and blue show the class, a little noisy."""
    generator = torch.Generator().manual_seed(seed)
    classes = torch.randint(kinds, (2, *size), generator=generator)
    shown = F.one_hot(classes, 3).permute(0, 3, 1, 2).float()
    image = (0.8 * shown + 0.2 * torch.rand(shown.shape, generator=generator)).clamp(0, 1)
    names = [f"{seed}_{index}.png" for index in range(2)]
    return {"input": image, "classes": classes, "path": names}


class _Data(LightningDataModule):
    """Batches, and what their classes are called."""

    def __init__(self, *batches: Batch, names: tuple[str, ...] | None = NAMES) -> None:
        super().__init__()
        self.batches = batches
        self.class_names = names
        self.class_colours = None if names is None else COLOURS[: len(names)]
        self.working_side = 20

    def _load(self) -> DataLoader[Any]:
        return DataLoader(self.batches, batch_size=None)  # type: ignore[arg-type]

    train_dataloader = val_dataloader = test_dataloader = predict_dataloader = _load


class _Table(nn.Module):
    """Logits that are the colours times a factor that is learned; scores no class but by colour."""

    def __init__(self, num_classes: int = 3, margin: int = 0) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(5.0))
        self.num_classes = num_classes
        self.margin = margin

    def forward(self, image: Tensor) -> Tensor:
        height, width = (side - 2 * self.margin for side in image.shape[-2:])
        cut = image[..., self.margin : self.margin + height, self.margin : self.margin + width]
        return self.factor * (cut[:, : self.num_classes] - 0.4)


def _test(
    trainer: Trainer, task: SegmentationTask, *batches: Batch, **about: Any
) -> dict[str, Any]:
    (measured,) = trainer.test(task, _Data(*batches, **about), verbose=False)
    return measured


def test_training_reduces_the_loss(make_trainer: MakeTrainer) -> None:
    torch.manual_seed(0)
    network = ConvSegmenter(num_classes=3, width=4, depth=1)
    task = SegmentationTask(network, optimizer=partial(torch.optim.Adam, lr=0.05))
    batch = _batch()
    before = task.terms(batch)["cross_entropy"].item()
    make_trainer(max_epochs=30).fit(task, _Data(batch))
    assert task.terms(batch)["cross_entropy"].item() < 0.3 * before


def test_all_figures_of_a_perfect_network_are_one(make_trainer: MakeTrainer) -> None:
    measured = _test(make_trainer(), SegmentationTask(_Table()), _batch(0), _batch(1))
    for name in ("miou", "pixel_accuracy", "dice", *(f"iou_{name}" for name in NAMES)):
        assert measured[f"test/{name}"] == 1


def test_pixels_of_255_do_not_count(make_trainer: MakeTrainer) -> None:
    batch = _batch()
    wrong = batch["classes"].clone()
    wrong[:, :6] = (wrong[:, :6] + 1) % 3
    ignored = wrong.clone()
    ignored[:, :6] = 255
    task = SegmentationTask(_Table())
    measured = [
        _test(make_trainer(), task, batch | {"classes": classes})["test/pixel_accuracy"]
        for classes in (wrong, ignored)
    ]
    assert measured == pytest.approx([0.5, 1.0])


def test_figures_are_of_all_pixels_of_all_batches_together(make_trainer: MakeTrainer) -> None:
    right, wrong = _batch(0, size=(12, 20)), _batch(1, size=(12, 4))
    wrong["classes"] = (wrong["classes"] + 1) % 3
    measured = _test(make_trainer(), SegmentationTask(_Table()), right, wrong)
    assert measured["test/pixel_accuracy"] == pytest.approx(20 / 24)


def test_validation_is_counted_anew_each_time(make_trainer: MakeTrainer) -> None:
    class Watched(SegmentationTask):
        def on_validation_epoch_end(self) -> None:
            seen.append(int(self.val_scores.confusion.sum()))
            super().on_validation_epoch_end()

    seen: list[int] = []
    make_trainer(max_epochs=3).fit(Watched(_Table()), _Data(_batch()))
    assert seen == [2 * 12 * 20] * 3


def test_a_network_of_one_class_decides_by_the_threshold(make_trainer: MakeTrainer) -> None:
    logits = torch.tensor([-2.0, 0.0, 2.0]).reshape(1, 1, 1, 3)
    chosen = [
        SegmentationTask(_Table(1), threshold=threshold).decide(logits).flatten().tolist()
        for threshold in (0.05, 0.5, 0.9)
    ]
    assert chosen == [[1, 1, 1], [0, 1, 1], [0, 0, 0]]


def test_a_network_of_one_class_is_measured_on_two(make_trainer: MakeTrainer) -> None:
    batch = _batch(kinds=2)
    batch["input"] = batch["input"].flip(1).roll(-1, 1)[:, [0, 0, 0]]  # bright where the class is 1
    names = ("background", "newt")
    measured = _test(make_trainer(), SegmentationTask(_Table(1)), batch, names=names)
    assert measured["test/iou_newt"] == measured["test/iou_background"] == 1


def test_a_margin_is_cut_off_the_truth_in_training_and_covered_in_measuring(
    make_trainer: MakeTrainer,
) -> None:
    task = SegmentationTask(_Table(margin=3))
    batch = _batch()
    inner = batch["input"][..., 3:-3, 3:-3], batch["classes"][:, 3:-3, 3:-3]
    expected = F.cross_entropy(5 * (inner[0] - 0.4), inner[1])
    assert task.terms(batch)["cross_entropy"].item() == pytest.approx(expected.item(), rel=1e-6)
    assert task(batch["input"]).shape == (2, 3, 12, 20)
    assert _test(make_trainer(), task, batch)["test/pixel_accuracy"] == 1


def test_weights_of_pixels_reach_the_loss() -> None:
    batch = _batch()
    weights = torch.zeros(2, 12, 20)
    weights[:, :, :5] = 2.0
    task = SegmentationTask(_Table())
    half = task.terms(batch | {"weights": weights})["cross_entropy"]
    whole = task.terms(batch)["cross_entropy"]
    assert not torch.isclose(half, whole)


def test_pictures_of_any_size_are_judged() -> None:
    network = UNet(num_classes=3, widths=(4, 4, 4))
    assert SegmentationTask(network)(torch.rand(1, 3, 13, 21)).shape == (1, 3, 13, 21)


def test_tta_is_measured_beside(make_trainer: MakeTrainer) -> None:
    class Left(nn.Module):
        num_classes = 1

        def forward(self, image: Tensor) -> Tensor:
            logits = image[:, :1] * 0 - 1
            logits[..., : image.shape[-1] // 2] = 3
            return logits

    task = SegmentationTask(Left(), tta=lambda network: TTA(network, "segmentation", "horizontal"))
    batch = _batch(kinds=2)
    batch["classes"][:] = 1
    measured = _test(make_trainer(), task, batch, names=("background", "newt"))
    assert measured["test/pixel_accuracy"] == 0.5  # half of it is 0.95 and half 0.27: mean 0.61
    assert measured["test/pixel_accuracy_tta"] == 1


def test_checkpoints_tell_names_colours_and_side(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    task = SegmentationTask(ConvSegmenter(num_classes=3, width=4, depth=1))
    trainer = make_trainer(max_steps=1)
    trainer.fit(task, _Data(_batch()))
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    network = load_network(tmp_path / "last.ckpt")
    told = network.class_names, network.class_colours, network.working_side
    assert told == (NAMES, COLOURS, 20)


def test_a_checkpoint_of_other_classes_is_refused(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    trainer = make_trainer(max_steps=1)
    trainer.fit(SegmentationTask(ConvSegmenter(num_classes=3, width=4, depth=1)), _Data(_batch()))
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    other = _Data(_batch(), names=("background", "cat", "dog"))
    task = SegmentationTask(ConvSegmenter(num_classes=3, width=4, depth=1))
    with pytest.raises(ValueError, match="learned the classes background, akahara, madara, got"):
        make_trainer().test(task, other, ckpt_path=tmp_path / "last.ckpt", weights_only=True)


@pytest.mark.parametrize(
    ("num_classes", "names", "expected"),
    [(2, NAMES, "num_classes 3, got 2"), (3, NAMES[:2], r"num_classes 1 \(a yes or no\), got 3")],
)
def test_another_number_of_classes_is_refused(
    num_classes: int, names: tuple[str, ...], expected: str, make_trainer: MakeTrainer
) -> None:
    with pytest.raises(ValueError, match=expected):
        _test(make_trainer(), SegmentationTask(_Table(num_classes)), _batch(), names=names)


def test_predictions_are_written_as_label_images(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    batch = _batch()
    trainer = make_trainer(callbacks=[LabelWriter(str(tmp_path / "out"))])
    trainer.predict(SegmentationTask(_Table()), _Data(batch), return_predictions=False)
    classes = Classes(NAMES, COLOURS)
    for name, expected in zip(batch["path"], batch["classes"], strict=True):
        assert torch.equal(read_classes(tmp_path / "out" / name, classes), expected)


def test_columns_show_picture_prediction_and_truth_in_the_classes_colours() -> None:
    task = SegmentationTask(_Table())
    task.network.class_colours = COLOURS
    batch = _batch()
    batch["classes"][0, 0, 0] = 255
    image, found, truth = task.image_columns(batch)
    assert image.shape == found.shape == truth.shape == (2, 3, 12, 20)
    assert torch.equal(truth[0, :, 0, 0], torch.full((3,), 128 / 255))
    assert torch.equal(found[1], truth[1])
    assert set(truth[1].unique().tolist()) == {0.0, torch.tensor(128 / 255).item()}
