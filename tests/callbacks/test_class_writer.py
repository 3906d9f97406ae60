"""Tests of lit_restore.callbacks.class_writer."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor
from torch.utils.data import DataLoader

from lit_restore.callbacks import ClassWriter
from lit_restore.callbacks.class_writer import Row, _of_all_processes

MakeTrainer = Callable[..., Trainer]
ROWS = torch.tensor([[0.25, 0.5, 0.25], [0.7, 0.1, 0.2], [0.1, 0.2, 0.7]])


class _Predictor(LightningModule):
    """Gives what the batch says."""

    class_names: tuple[str, ...] | None = ("cat", "dog, big", "owl")

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        return batch["rows"]


def _loader() -> DataLoader[Any]:
    batches = [
        {"rows": ROWS[:2], "path": ["b/1.png", "a/2.png"]},
        {"rows": ROWS[2:], "path": ["c/3.png"]},
    ]
    return DataLoader(batches, batch_size=None)  # type: ignore[arg-type]


def _table(folder: Path) -> list[list[str]]:
    with (folder / "predictions.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_a_table_tells_every_pictures_class(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    trainer = make_trainer(callbacks=[ClassWriter(str(tmp_path / "new" / "out"))])

    for _ in range(2):  # the second prediction replaces the first
        trainer.predict(_Predictor(), _loader())

    assert _table(tmp_path / "new" / "out") == [
        ["path", "class", "probability_cat", "probability_dog, big", "probability_owl"],
        ["b/1.png", "dog, big", "0.250000", "0.500000", "0.250000"],
        ["a/2.png", "cat", "0.700000", "0.100000", "0.200000"],
        ["c/3.png", "owl", "0.100000", "0.200000", "0.700000"],
    ]
    assert [path.name for path in (tmp_path / "new" / "out").iterdir()] == ["predictions.csv"]


def test_classes_without_names_have_numbers(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    task = _Predictor()
    task.class_names = None

    make_trainer(callbacks=[ClassWriter()]).predict(task, _loader())

    header, first, *_ = _table(tmp_path)
    assert header == ["path", "class", "probability_0", "probability_1", "probability_2"]
    assert first[1] == "1"


def test_a_prediction_that_fails_leaves_the_table_as_it_was(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    (tmp_path / "predictions.csv").write_text("earlier")

    class _Fails(_Predictor):
        def predict_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
            if batch_idx:
                raise RuntimeError("no more")
            return super().predict_step(batch, batch_idx)

    with pytest.raises(RuntimeError, match="no more"):
        make_trainer(callbacks=[ClassWriter(str(tmp_path))]).predict(_Fails(), _loader())

    assert (tmp_path / "predictions.csv").read_text() == "earlier"


def test_processes_that_took_turns_make_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[Row] = [(f"{index}.png", [0.5, 0.5]) for index in range(5)]

    def gather(parts: list[list[Row]], mine: list[Row]) -> None:
        assert mine == rows[0::2]
        parts[:] = [mine, rows[1::2]]

    monkeypatch.setattr(torch.distributed, "all_gather_object", gather)

    assert _of_all_processes(rows[0::2], 2) == rows
    assert _of_all_processes(rows, 1) == rows
