"""Tests of lit_restore.callbacks.image_logger."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import CSVLogger, Logger
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lit_restore.callbacks import ImageLogger
from lit_restore.callbacks.image_logger import picture_grid
from lit_restore.data import read_image
from lit_restore.tasks import RestorationTask

MakeTrainer = Callable[..., Trainer]


class _Invert(nn.Module):
    """Turns light into dark, times a number that is learned."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))

    def forward(self, image: Tensor) -> Tensor:
        return (1 - image) * self.factor


class _Experiment:
    """Takes images as TensorBoard's writer does."""

    def __init__(self) -> None:
        self.images: list[tuple[str, Tensor, int]] = []

    def add_image(self, name: str, image: Tensor, step: int) -> None:
        self.images.append((name, image, step))


class _ImageTakingLogger(Logger):
    """A logger of nothing but images."""

    name = version = "taking"

    def __init__(self) -> None:
        super().__init__()
        self.experiment = _Experiment()

    def log_metrics(self, metrics: Any, step: int | None = None) -> None: ...

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None: ...


def _levels(value: float, count: int = 3) -> Tensor:
    """Pictures of one grey each: ``value``, and a tenth more from each to the next."""
    return torch.stack([torch.full((3, 12, 16), value + index / 10) for index in range(count)])


def _loader(count: int = 3, batches: int = 2) -> DataLoader[Any]:
    batch = {"input": _levels(0.2, count), "target": _levels(0.6, count), "path": ["x"] * count}
    return DataLoader([batch] * batches, batch_size=None)  # type: ignore[arg-type]


def _fit(trainer: Trainer) -> None:
    torch.manual_seed(0)
    task = RestorationTask(_Invert(), optimizer=lambda p: torch.optim.SGD(p, lr=0))
    trainer.fit(task, _loader(), _loader())


def test_a_grid_has_a_row_per_picture_and_a_column_per_batch() -> None:
    columns = [torch.rand(2, 3, 4, 6) for _ in range(3)]

    grid = picture_grid(*columns)

    assert grid.shape == (3, 8, 18)
    for row in range(2):
        for column in range(3):
            part = grid[:, 4 * row : 4 * row + 4, 6 * column : 6 * column + 6]
            assert torch.equal(part, columns[column][row])


def test_a_grid_has_as_many_rows_as_its_shortest_batch() -> None:
    assert picture_grid(torch.rand(2, 3, 4, 4), torch.rand(5, 3, 4, 4)).shape == (3, 8, 8)


def test_a_grid_is_clipped_to_unit_range() -> None:
    grid = picture_grid(torch.full((1, 3, 2, 2), -0.5), torch.full((1, 3, 2, 2), 1.5))

    assert grid.unique().tolist() == [0, 1]


def test_smaller_pictures_are_enlarged_to_the_last_ones_size_by_whole_pixels() -> None:
    small = torch.rand(1, 3, 2, 3)

    grid = picture_grid(small, torch.zeros(1, 3, 8, 12))

    assert torch.equal(grid[:, :, :12], small[0].repeat_interleave(4, 1).repeat_interleave(4, 2))


def test_input_prediction_and_target_of_the_first_pictures_are_written(
    tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    logger = CSVLogger(tmp_path, "logs")
    trainer = make_trainer(max_epochs=1, logger=logger, callbacks=[ImageLogger(count=2)])

    _fit(trainer)

    files = list((Path(logger.log_dir) / "images").iterdir())
    assert [path.name for path in files] == ["step_000002.png"]
    picture = read_image(files[0])
    assert picture.shape == (3, 2 * 12, 3 * 16)
    centres = picture[0, 6::12, 8::16] / 255  # a row per picture: input, 1 - input, target
    expected = torch.tensor([[0.2, 0.8, 0.6], [0.3, 0.7, 0.7]])
    torch.testing.assert_close(centres, expected, rtol=0, atol=0.5 / 255 + 1e-6)


def test_no_more_is_shown_than_the_batch_has(tmp_path: Path, make_trainer: MakeTrainer) -> None:
    logger = CSVLogger(tmp_path, "logs")

    _fit(make_trainer(max_epochs=1, logger=logger, callbacks=[ImageLogger(count=9)]))

    (path,) = (Path(logger.log_dir) / "images").iterdir()
    assert read_image(path).shape == (3, 3 * 12, 3 * 16)


@pytest.mark.parametrize(("every", "steps"), [(1, [2, 4, 6, 8]), (2, [2, 6]), (3, [2, 8])])
def test_it_shows_every_so_many_validations(
    tmp_path: Path, make_trainer: MakeTrainer, every: int, steps: list[int]
) -> None:
    logger = CSVLogger(tmp_path, "logs")

    callbacks = [ImageLogger(every_n_validations=every)]
    _fit(make_trainer(max_epochs=4, logger=logger, callbacks=callbacks))

    names = sorted(path.name for path in (Path(logger.log_dir) / "images").iterdir())
    assert names == [f"step_{step:06}.png" for step in steps]


def test_it_shows_rare_validations_whatever_their_epochs(
    tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    logger = CSVLogger(tmp_path, "logs")

    _fit(
        make_trainer(
            max_epochs=4, logger=logger, callbacks=[ImageLogger()], check_val_every_n_epoch=2
        )
    )

    names = sorted(path.name for path in (Path(logger.log_dir) / "images").iterdir())
    assert names == ["step_000004.png", "step_000008.png"]


def test_the_check_before_training_is_not_shown(tmp_path: Path, make_trainer: MakeTrainer) -> None:
    logger = CSVLogger(tmp_path, "logs")
    options = {"max_steps": 1, "limit_train_batches": 1, "val_check_interval": 1}

    _fit(make_trainer(num_sanity_val_steps=1, logger=logger, callbacks=[ImageLogger()], **options))

    names = [path.name for path in (Path(logger.log_dir) / "images").iterdir()]
    assert names == ["step_000001.png"]


def test_a_logger_that_takes_images_gets_them(make_trainer: MakeTrainer) -> None:
    logger = _ImageTakingLogger()

    _fit(make_trainer(max_epochs=1, logger=logger, callbacks=[ImageLogger(count=1)]))

    ((name, image, step),) = logger.experiment.images
    assert (name, step) == ("val/images", 2)
    assert image.shape == (3, 12, 48)
    assert image.device.type == "cpu"


def test_without_a_logger_pictures_are_in_the_trainers_folder(
    tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    _fit(make_trainer(max_epochs=1, callbacks=[ImageLogger()], default_root_dir=tmp_path / "here"))

    assert [path.name for path in (tmp_path / "here" / "images").iterdir()] == ["step_000002.png"]
