"""The order of an epoch and the randomness of a sample, as pure functions of (seed, epoch, index).

Nothing here reads or changes a global random state, so that a run that is cut and resumed sees the
same samples in the same order as one that was not, whatever else draws random numbers beside it.
"""

import hashlib
from collections.abc import Callable, Iterator

import torch
from torch.utils.data import Sampler

Key = tuple[int, int]


def derived_seed(*parts: int) -> int:
    """Mix integers into one 63-bit seed; a change in any of them changes all of it."""
    text = ",".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def sample_generator(seed: int, epoch: int, index: int) -> torch.Generator:
    """Make the generator of one sample in one epoch.

    Args:
        seed: Of the run.
        epoch: Counted from 0.
        index: Of the sample in its dataset.
    """
    return torch.Generator().manual_seed(derived_seed(seed, epoch, index))


def epoch_order(length: int, seed: int, epoch: int) -> list[int]:
    """Shuffle the indices of a dataset for one epoch."""
    generator = torch.Generator().manual_seed(derived_seed(seed, epoch))
    return torch.randperm(length, generator=generator).tolist()


class EpochSampler(Sampler[Key]):
    """Yields (epoch, index): shuffled for each epoch anew, sharded by rank, resumable.

    Where it starts follows from the number of batches that the run has seen, and from nothing
    else: whoever counts them (a Trainer, whose count is part of its checkpoints) need not tell the
    sampler about epochs. The indices that do not fill a batch on every rank are left out of the
    epoch; since the order differs from epoch to epoch, they come in another.

    Args:
        length: Samples of the dataset.
        batch_size: Samples per batch and rank.
        seed: Of the run.
        rank: Of this process.
        world_size: Number of processes.
        batches_seen: Called when an iteration starts: the batches that the run has taken so far.

    Attributes:
        batches: Batches of an epoch, on each rank.
        limit: Batches of an epoch that are used, at most ``batches``; the rest is left out.

    Raises:
        ValueError: If there are too few samples for one batch on every rank.
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        batches_seen: Callable[[], int] = int,
    ) -> None:
        self.batches = self.limit = length // (batch_size * world_size)
        if self.batches == 0:
            raise ValueError(
                f"training needs at least one batch per process, {batch_size} x {world_size} "
                f"pictures, got {length}: lower batch_size, or raise repeat"
            )
        self.length = length
        self.batch_size = batch_size
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.batches_seen = batches_seen

    def __iter__(self) -> Iterator[Key]:
        """Yield what is left of the epoch for this rank."""
        epoch, start = divmod(self.batches_seen(), self.limit)
        order = epoch_order(self.length, self.seed, epoch)
        mine = order[self.rank :: self.world_size][: self.batches * self.batch_size]
        for index in mine[start * self.batch_size :]:
            yield epoch, index

    def __len__(self) -> int:
        """The samples of a whole epoch for this rank, wherever it starts."""
        return self.batches * self.batch_size


class OrderedSampler(Sampler[Key]):
    """Yields (0, index) in file order, for measuring: the same randomness at every pass.

    Args:
        length: Samples of the dataset.
        rank: Of this process.
        world_size: Number of processes that share the samples.
    """

    def __init__(self, length: int, rank: int = 0, world_size: int = 1) -> None:
        self.indices = range(rank, length, world_size)

    def __iter__(self) -> Iterator[Key]:
        """Yield every index of this rank."""
        return ((0, index) for index in self.indices)

    def __len__(self) -> int:
        """The samples of this rank."""
        return len(self.indices)
