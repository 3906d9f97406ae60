"""Tests of lit_restore.callbacks.exact_resume: real processes, really killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from PIL import Image

from lit_restore.callbacks import AtomicCheckpointIO, ExactResume
from lit_restore.callbacks.exact_resume import leave, random_state, set_random_state

SCRIPT = Path(__file__).with_name("training_process.py")
STEPS = 14  # 17 training pictures in batches of 3: 5 batches an epoch, or 2 for each of 2 processes
TIMEOUT = 120


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for index in range(24):
        pixels = random.integers(0, 256, (20 + index, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:02}.png")
    return folder


@pytest.fixture(scope="module")
def sides(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pictures as two kinds, 13 and 11 of them."""
    folder = tmp_path_factory.mktemp("sides")
    for name in ("a", "b"):
        (folder / name).mkdir()
    for index, path in enumerate(sorted(pictures.iterdir())):
        (folder / ("a" if index < 13 else "b") / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.fixture(scope="module")
def roots(pictures: Path, sides: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where the data of each task are, of those that want more than pictures."""
    folder = tmp_path_factory.mktemp("labelled")
    for name in ("images", "labels"):
        (folder / name).mkdir()
    for path in pictures.iterdir():
        (folder / "images" / path.name).write_bytes(path.read_bytes())
        white = Image.open(path).convert("L").point(lambda level: 255 * (level > 127))
        white.save(folder / "labels" / path.name)
    return {"cyclegan": sides, "classification": sides, "segmentation": folder}


@pytest.fixture(scope="module")
def uncut(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[Any]]:
    """The records of a run without a break, for one process and for two."""
    records = {}
    for processes in (1, 2):
        out = tmp_path_factory.mktemp(f"uncut{processes}")
        assert _start(pictures, out, "--processes", str(processes)).wait(TIMEOUT) == 0
        records[processes] = [_records(out, rank) for rank in range(processes)]
    return records


@pytest.fixture(scope="module")
def uncut_task(
    pictures: Path, roots: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Any]]:
    """The records of other tasks' runs without a break."""
    records = {}
    for task in ("gan", "inpainting", "cyclegan", "classification", "segmentation"):
        out = tmp_path_factory.mktemp(task)
        root = roots.get(task, pictures)
        assert _start(root, out, "--task", task).wait(TIMEOUT) == 0, task
        records[task] = _records(out)
    return records


def _start(pictures: Path, out: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(SCRIPT), "--root", str(pictures), "--out", str(out)]
    log = (out.parent / f"{out.name}.log").open("ab")
    return subprocess.Popen(
        [*command, "--steps", str(STEPS), *options],
        stdout=log,
        stderr=log,
        start_new_session=True,  # so that all its processes can be killed at once
        env={**os.environ, "MASTER_PORT": str(_free_port())},
    )


def _free_port() -> int:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _records(out: Path, rank: int = 0) -> list[dict[str, Any]]:
    path = out / f"rank{rank}.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _wait_for(process: subprocess.Popen[bytes], out: Path, step: int) -> None:
    deadline = time.monotonic() + TIMEOUT
    while len(_records(out)) < step:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline, "the run does not get on"
        time.sleep(0.01)


def _kill_all(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(TIMEOUT)


def _assert_goes_on_as(uncut: list[Any], out: Path, before: list[int]) -> None:
    """Compare what a killed and resumed run recorded with a run without a break, to the bit."""
    for rank, expected in enumerate(uncut):
        found = _records(out, rank)
        resumed = found[before[rank] :]
        assert resumed, "nothing was recorded after the resume"
        start = resumed[0]["step"]
        assert resumed == expected[start - 1 :]
        assert found[: before[rank]] == expected[: before[rank]]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    ("save_every", "saved_at"),
    [(4, 8), (5, 5), (0, 5)],
    ids=["mid-epoch", "last batch of an epoch", "epoch's end"],
)
def test_a_killed_run_goes_on_bit_for_bit(
    pictures: Path,
    uncut: dict[int, list[Any]],
    tmp_path: Path,
    save_every: int,
    saved_at: int,
    workers: int,
) -> None:
    out = tmp_path / "run"
    out.mkdir()
    options = ["--save-every", str(save_every), "--workers", str(workers)]
    process = _start(pictures, out, *options, "--pause", "0.1")
    _wait_for(process, out, saved_at + 1)
    _kill_all(process)
    before = [len(_records(out))]
    assert before[0] < STEPS

    resumed = _start(pictures, out, *options, "--resume", str(out / "last.ckpt"))

    assert resumed.wait(TIMEOUT) == 0, (tmp_path / "run.log").read_text()
    _assert_goes_on_as(uncut[1], out, before)
    assert _records(out)[before[0]]["step"] == saved_at + 1


@pytest.mark.parametrize(
    ("task", "save_every", "saved_at"),
    [
        ("gan", 7, 7),
        ("inpainting", 4, 4),
        ("inpainting", 4, 8),
        ("cyclegan", 7, 7),
        ("classification", 7, 7),
        ("segmentation", 7, 7),
    ],
    ids=[
        "a GAN amid an accumulation",
        "inpainting before its second phase",
        "and in it",
        "CycleGAN with full pools",
        "classification of mixed pictures",
        "segmentation of warped pictures",
    ],
)
def test_a_killed_run_of_another_task_goes_on_bit_for_bit(
    pictures: Path,
    roots: dict[str, Path],
    uncut_task: dict[str, list[Any]],
    tmp_path: Path,
    task: str,
    save_every: int,
    saved_at: int,
) -> None:
    out = tmp_path / "run"
    out.mkdir()
    options = ["--task", task, "--save-every", str(save_every)]
    root = roots.get(task, pictures)
    process = _start(root, out, *options, "--pause", "0.1")
    _wait_for(process, out, saved_at + 1)
    _kill_all(process)
    before = [len(_records(out))]

    resumed = _start(root, out, *options, "--resume", str(out / "last.ckpt"))

    assert resumed.wait(TIMEOUT) == 0, (tmp_path / "run.log").read_text()
    _assert_goes_on_as([uncut_task[task]], out, before)
    assert _records(out)[before[0]]["step"] == saved_at + 1


def test_two_processes_train_one_network_through_both_phases(
    pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    out.mkdir()

    ended = _start(pictures, out, "--task", "inpainting", "--processes", "2", "--steps", "8")

    assert ended.wait(TIMEOUT) == 0, (tmp_path / "run.log").read_text()
    one, other = (_records(out, rank) for rank in range(2))
    assert [record["lr"] for record in one] == [1e-3] * 5 + [2.5e-4] * 3
    assert [record["optimizer"] for record in one] == [record["optimizer"] for record in other]
    assert one[7]["optimizer"] != one[6]["optimizer"]


def test_two_processes_train_one_gan(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()

    ended = _start(pictures, out, "--task", "gan", "--processes", "2", "--steps", "4").wait(TIMEOUT)

    assert ended == 0, (tmp_path / "run.log").read_text()
    one, other = (_records(out, rank) for rank in range(2))
    assert [record["step"] for record in one] == [1, 2, 3, 4]
    assert [record["optimizer"] for record in one] == [record["optimizer"] for record in other]
    assert one[3]["optimizer"] != one[1]["optimizer"]
    assert one[0]["samples"] != other[0]["samples"]


def test_each_of_two_processes_goes_on_with_its_own_image_pools(
    sides: Path, tmp_path: Path
) -> None:
    options = ["--task", "cyclegan", "--processes", "2", "--steps", "6", "--save-every", "3"]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for out, steps in ((whole, "6"), (cut, "3")):
        out.mkdir()
        ended = _start(sides, out, *options, "--steps", steps).wait(TIMEOUT)
        assert ended == 0, (tmp_path / f"{out.name}.log").read_text()

    resumed = _start(sides, cut, *options, "--resume", str(cut / "last.ckpt"))

    assert resumed.wait(TIMEOUT) == 0, (tmp_path / "cut.log").read_text()
    uncut = [_records(whole, rank) for rank in range(2)]
    _assert_goes_on_as(uncut, cut, [3, 3])
    assert uncut[0][5]["pools"] != uncut[1][5]["pools"]
    assert uncut[0][5]["optimizer"] == uncut[1][5]["optimizer"] != uncut[0][2]["optimizer"]


def test_two_processes_go_on_bit_for_bit_after_one_was_killed(
    pictures: Path, uncut: dict[int, list[Any]], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    out.mkdir()
    options = ["--processes", "2", "--save-every", "3"]
    process = _start(pictures, out, *options, "--pause", "0.1")
    _wait_for(process, out, 7)
    os.kill(process.pid, signal.SIGKILL)  # one rank dies, the other hangs or fails
    time.sleep(0.3)
    _kill_all(process)
    before = [len(_records(out, rank)) for rank in range(2)]

    resumed = _start(pictures, out, *options, "--resume", str(out / "last.ckpt"))

    assert resumed.wait(TIMEOUT) == 0, (tmp_path / "run.log").read_text()
    _assert_goes_on_as(uncut[2], out, before)


@pytest.mark.parametrize(
    ("processes", "workers", "send", "number"),
    [
        (1, 0, os.kill, signal.SIGTERM),
        (1, 2, os.killpg, signal.SIGTERM),
        (1, 2, os.killpg, signal.SIGINT),
        (2, 0, os.kill, signal.SIGTERM),
        (2, 0, os.killpg, signal.SIGTERM),
    ],
    ids=["one", "one and its workers", "Ctrl-C", "one of two", "both"],
)
def test_a_signal_saves_at_the_step_and_exits_143_or_130(
    pictures: Path,
    uncut: dict[int, list[Any]],
    tmp_path: Path,
    processes: int,
    workers: int,
    send: Callable[[int, int], None],
    number: signal.Signals,
) -> None:
    out = tmp_path / "run"
    out.mkdir()
    options = ["--processes", str(processes), "--workers", str(workers), "--save-every", "100"]
    process = _start(pictures, out, *options, "--pause", "0.1")
    _wait_for(process, out, 3)
    send(process.pid, number)
    assert process.wait(TIMEOUT) == 128 + number, (tmp_path / "run.log").read_text()
    before = [len(_records(out, rank)) for rank in range(processes)]
    assert before[0] < STEPS

    resumed = _start(pictures, out, *options, "--resume", str(out / "last.ckpt"))

    assert resumed.wait(TIMEOUT) == 0, (tmp_path / "run.log").read_text()
    _assert_goes_on_as(uncut[processes], out, before)
    assert _records(out)[before[0]]["step"] == before[0] + 1, "a step was lost or done twice"


def test_a_checkpoint_is_whole_whenever_the_run_is_killed(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    process = _start(pictures, out, "--save-every", "1", "--steps", "2000")
    _wait_for(process, out, 3)
    time.sleep(0.137)
    _kill_all(process)

    checkpoint = torch.load(out / "last.ckpt", weights_only=True)

    recorded = len(_records(out))
    assert checkpoint["global_step"] in (recorded - 1, recorded)


def test_a_failing_write_leaves_the_checkpoint_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.ckpt"
    plugin = AtomicCheckpointIO()
    plugin.save_checkpoint({"step": 1}, path)

    def fail(descriptor: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        plugin.save_checkpoint({"step": 2}, path)

    assert torch.load(path, weights_only=True) == {"step": 1}
    assert [item.name for item in tmp_path.iterdir()] == ["last.ckpt"]


def test_random_states_return_after_a_file() -> None:
    device = torch.device("cpu")
    state = random_state(device)
    drawn = torch.rand(3), np.random.rand(3)
    set_random_state(state, device)
    torch.testing.assert_close(torch.rand(3), drawn[0], rtol=0, atol=0)
    np.testing.assert_array_equal(np.random.rand(3), drawn[1])


def test_the_last_checkpoint_lies_beside_the_others_whatever_the_order(tmp_path: Path) -> None:
    callbacks = [ExactResume(), ModelCheckpoint(tmp_path / "run", "best")]
    trainer = Trainer(accelerator="cpu", logger=False, callbacks=callbacks)

    assert ExactResume._folder(trainer) == tmp_path / "run"


def test_a_distributed_process_ends_at_once_and_another_does_not() -> None:
    assert leave(7) == 7
    code = (
        "import atexit, torch.distributed as dist\n"
        "from lit_restore.callbacks.exact_resume import leave\n"
        "atexit.register(print, 'taken down')\n"
        f"dist.init_process_group('gloo', 'tcp://127.0.0.1:{_free_port()}', rank=0, world_size=1)\n"
        "print('done')\n"
        "leave(143)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (143, "done\n")
