"""The image pools of every process, in a checkpoint that one process writes."""

from typing import Any

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.utilities import rank_zero_warn

from lit_restore.nn import ImagePool


def gather_pools(trainer: Trainer, *pools: ImagePool) -> list[Any] | None:
    """Collect the pools' states of all processes, by rank; None where there is one alone.

    One process's pools are in its task's state.
    """
    if trainer.world_size == 1:
        return None
    states: list[Any] = [None] * trainer.world_size
    torch.distributed.all_gather_object(states, [pool.get_extra_state() for pool in pools])
    return states


def spread_pools(trainer: Trainer, states: list[Any] | None, *pools: ImagePool) -> None:
    """Give a process's pools the states that they had.

    Args:
        trainer: Says which process this is.
        states: What ``gather_pools`` gave.
        *pools: In the same order.
    """
    if states is None:
        return
    if len(states) != trainer.world_size:
        rank_zero_warn(
            f"the checkpoint has the image pools of {len(states)} processes and "
            f"{trainer.world_size} go on: all begin with those of the first"
        )
        return
    for pool, state in zip(pools, states[trainer.global_rank], strict=True):
        pool.set_extra_state(state)
