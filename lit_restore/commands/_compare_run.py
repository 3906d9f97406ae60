"""One run of an experiment: a folder in which a training begins or goes on, and its result."""

import json
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lit_restore.commands._compare_config import Config, differing, in_folder, plain
from lit_restore.commands._compare_logs import finite, read_logs
from lit_restore.commands._compare_process import Start

_STATE, _RESULT = "state.json", "result.json"
_SHOWN = 3


@dataclass(frozen=True)
class Run:
    """An arm with a seed.

    Attributes:
        arm: Its name.
        seed: Of everything that varies within an arm.
        folder: For all that the run writes.
        config: Whole, but for that folder.
        checkpoint: Stem of the file that is tested.
    """

    arm: str
    seed: int
    folder: Path
    config: Config
    checkpoint: str

    def __str__(self) -> str:
        """Name it for a person."""
        return f"{self.arm}, seed {self.seed}"


class FailedRunError(Exception):
    """Why a run came to no result."""


def changed(run: Run) -> str:
    """Tell what differs from the config that the run was begun with; nothing if nothing does."""
    state = _read(run.folder / _STATE)
    if state is None:
        return ""
    keys = differing(state["config"], plain(run.config))
    rest = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return ", ".join(keys[:_SHOWN]) + rest


def begin_anew(run: Run) -> None:
    """Delete what the run has written so far."""
    if (run.folder / _STATE).exists():
        shutil.rmtree(run.folder)


def result_of(run: Run) -> dict[str, Any] | None:
    """Read a finished run's result; None if there is none of these options and this checkpoint."""
    result = None if changed(run) else _read(run.folder / _RESULT)
    return result if result and result["checkpoint"] == run.checkpoint else None


def carry_out_all(
    runs: Sequence[Run], jobs: int, start: Start, after: Callable[[Run, dict[str, Any]], None]
) -> None:
    """Carry out several runs, some at once; one that fails leaves the others alone.

    If it is interrupted, the runs under way save their last step, and no other begins.

    Args:
        runs: In the order in which they begin.
        jobs: How many at once.
        start: Runs a verb; called by several threads.
        after: Gets each run with its result, or with the reason of its failure as ``"failed"``.
    """
    with ThreadPoolExecutor(jobs) as pool:
        try:
            futures = {pool.submit(carry_out, run, start): run for run in runs}
            for future in as_completed(futures):
                after(futures[future], _outcome(future))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            start.stop()
            raise


def carry_out(run: Run, start: Start) -> dict[str, Any]:
    """Train and test, from where an earlier attempt stopped.

    Args:
        run: Not finished.
        start: Runs a verb.

    Returns:
        The result, which is also written into the run's folder: the figures and curves by name.

    Raises:
        FailedRunError: If training or test failed; what they said is in the folder.
    """
    state = _read(run.folder / _STATE)
    last = run.folder / "last.ckpt"
    resumed = [f"--ckpt_path={last}"] if state and last.exists() else []
    state = state or {"config": plain(run.config), "fitted": False, "seconds": 0.0}
    _prepare(run, state)
    if not state["fitted"]:
        _do(run, state, start, ["fit", *resumed])
        state["fitted"] = True
        _write(run.folder / _STATE, state)
    checkpoint = run.folder / f"{run.checkpoint}.ckpt"
    if not checkpoint.exists():
        there = ", ".join(sorted(path.name for path in run.folder.glob("*.ckpt"))) or "none"
        raise FailedRunError(f"expected the checkpoint {checkpoint.name}, there is {there}")
    _do(run, state, start, ["test", f"--ckpt_path={checkpoint}"])
    result = {**_measured(run), "seconds": round(state["seconds"], 1)}
    _write(run.folder / _RESULT, result)
    return result


def _outcome(future: "Future[dict[str, Any]]") -> dict[str, Any]:
    try:
        return future.result()
    except (FailedRunError, OSError) as error:
        return {"failed": str(error)}


def _prepare(run: Run, state: dict[str, Any]) -> None:
    """Write what the run is begun with; the config anew, since a folder may have been moved."""
    import yaml

    from lit_restore.atomic import replace_file

    run.folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(in_folder(run.config, run.folder), sort_keys=False, allow_unicode=True)
    replace_file(run.folder / "config.yaml", text.encode())
    _write(run.folder / _STATE, state)


def _do(run: Run, state: dict[str, Any], start: Start, words: Sequence[str]) -> None:
    """Run a verb with the run's config, and add its time to the state."""
    verb, *options = words
    log = run.folder / f"{verb}.log"
    began = time.monotonic()
    status = start([verb, f"--config={run.folder / 'config.yaml'}", *options], log)
    state["seconds"] += time.monotonic() - began
    _write(run.folder / _STATE, state)
    if status:
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        raise FailedRunError(f"{verb} {how}: {_last_line(log)} ({log})")


def _measured(run: Run) -> dict[str, Any]:
    logs = read_logs(run.folder / "logs")
    return {
        "arm": run.arm,
        "seed": run.seed,
        "checkpoint": run.checkpoint,
        "figures": {name: finite(value) for name, value in logs.figures.items()},
        "curves": {
            name: [(point.epoch, point.step, finite(point.value)) for point in points]
            for name, points in logs.curves.items()
        },
        "division": logs.division,
    }


def _last_line(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    from lit_restore.atomic import replace_file

    replace_file(path, json.dumps(content, indent=1).encode())
