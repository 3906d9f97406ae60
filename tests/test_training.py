"""Tests of lit_restore.training: whose errors are told in one line, and whose show their trace."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from lit_restore import training
from lit_restore.data import LabelError, Mosaic, make_classes, read_classes
from lit_restore.losses import PerceptualLoss


def ours() -> NoReturn:
    Mosaic(block=0)
    raise AssertionError


def wrapped() -> NoReturn:
    """As the parser does with what a constructor refuses."""
    try:
        ours()
    except ValueError as error:
        raise ValueError("sixty lines\n" * 60) from error


def missing() -> NoReturn:
    open("/nowhere/at/all")  # noqa: SIM115
    raise AssertionError


def other_rates() -> NoReturn:
    """As a run does that is resumed with other ``rate_scales``."""
    one, other = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    state = torch.optim.SGD([one, other], lr=1.0).state_dict()
    torch.optim.SGD([{"params": one}, {"params": other}], lr=1.0).load_state_dict(state)
    raise AssertionError


def theirs() -> NoReturn:
    int("x")
    raise AssertionError


def theirs_wrapped() -> NoReturn:
    raise ValueError("something") from KeyError("never raised")


def run(monkeypatch: pytest.MonkeyPatch, action: Any) -> int:
    monkeypatch.setattr(training, "_CommandLine", lambda *_, **__: action())
    return training.main(["fit"])


@pytest.mark.parametrize(
    ("action", "line"),
    [(ours, "block must be at least 1 pixel, got 0"),
     (wrapped, "block must be at least 1 pixel, got 0"),
     (other_rates, "the checkpoint has other rate_scales than the config"),
     (missing, "[Errno 2] No such file or directory: '/nowhere/at/all'")],
)  # fmt: skip
def test_what_the_user_gave_wrong_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], action: Any, line: str
) -> None:
    assert run(monkeypatch, action) == 2
    assert capsys.readouterr().err == f"lit-restore fit: {line}\n"


def test_weights_that_are_not_to_be_had_end_in_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(monkeypatch, lambda: PerceptualLoss(16, weights="nowhere.pth"))
    assert code == 3
    assert capsys.readouterr().err.startswith("lit-restore fit: nowhere.pth: cannot be read")


def test_weights_to_begin_with_that_are_missing_end_in_3(
    image_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert fit(image_folder, "--model.initial_weights=nowhere", "--trainer.max_steps=1") == 3
    line = "lit-restore fit: nowhere: there is no such file; shipped are mosaic_unet"
    assert capsys.readouterr().err.splitlines()[-1].startswith(line)


@pytest.mark.parametrize("action", [theirs, theirs_wrapped])
def test_a_defect_shows_its_trace(monkeypatch: pytest.MonkeyPatch, action: Any) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|something"):
        run(monkeypatch, action)


def test_advertisements_are_left_out_and_news_is_not(caplog: pytest.LogCaptureFixture) -> None:
    training.quieten()
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    with caplog.at_level(logging.INFO, logger=logger.name):
        logger.info("Tip: try installing litlogger")
        logger.info("GPU available: False")
    assert [record.getMessage() for record in caplog.records] == ["GPU available: False"]


CONFIG = Path(__file__).parents[1] / "configs" / "mosaic_unet.yaml"
SMALL = [
    "--data.size=32",
    "--data.batch_size=2",
    "--model.network.widths=[4,8]",
    "--trainer.accelerator=cpu",
    "--trainer.enable_progress_bar=false",
    "--trainer.enable_model_summary=false",
]


def fit(pictures: Path, *options: str, config: Path = CONFIG) -> int:
    """Train as the shipped config does, in the current folder, but small."""
    data = [f"--data.root={pictures}", "--data.num_workers=0"]
    return training.main(["fit", f"--config={config}", *data, *SMALL, *options])


def saved() -> dict[str, Any]:
    return torch.load(Path("runs/mosaic_unet/last.ckpt"), weights_only=True)


def test_the_last_step_is_saved_and_the_schedule_ends_with_it(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert fit(image_folder, "--trainer.max_steps=3") == 0

    assert saved()["global_step"] == 3
    assert saved()["lr_schedulers"][0]["total_steps"] == 3


def test_a_resumed_run_may_be_longer_than_it_was_to_be(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert fit(image_folder, "--trainer.max_steps=1") == 0

    resumed = "--ckpt_path=runs/mosaic_unet/last.ckpt"
    assert fit(image_folder, "--trainer.max_steps=6", resumed) == 0

    assert saved()["global_step"] == 6
    assert saved()["lr_schedulers"][0]["total_steps"] == 6


def test_a_checkpoint_of_another_network_is_refused_in_one_line(
    image_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert fit(image_folder, "--trainer.max_steps=1") == 0
    capsys.readouterr()

    options = ["--ckpt_path=runs/mosaic_unet/last.ckpt", "--model.network.widths=[6,8]"]
    assert fit(image_folder, "--trainer.max_steps=2", *options) == 2

    assert "the checkpoint is of another network than the config's" in capsys.readouterr().err


def test_a_run_that_fails_with_workers_ends(image_folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "bad.yaml"
    text = CONFIG.read_text().replace("monitor: val/psnr", "monitor: val_psnr")
    config.write_text(text.replace("check_val_every_n_epoch: 5", "check_val_every_n_epoch: 1"))
    command = [sys.executable, "-m", "lit_restore", "fit", f"--config={config}", *SMALL]
    options = [f"--data.root={image_folder}", "--data.repeat=1", "--data.num_workers=2"]

    done = subprocess.run(
        [*command, *options], cwd=tmp_path, capture_output=True, text=True, timeout=100
    )

    assert done.returncode == 2
    assert "val_psnr" in done.stderr.splitlines()[-1]


def test_two_processes_train_by_the_shipped_config(image_folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lit_restore", "fit", f"--config={CONFIG}", *SMALL]
    options = [f"--data.root={image_folder}", "--data.num_workers=0", "--trainer.max_steps=3"]
    ddp = ["--trainer.devices=2", "--trainer.strategy=ddp", "--trainer.check_val_every_n_epoch=1"]

    done = subprocess.run(
        [*command, *options, *ddp, "--data.repeat=1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=150,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )

    assert done.returncode == 0, done.stderr
    path = tmp_path / "runs/mosaic_unet/last.ckpt"
    assert torch.load(path, weights_only=True)["global_step"] == 3
    assert list((tmp_path / "runs").rglob("images/step_*.png"))


class _Labels(Dataset[Any]):
    """A label image with a colour that no class has."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Any:
        return read_classes(self.path, make_classes(["no", "yes"]))


def test_what_a_loaders_process_refused_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "label.png"
    Image.new("RGB", (4, 4), (1, 2, 3)).save(path)
    with pytest.raises(LabelError) as raised:
        list(DataLoader(_Labels(path), num_workers=1))
    complaint = training._complaint(raised.value)
    assert str(complaint).startswith(f"{path}: colour (1, 2, 3) at x 0, y 0 is of no class")
    assert "\n" not in str(complaint)


class _Defect(_Labels):
    """Something that no code of ours refuses."""

    def __getitem__(self, index: int) -> Any:
        raise TypeError("no such thing")


def test_a_defect_in_a_loaders_process_shows_its_trace() -> None:
    with pytest.raises(TypeError) as raised:
        list(DataLoader(_Defect(Path()), num_workers=1))
    assert training._complaint(raised.value) is None
