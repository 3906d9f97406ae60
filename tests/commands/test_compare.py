"""Tests of lit_restore.commands.compare."""

import csv
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from lit_restore.commands import compare
from lit_restore.commands._compare_process import STOPPED, Processes

CONFIG = Path(__file__).parents[2] / "configs" / "mosaic_unet.yaml"
BASE: dict[str, Any] = {
    "seed_everything": 0,
    "model": {"class_path": "Task", "init_args": {"gain": 0.0}},
    "data": {"class_path": "Data", "init_args": {"mix": None}},
    "trainer": {"max_epochs": 3, "callbacks": [{"class_path": "x.ModelCheckpoint"}]},
}
EXPERIMENT: dict[str, Any] = {
    "config": "base.yaml",
    "seeds": 3,
    "figures": ["test/accuracy", "test/loss"],
    "arms": {"plain": {}, "Cut & Mix": {"model.gain": 0.1}},
}


class Trainer:
    """Stands for ``fit`` and ``test``: logs what the config says, and takes no time."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.broken: dict[str, int] = {}
        self.stopped = False

    def __call__(self, words: Sequence[str], log: Path) -> int:
        options = dict(word.removeprefix("--").split("=", 1) for word in words[1:])
        config = yaml.safe_load(Path(options["config"]).read_text())
        folder = Path(config["trainer"]["logger"]["init_args"]["save_dir"])
        self.calls.append((f"{folder.parent.name}/{folder.name}", " ".join([words[0], *options])))
        if (status := self.broken.get(f"{words[0]} {folder.parent.name}", 0)) != 0:
            log.write_text(f"much\nlit-restore {words[0]}: it broke\n")
            return status
        seed, gain = config["seed_everything"], config["model"]["init_args"]["gain"]
        value = 0.5 + gain + 0.01 * seed + gain * 0.1 * seed
        lines = [f"{epoch},{epoch * 4 + 3},{value * (epoch + 1) / 4}" for epoch in range(3)]
        text = "epoch,step,val/accuracy\n" + "\n".join(lines)
        if words[0] == "fit":
            (folder / "last.ckpt").touch()
        else:
            assert Path(options["ckpt_path"]).exists()
            text = f"epoch,step,test/accuracy,test/loss\n0,0,{value},{100 * value}"
        version = folder / "logs" / f"version_{len(list(folder.glob('logs/*')))}"
        version.mkdir(parents=True)
        (version / "metrics.csv").write_text(text + "\n")
        return 0

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def trainer() -> Trainer:
    return Trainer()


def write(folder: Path, experiment: dict[str, Any], base: Any = BASE) -> Path:
    (folder / "base.yaml").write_text(yaml.safe_dump(base))
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump(experiment, sort_keys=False))
    return path


def run(folder: Path, trainer: Any, *options: str, **changes: Any) -> int:
    path = write(folder, {**EXPERIMENT, **changes})
    return compare.main([str(path), "--out", str(folder / "out"), *options], trainer)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_arm_gets_every_seed_and_the_folder_all_results(
    tmp_path: Path, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, trainer) == 0

    out = tmp_path / "out"
    assert trainer.calls[:4] == [
        ("plain/seed_0", "fit config"), ("plain/seed_0", "test config ckpt_path"),
        ("Cut_Mix/seed_0", "fit config"), ("Cut_Mix/seed_0", "test config ckpt_path"),
    ]  # fmt: skip
    assert len(trainer.calls) == 12
    rows = {(row["arm"], row["figure"]): row for row in read_csv(out / "table.csv")}
    mixed = rows["Cut & Mix", "test/accuracy"]
    assert float(mixed["mean"]) == pytest.approx(0.62)
    assert float(mixed["deviation"]) == pytest.approx(0.02)
    assert float(mixed["difference"]) == pytest.approx(0.11)
    assert rows["plain", "test/accuracy"]["difference"] == ""
    assert [row["test/loss"] for row in read_csv(out / "runs.csv")][:2] == ["50.0", "60.0"]
    captured = capsys.readouterr()
    assert captured.out == (out / "table.md").read_text()
    assert "| plain | 3 | 0.5100 ± 0.0100 (0.5000 to 0.5200) |  | 51.00 ± 1.00 " in captured.out
    assert "| +0.1100 ± 0.0058 |" in captured.out
    assert "6/6 Cut & Mix, seed 2: test/accuracy 0.64, test/loss 64 (0 s)" in captured.err


def test_the_curves_are_drawn_and_written_against_epochs_done(
    tmp_path: Path, trainer: Trainer
) -> None:
    assert run(tmp_path, trainer, curve="val/accuracy") == 0

    rows = read_csv(tmp_path / "out" / "curves.csv")
    assert len(rows) == 2 * 3 * 3
    assert rows[2] == {
        "arm": "plain", "seed": "0", "epochs": "3", "steps": "12", "value": "0.375"
    }  # fmt: skip
    with Image.open(tmp_path / "out" / "curves.png") as picture:
        assert len(picture.convert("RGB").resize((300, 200)).getcolors(60000) or []) > 20


def test_without_a_curve_nothing_is_drawn_and_matplotlib_not_needed(
    tmp_path: Path, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "can_draw", lambda: False)

    assert run(tmp_path, trainer, "--seeds", "1", curve=None) == 0

    assert not list((tmp_path / "out").glob("curves*"))


def test_without_matplotlib_the_extra_is_named_before_any_training(
    tmp_path: Path,
    trainer: Trainer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    assert run(tmp_path, trainer, curve="val/accuracy") == 3

    assert "lit-restore[compare]" in capsys.readouterr().err
    assert trainer.calls == []


def test_finished_runs_are_skipped(tmp_path: Path, trainer: Trainer) -> None:
    assert run(tmp_path, trainer, "--seeds", "1") == 0
    first = list(trainer.calls)

    assert run(tmp_path, trainer, "--seeds", "2") == 0

    later = trainer.calls[len(first) :]
    assert {folder for folder, _ in later} == {"plain/seed_1", "Cut_Mix/seed_1"}
    assert {row["n"] for row in read_csv(tmp_path / "out" / "table.csv")} == {"2"}


def test_another_figure_or_curve_needs_no_run(tmp_path: Path, trainer: Trainer) -> None:
    assert run(tmp_path, trainer) == 0
    count = len(trainer.calls)

    assert run(tmp_path, trainer, figures=["test/loss"], curve="val/accuracy") == 0

    assert len(trainer.calls) == count
    assert {row["figure"] for row in read_csv(tmp_path / "out" / "table.csv")} == {"test/loss"}


def test_a_run_that_was_cut_goes_on_and_one_that_was_trained_is_only_tested(
    tmp_path: Path, trainer: Trainer
) -> None:
    trainer.broken = {"test plain": 143, "fit Cut_Mix": -9}
    assert run(tmp_path, trainer, "--seeds", "1") == 1
    (tmp_path / "out" / "runs" / "Cut_Mix" / "seed_0" / "last.ckpt").touch()
    trainer.broken, trainer.calls = {}, []

    assert run(tmp_path, trainer, "--seeds", "1") == 0

    assert trainer.calls == [
        ("plain/seed_0", "test config ckpt_path"),
        ("Cut_Mix/seed_0", "fit config ckpt_path"),
        ("Cut_Mix/seed_0", "test config ckpt_path"),
    ]


def test_a_failing_arm_is_told_and_leaves_the_others_alone(
    tmp_path: Path, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer.broken = {"fit plain": 2}

    assert run(tmp_path, trainer) == 1

    captured = capsys.readouterr()
    told = "1/6 plain, seed 0: failed: fit ended with status 2: lit-restore fit: it broke ("
    assert told in captured.err
    assert "| Cut & Mix | 3 |" in captured.out
    assert "Not finished: plain, seed 0; plain, seed 1; plain, seed 2." in captured.out


def test_a_killed_run_is_told_as_such(
    tmp_path: Path, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer.broken = {"test plain": -9}
    assert run(tmp_path, trainer, "--arms", "plain", "--seeds", "1") == 1
    captured = capsys.readouterr()
    assert "test was killed by signal 9" in captured.err
    assert captured.out == "no figure is known yet\n"


def test_other_options_are_refused_by_name_until_overwrite_is_given(
    tmp_path: Path, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, trainer) == 0
    count = len(trainer.calls)

    with pytest.raises(SystemExit) as stop:
        run(tmp_path, trainer, "--set", "trainer.max_epochs=9")

    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert "was made with other options: trainer.max_epochs; --overwrite begins it" in message
    assert len(trainer.calls) == count
    options = ("--set", "trainer.max_epochs=9", "--arms", "plain", "--overwrite")
    assert run(tmp_path, trainer, *options) == 0
    assert len(trainer.calls) == count + 6
    table = capsys.readouterr().out
    assert "Left out, since made with other options: Cut & Mix, seed 0;" in table
    assert "| Cut & Mix |" not in table


def test_an_interruption_stops_what_runs_and_keeps_what_is_done(
    tmp_path: Path, trainer: Trainer
) -> None:
    real = Trainer.__call__

    def interrupted(self: Trainer, words: Sequence[str], log: Path) -> int:
        if len(self.calls) == 4:
            raise KeyboardInterrupt
        return real(self, words, log)

    class Interrupted(Trainer):
        __call__ = interrupted

    trainer = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, trainer)

    assert trainer.stopped
    assert len(trainer.calls) == 4
    assert {row["n"] for row in read_csv(tmp_path / "out" / "table.csv")} == {"1"}


def test_a_seed_sets_what_the_experiment_says(tmp_path: Path, trainer: Trainer) -> None:
    keys = ["seed_everything", "data.split_seed"]
    assert run(tmp_path, trainer, seeds=[7], seeded=keys) == 0

    path = tmp_path / "out" / "runs" / "Cut_Mix" / "seed_7" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    assert config["seed_everything"] == 7
    assert config["data"]["init_args"] == {"mix": None, "split_seed": 7}
    assert config["model"]["init_args"]["gain"] == 0.1


def test_json_tells_rows_and_runs(
    tmp_path: Path, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, trainer, "--json", "--seeds", "1") == 0

    document = json.loads(capsys.readouterr().out)
    assert document["rows"][1]["mean"] == pytest.approx(0.6)
    assert document["rows"][1]["deviation"] is None
    assert document["runs"][1]["arm"] == "Cut & Mix"
    assert document["runs"][1]["figures"]["test/loss"] == pytest.approx(60)
    assert document["failures"] == []


def test_a_name_that_is_not_logged_is_told_with_those_that_are(
    tmp_path: Path, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    changes: dict[str, Any] = {"figures": ["test/acuracy"], "curve": "val/acc"}
    for _ in range(2):  # finished runs are no excuse
        assert run(tmp_path, trainer, "--seeds", "1", **changes) == 1
        message = capsys.readouterr().err
        assert "test/acuracy was not logged, but test/accuracy, test/loss, by plain" in message
        assert "val/acc was not logged, but val/accuracy, by plain, seed 0; Cut" in message
    assert run(tmp_path, trainer, "--seeds", "1") == 0


def test_a_missing_checkpoint_is_told_with_those_that_are_there(
    tmp_path: Path, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, trainer, "--seeds", "1", checkpoint="best") == 1
    told = "expected the checkpoint best.ckpt, there is last.ckpt"
    assert told in capsys.readouterr().err
    assert run(tmp_path, trainer, "--seeds", "1", checkpoint="last") == 0
    assert [words.split()[0] for _, words in trainer.calls] == ["fit", "fit", "test", "test"]


def test_unlike_divisions_of_the_pictures_are_told(
    tmp_path: Path, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, trainer, "--seeds", "2") == 0
    assert "division of the pictures." not in capsys.readouterr().out
    path = tmp_path / "out" / "runs" / "plain" / "seed_1" / "result.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "division": "another"}))
    assert run(tmp_path, trainer, "--seeds", "2") == 0
    expected = "Seed 1: not all arms had the same division of the pictures.\n"
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"figure": []}, "unknown key 'figure'. Did you mean 'figures'? It may have: config,"),
     ({"config": "none.yaml"}, "none.yaml: No such file or directory"),
     ({"arms": {}}, "arms: expected one at least"),
     ({"arms": ["plain"]}, "arms: expected keys and values, got ['plain']"),
     ({"arms": {False: {}}}, "arms: expected text for a name, got False: quote it"),
     ({"arms": {"a": {"model.gain.x": 1}}}, "model.gain.x: expected keys below model.gain, "
                                            "which is 0.0"),
     ({"arms": {"a/b": {}, "A b": {}}}, "arms: 'a/b' and 'A b' would share a folder"),
     ({"seeds": 0}, "seeds: expected a number from 1, or a list of different ones from 0, got 0"),
     ({"seeds": [1, 1]}, "got [1, 1]"),
     ({"figures": "test/psnr"}, "figures: expected a list of names, got 'test/psnr'"),
     ({"figures": []}, "figures: expected a list of names, got []"),
     ({"curve": 3}, "curve: expected text, got 3"),
     ({"arms": {"a": {"data.seed": 4}}}, "a: data.seed is what the seeds set"),
     ({"seeded": ["model.gain"], "arms": {"a": {"model.gain": 4}}}, "a: model.gain is what"),
     ({"common": {3: 4}}, "common: expected text, got 3")],
    ids=str,
)  # fmt: skip
def test_a_wrong_experiment_is_told_in_one_line(
    changes: dict[str, Any],
    message: str,
    tmp_path: Path,
    trainer: Trainer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as stop:
        run(tmp_path, trainer, **changes)
    assert stop.value.code == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1
    assert trainer.calls == []
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [("arms: [", "no YAML: "), ("- 1", "expected keys and values, got [1]"),
     ("config: a", "expected the key 'figures'"), (None, "No such file")],
)  # fmt: skip
def test_a_file_that_is_no_experiment_is_told_in_one_line(
    text: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "experiment.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SystemExit) as stop:
        compare.main([str(path), "--out", str(tmp_path / "out")])
    assert stop.value.code == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--arms", "Plain"], "--arms: there is no 'Plain'. Did you mean 'plain'? There are: plain,"),
     (["--set", "trainer.max_epochs"], "--set: expected KEY=VALUE, got 'trainer.max_epochs'"),
     (["--set", "data.seed=4"], "--set: data.seed is what the seeds set"),
     (["--set", "a=["], "--set: a: no YAML"),
     (["--jobs", "0"], "--jobs: expected 1 at least, got 0")],
)  # fmt: skip
def test_a_wrong_option_is_told_in_one_line(
    options: list[str],
    message: str,
    tmp_path: Path,
    trainer: Trainer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as stop:
        run(tmp_path, trainer, *options)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_processes_share_the_cores_unless_the_user_says_how(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert Processes(3).environment["OMP_NUM_THREADS"] == "2"
    assert Processes(9).environment["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert Processes(3).environment["OMP_NUM_THREADS"] == "5"


def test_a_process_says_what_it_says_into_its_log_and_none_begins_after_a_stop(
    tmp_path: Path,
) -> None:
    start, log = Processes(1), tmp_path / "log"
    assert start(["--version"], log) == 0
    assert start(["fti"], log) == 2
    assert log.read_text().startswith("lit-restore ")
    assert "there is no verb 'fti'" in log.read_text()
    start.stop()
    assert start(["--version"], log) == STOPPED


class InProcess:
    """Runs the Trainer's verbs in this process, without ten seconds of imports for each."""

    def __call__(self, words: Sequence[str], log: Path) -> int:
        from lit_restore import training

        return training.main(words)

    def stop(self) -> None:
        pass


