"""Tests of lit_restore.datamodules.classification."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import default_collate

from lit_restore.data import CutMix, Cutout, MixingCollate, Mixup, OneOf
from lit_restore.data.sampling import epoch_order
from lit_restore.data.split import split_files
from lit_restore.datamodules import ClassificationDataModule


@pytest.fixture
def classes(image_folder: Path, tmp_path: Path) -> Path:
    """Twelve pictures as two classes of six."""
    root = tmp_path / "classes"
    for index, path in enumerate(sorted(image_folder.glob("[01]*"))):
        folder = root / ("square" if index < 6 else "round")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / path.name).symlink_to(path)
    return root


def _ready(root: Path, stage: str = "fit", **options: Any) -> ClassificationDataModule:
    data = ClassificationDataModule(str(root), **{"size": 16, "batch_size": 4, **options})
    data.setup(stage)
    return data


def _files(loader: Any) -> list[Path]:
    return [Path(path) for batch in loader for path in batch["path"]]


def test_batches_are_pictures_and_classes(classes: Path) -> None:
    data = _ready(classes)

    batch = next(iter(data.train_dataloader()))

    assert data.class_names == ("round", "square")
    assert data.num_classes == 2
    assert set(batch) == {"input", "label", "path"}
    assert batch["input"].shape == (4, 3, 16, 16)
    assert batch["label"].dtype == torch.int64
    names = [data.class_names[label] for label in batch["label"]]
    assert names == [Path(path).parent.name for path in batch["path"]]


def test_every_split_has_its_share_of_each_class(classes: Path) -> None:
    data = _ready(classes, test_fraction=0.3, val_fraction=0.1, split_seed=3)

    for split, loader in (("val", data.val_dataloader()), ("test", data.test_dataloader())):
        expected = [
            path
            for name in data.class_names
            for path in split_files(classes / name, 0.3, 0.1, 3)[split]  # type: ignore[index]
        ]
        assert _files(loader) == expected


def test_prediction_has_no_classes(classes: Path) -> None:
    data = _ready(classes, "predict")

    (batch,) = data.predict_dataloader()

    assert set(batch) == {"input", "path"}
    assert [Path(path) for path in batch["path"]] == _files(data.test_dataloader())


@pytest.mark.parametrize("workers", [0, 2])
def test_training_batches_are_mixed_by_seed_and_others_are_not(classes: Path, workers: int) -> None:
    mix = [OneOf([CutMix(), Mixup(alpha=1.0)]), Cutout(3)]
    options: dict[str, Any] = {"flip": True, "repeat": 3, "seed": 5, "num_workers": workers}
    data = _ready(classes, mix=mix, **options)
    plain = _ready(classes, **options).dataset("train")

    batches = list(data.train_dataloader())

    order = epoch_order(len(plain), 5, 0)
    dataset = data.dataset("train")
    assert len(batches) == len(plain) // 4 > 2
    for place, batch in enumerate(batches):
        indices = order[4 * place : 4 * place + 4]
        unmixed = default_collate([plain[0, index] for index in indices])
        expected = MixingCollate(mix, 2)([dataset[0, index] for index in indices])
        assert set(batch) == {"input", "label", "path", "mixed_label"}
        assert torch.equal(batch["label"], unmixed["label"])
        assert batch["path"] == unmixed["path"]
        assert not torch.equal(batch["input"], unmixed["input"])
        assert torch.equal(batch["input"], expected["input"])
        assert torch.equal(batch["mixed_label"], expected["mixed_label"])
        assert batch["mixed_label"].shape == (4, 2)
    for loader in (data.val_dataloader(), data.test_dataloader()):
        assert all(set(batch) == {"input", "label", "path"} for batch in loader)


def test_epochs_are_mixed_differently(classes: Path) -> None:
    dataset = _ready(classes, mix=CutMix()).dataset("train")

    one, other = (
        MixingCollate([CutMix()], 2)([dataset[epoch, index] for index in range(4)])
        for epoch in range(2)
    )

    assert not torch.equal(one["input"], other["input"])


def test_measuring_sees_pictures_as_they_are(classes: Path) -> None:
    changed = _ready(classes, flip=True, brightness=0.2, jitter=20, mix=CutMix(), repeat=3)
    plain = _ready(classes)

    for one, other in zip(changed.test_dataloader(), plain.test_dataloader(), strict=True):
        assert torch.equal(one["input"], other["input"])
    assert len(changed.dataset("train")) == 3 * len(plain.dataset("train"))


def test_loading_leaves_the_global_random_state_alone(classes: Path) -> None:
    before = torch.get_rng_state()

    list(_ready(classes, mix=[CutMix(), Mixup()], brightness=0.2).train_dataloader())

    assert torch.equal(torch.get_rng_state(), before)


def test_pictures_of_one_are_not_mixed(classes: Path) -> None:
    with pytest.raises(ValueError, match="expected batch_size 2 or more, got 1"):
        _ready(classes, mix=Mixup(), batch_size=1)


def test_a_split_without_pictures_is_told(classes: Path) -> None:
    root = classes.parent / "splits"
    root.mkdir()
    classes.rename(root / "train")

    with pytest.raises(ValueError, match="has no pictures to test"):
        _ready(root).test_dataloader()
