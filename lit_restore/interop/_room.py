"""Whether a network can be run on its samples with the memory that computers have."""

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_MOST_NUMBERS = 1 << 27


class RoomError(ValueError):
    """A network that makes too much of its input to be run."""


class _Bounded(TorchFunctionMode):
    """Refuses what a function gives if it is too large."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            check_numbers(result.shape)
        return result


def check_numbers(shape: Sequence[int]) -> None:
    """Check that a tensor is not too large.

    Raises:
        RoomError: If it has more than 2**27 numbers.
    """
    if math.prod(shape) > _MOST_NUMBERS:
        raise RoomError(f"2**27 numbers at most are computed at once, got {tuple(shape)}")


def check_room(network: nn.Module, samples: Iterable[Sequence[Tensor]]) -> None:
    """Check what a network makes of its samples, without computing it.

    Args:
        network: As it would be run.
        samples: The inputs of each run.

    Raises:
        RoomError: If it has more than 2**27 numbers anywhere on the way.
    """
    sizes = {tuple(tuple(image.shape) for image in sample) for sample in samples}
    shadow = copy.deepcopy(network).to("meta")
    for shapes in sizes:
        images = [torch.empty(shape, device="meta") for shape in shapes]
        with torch.no_grad(), _Bounded():
            shadow(*images)
