"""Resume a run bit for bit, and stop it on SIGTERM without losing a step."""

import io
import os
import random
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.utilities import rank_zero_info, rank_zero_warn

from lit_restore.atomic import replace_file

KEY = "random_states"
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint under a temporary name in its own folder, and renames it when whole."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write ``checkpoint``; a crash on the way leaves the file of before."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        replace_file(path, buffer.getvalue())


class ExactResume(Checkpoint):
    """Keeps what a checkpoint lacks for going on exactly, and ends a run cleanly on SIGTERM.

    Checkpoints get every process's random states (torch, its device, NumPy, Python), which return
    when training starts again; with a DataModule of ``lit_restore.datamodules`` the resumed run is
    bit for bit the one that was never cut. They are written whole or not at all. On SIGTERM or
    Ctrl-C the step under way is finished, ``last.ckpt`` is written in the folder of the run's
    checkpoints, and the process exits with status 143 or 130; if several processes train, it takes
    a signal to any of them. The last step of a run that ends by itself is saved there, too.

    It counts as a checkpoint callback, so that Lightning runs it after those that change weights;
    therefore Lightning adds no ``ModelCheckpoint`` of its own, and a run that should survive
    ``kill -9`` needs one in its callbacks.
    """

    def __init__(self) -> None:
        self._states: list[dict[str, Any]] | None = None
        self._signal = 0
        self._handlers: dict[int, Any] = {}

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Let checkpoints be written whole or not at all, unless somebody chose another way."""
        if type(trainer.strategy.checkpoint_io) is TorchCheckpointIO:
            trainer.strategy.checkpoint_io = AtomicCheckpointIO()

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the random states of every process."""
        state = random_state(pl_module.device)
        states: list[Any] = [state]
        if trainer.world_size > 1:
            states = [None] * trainer.world_size
            torch.distributed.all_gather_object(states, state)
        checkpoint[KEY] = states

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Remember the random states until training starts."""
        self._states = checkpoint.get(KEY)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Restore this process's random states, and listen for signals."""
        states, self._states, self._signal = self._states, None, 0
        if states is not None and len(states) == trainer.world_size:
            set_random_state(states[trainer.global_rank], pl_module.device)
        elif states is not None:
            rank_zero_warn(
                f"the checkpoint is of {len(states)} processes and {trainer.world_size} go on: "
                "the run continues, but not bit for bit"
            )
        if threading.current_thread() is threading.main_thread():
            self._handlers = {name: signal.signal(name, self._request_stop) for name in SIGNALS}

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        """Write a last checkpoint if this was the last step, or any process was asked to stop."""
        stop = bool(self._signal)
        if trainer.world_size > 1:
            stop = trainer.strategy.reduce_boolean_decision(stop, all=False)
        debugging = getattr(trainer, "fast_dev_run", False)
        if debugging or not (stop or self._is_last_step(trainer)):
            return
        path = self._folder(trainer) / "last.ckpt"
        trainer.save_checkpoint(path, weights_only=False)
        rank_zero_info(f"step {trainer.global_step} is saved as {path}")
        if stop:
            # One process tells the result: a launcher takes a failed child for a crash.
            code = 128 + (self._signal or signal.SIGTERM)
            raise SystemExit(code if trainer.is_global_zero else 0)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Give the signals back to whom they belonged."""
        for name, handler in self._handlers.items():
            signal.signal(name, handler)
        self._handlers = {}

    def _request_stop(self, signum: int, frame: FrameType | None) -> None:
        if self._signal and signum == signal.SIGINT:  # asked twice: at once, then
            raise KeyboardInterrupt
        self._signal = signum

    @staticmethod
    def _is_last_step(trainer: Trainer) -> bool:
        if trainer.global_step == trainer.max_steps:
            return True
        last_epoch = (trainer.max_epochs or 0) - 1
        return trainer.is_last_batch and trainer.current_epoch == last_epoch

    @staticmethod
    def _folder(trainer: Trainer) -> Path:
        folders = [getattr(callback, "dirpath", None) for callback in trainer.checkpoint_callbacks]
        return Path(next(filter(None, folders), trainer.default_root_dir))


def leave(code: int) -> int:
    """Return an exit status, but end a process of a distributed run with it at once.

    The communication threads that torch leaves behind can abort a process whose work is done, while
    the interpreter takes itself down (seen once in some hundred runs, on a busy machine).
    """
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def random_state(device: torch.device) -> dict[str, Any]:
    """Read this process's random states, as plain values and tensors."""
    name, keys, *rest = np.random.get_state()
    state = {
        "torch": torch.get_rng_state(),
        "numpy": [str(name), [int(key) for key in keys], *rest],
        "python": random.getstate(),
    }
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def set_random_state(state: dict[str, Any], device: torch.device) -> None:
    """Restore what ``random_state`` read."""
    torch.set_rng_state(state["torch"])
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, np.array(keys, dtype=np.uint32), *rest))
    random.setstate(state["python"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
