"""The loaders that every DataModule here shares, and the position in the epoch that they keep."""

import atexit
import multiprocessing
import multiprocessing.util  # its exit handler has to be there before ours
import signal
from collections.abc import Callable, Sequence
from typing import Any

import torch
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader, Dataset, Sampler

from lit_restore.data.sampling import EpochSampler, Key, OrderedSampler
from lit_restore.datamodules._division import Division

Batch = dict[str, Any]
Collate = Callable[[Sequence[Batch]], Batch]


class ImageDataModule(LightningDataModule):
    """Turns a dataset per split into a loader per split. A subclass writes ``dataset``.

    The order of training samples and their randomness depend on (seed, epoch, index) alone, and
    epoch and position follow from the Trainer's count of batches, which is part of a checkpoint: a
    resumed run goes on with the very batch that a run without a break would have seen. With several
    processes, training and prediction are shared among them, while each measures all pictures, so
    that the figures are exact; this needs ``Trainer(use_distributed_sampler=False)``, which the
    command line sets.

    Args:
        division: Which pictures belong to which split; its hash is part of a checkpoint.
        batch_size: Items per batch and process.
        num_workers: Loader processes; 0 reads in the main process.
        seed: Of the order and of every random draw.
    """

    def __init__(self, division: Division, batch_size: int, num_workers: int, seed: int) -> None:
        super().__init__()
        self.division = division
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.seed = seed

    def setup(self, stage: str) -> None:
        """Divide the pictures, and keep the division with the run."""
        self.division.setup(stage, self.trainer)

    def state_dict(self) -> dict[str, Any]:
        """The hash of the division."""
        return self.division.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Remember on which pictures the checkpoint was trained, and refuse others."""
        self.division.load_state_dict(state_dict)

    def dataset(self, split: str) -> Dataset[Batch]:
        """Build the dataset of ``split``: ``"train"``, ``"val"``, ``"test"`` or ``"predict"``."""
        raise NotImplementedError

    def training_collate(self) -> Collate | None:
        """Give what joins training samples to a batch; None for torch's default."""
        return None

    def train_dataloader(self) -> DataLoader[Batch]:
        """Load shuffled training batches, without a last short one."""
        dataset = self.dataset("train")
        rank, world_size = self._ranks()
        length = len(dataset)  # type: ignore[arg-type]
        sampler = EpochSampler(
            length, self.batch_size, self.seed, rank, world_size, self._batches_seen
        )
        sampler.limit = self._limit(sampler.batches)
        return self._loader(dataset, sampler, self.batch_size, self.training_collate())

    def val_dataloader(self) -> DataLoader[Batch]:
        """Load validation batches in file order."""
        return self._ordered("val")

    def test_dataloader(self) -> DataLoader[Batch]:
        """Load test batches in file order."""
        return self._ordered("test")

    def predict_dataloader(self) -> DataLoader[Batch]:
        """Load prediction batches in file order."""
        return self._ordered("predict", shared=True)

    def _ordered(self, split: str, shared: bool = False) -> DataLoader[Batch]:
        dataset = self.dataset(split)
        ranks = self._ranks() if shared else (0, 1)
        sampler = OrderedSampler(len(dataset), *ranks)  # type: ignore[arg-type]
        return self._loader(dataset, sampler, self._eval_batch_size(split))

    def _eval_batch_size(self, split: str) -> int:
        return self.batch_size

    def _loader(
        self,
        dataset: Dataset[Batch],
        sampler: Sampler[Key],
        batch_size: int,
        collate: Collate | None = None,
    ) -> DataLoader[Batch]:
        return DataLoader(
            dataset,
            batch_size=batch_size,
            sampler=sampler,
            num_workers=self.num_workers,
            collate_fn=collate,
            persistent_workers=self.num_workers > 0,
            drop_last=isinstance(sampler, EpochSampler),
            generator=torch.Generator().manual_seed(self.seed),  # leaves the global one alone
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=_leave_signals_to_the_run,
        )

    def _batches_seen(self) -> int:
        return self.trainer.fit_loop.epoch_loop.batch_progress.total.ready if self.trainer else 0

    def _limit(self, batches: int) -> int:
        limit = self.trainer.limit_train_batches if self.trainer else None
        if isinstance(limit, float):
            return max(int(batches * limit), 1)
        return min(limit or batches, batches)

    def _ranks(self) -> tuple[int, int]:
        trainer = self.trainer
        if trainer is None:
            return 0, 1
        connector = getattr(trainer, "_accelerator_connector", None)
        if trainer.world_size > 1 and getattr(connector, "use_distributed_sampler", False):
            raise ValueError(
                "these loaders share the pictures among processes themselves: expected "
                "Trainer(use_distributed_sampler=False), got True"
            )
        return trainer.global_rank, trainer.world_size


def _leave_signals_to_the_run(worker: int) -> None:
    """Let a signal to the whole process group stop the run in its own time, not its workers.

    A worker that is left over when the run ends must then be killed: the exit handler of Python's
    multiprocessing would send SIGTERM and wait for ever.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@atexit.register  # runs before multiprocessing's own handler, which was registered earlier
def _end_workers() -> None:
    for process in multiprocessing.active_children():
        if process.daemon:
            process.kill()
