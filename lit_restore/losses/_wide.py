"""Computing in float32 what half precision has no room for."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def wide(x: Tensor) -> Tensor:
    """Turn half precision to float32; leave float32 and float64 as they are."""
    return x.float() if x.dtype.itemsize < 4 else x


def no_autocast(x: Tensor) -> AbstractContextManager[object]:
    """Compute products in the type of what is multiplied, even where autocast is on."""
    kind = x.device.type
    if not torch.amp.is_autocast_available(kind):
        return nullcontext()
    return torch.autocast(kind, enabled=False)