@pytest.mark.slow
def test_a_real_experiment_that_is_stopped_saves_its_step_and_goes_on(
    image_folder: Path, tmp_path: Path
) -> None:
    small = {
        "data.root": str(image_folder), "data.num_workers": 0, "data.cache": None,
        "data.size": 32, "data.batch_size": 2, "data.repeat": 2, "model.network.widths": [4, 8],
        "trainer.max_steps": 60, "trainer.accelerator": "cpu", "trainer.log_every_n_steps": 1,
        "trainer.check_val_every_n_epoch": 1, "trainer.enable_model_summary": False,
    }  # fmt: skip
    experiment = {
        "config": str(CONFIG),
        "seeds": 1,
        "curve": "val/psnr",
        "figures": ["test/psnr"],
        "common": small,
        "arms": {"plain": {"data.flip": False}, "flipped": {"data.flip": True}},
    }
    words = [str(write(tmp_path, experiment)), "--out", str(tmp_path / "out")]
    command = [sys.executable, "-m", "lit_restore", "compare", *words]
    folder = tmp_path / "out" / "runs" / "plain" / "seed_0"
    with subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}) as process:
        deadline = time.monotonic() + 300
        while not (folder / "logs" / "version_0" / "metrics.csv").exists():
            assert process.poll() is None, (folder / "fit.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) == 143
    assert (folder / "last.ckpt").exists()
    assert not (folder / "result.json").exists()

    assert compare.main(words, InProcess()) == 0

    result = json.loads((folder / "result.json").read_text())
    steps = [step + 1 for _, step, _ in result["curves"]["train/loss"]]
    assert steps == sorted(set(steps))
    assert set(range(1, 61)) >= set(steps)
    assert len(steps) >= 59  # what is logged after the step that was stopped at is lost
    epochs = [epoch for epoch, _, _ in result["curves"]["val/psnr"]]
    assert epochs == sorted(set(epochs))
    assert len(result["division"]) == 64
    rows = read_csv(tmp_path / "out" / "table.csv")
    assert [row["arm"] for row in rows] == ["plain", "flipped"]
    assert len({row["mean"] for row in rows}) == 2
