"""Tests of lit_restore.callbacks.image_writer."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn

from lit_restore.callbacks import ImageWriter
from lit_restore.data import Mosaic, list_images, read_image
from lit_restore.datamodules import RestorationDataModule
from lit_restore.tasks import RestorationTask

MakeTrainer = Callable[..., Trainer]


class _Invert(nn.Module):
    """Turns light into dark."""

    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor:
        return (1 - image).to(self.dtype)


@pytest.fixture
def root(image_folder: Path, tmp_path: Path) -> Path:
    """A folder with ``train``, and five pictures in ``predict``."""
    root = tmp_path / "root"
    for split in ("train", "predict"):
        (root / split).mkdir(parents=True)
        for path in list_images(image_folder)[:5]:
            shutil.copy(path, root / split)
    return root


def _data(root: Path) -> RestorationDataModule:
    return RestorationDataModule(
        str(root), Mosaic(4), 8, eval_view="whole", batch_size=2, degrade_predict=False
    )


def _predict(trainer: Trainer, root: Path, network: nn.Module | None = None) -> None:
    trainer.predict(RestorationTask(network or _Invert()), _data(root), return_predictions=False)


def test_each_picture_is_written_under_its_own_name_and_at_its_size(
    root: Path, tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    out = tmp_path / "made" / "out"

    _predict(make_trainer(callbacks=[ImageWriter(str(out))]), root)

    sources = list_images(root / "predict")
    assert sorted(path.name for path in out.iterdir()) == [f"{p.stem}.png" for p in sources]
    for source in sources:
        clean = read_image(source)
        clean = clean[:, : clean.shape[1] // 8 * 8, : clean.shape[2] // 8 * 8]
        assert torch.equal(read_image(out / f"{source.stem}.png"), 255 - clean)


def test_the_folder_is_beside_the_logs_unless_given(
    root: Path, tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    logger = CSVLogger(tmp_path / "runs", "logs")

    _predict(make_trainer(callbacks=[ImageWriter()], logger=logger), root)

    assert len(list((Path(logger.log_dir) / "predictions").glob("*.png"))) == 5


def test_without_logs_it_is_in_the_trainers_folder(
    root: Path, tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    _predict(make_trainer(callbacks=[ImageWriter()], default_root_dir=tmp_path / "here"), root)

    assert len(list((tmp_path / "here" / "predictions").glob("*.png"))) == 5


def test_a_prediction_of_half_precision_is_written(
    root: Path, tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    trainer = make_trainer(callbacks=[ImageWriter(str(tmp_path / "out"))])

    _predict(trainer, root, _Invert(torch.bfloat16))

    written = read_image(tmp_path / "out" / "00.png").int()
    clean = read_image(root / "predict" / "00.png").int()
    assert (written - (255 - clean)).abs().max() <= 1  # 8 bits of mantissa: 1/256 at most


def test_two_pictures_that_would_be_written_under_one_name_are_refused(
    root: Path, tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    shutil.copy(root / "predict" / "02.jpg", root / "predict" / "00.jpg")
    out = tmp_path / "out"

    with pytest.raises(ValueError, match=r"00\.jpg and .*00\.png would both be written as 00\.png"):
        _predict(make_trainer(callbacks=[ImageWriter(str(out))]), root)


def test_a_second_prediction_replaces_the_first(
    root: Path, tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    trainer = make_trainer(callbacks=[ImageWriter(str(tmp_path / "out"))])
    _predict(trainer, root, nn.Identity())

    moved = root.rename(tmp_path / "moved")  # the same names in another folder
    _predict(trainer, moved)

    clean = read_image(moved / "predict" / "00.png")
    assert torch.equal(read_image(tmp_path / "out" / "00.png"), 255 - clean)
