"""Pooling with SAME padding."""

from collections.abc import Callable
from functools import partial

import torch.nn.functional as F

from lit_restore.nn import SameAvgPool2d, SameMaxPool2d, pad_same, same_padding
from parity.arrays import Draw
from parity.case import Case, Tensors
from parity.layout import to_keras, to_torch

_Pool = Callable[..., Tensors]

_WINDOWS = (
    (2, 2, 7, 9),
    (2, 2, 8, 11),
    (3, 1, 8, 11),
    (3, 2, 8, 11),
    (3, 3, 8, 10),
    (4, 2, 8, 11),
    (5, 3, 8, 11),
)


def pool(t: Tensors, size: int, stride: int) -> Tensors:
    """SameMaxPool2d."""
    return {"output": to_keras(SameMaxPool2d(size, stride)(to_torch(t["image"])))}


def average(t: Tensors, size: int, stride: int) -> Tensors:
    """SameAvgPool2d."""
    return {"output": to_keras(SameAvgPool2d(size, stride)(to_torch(t["image"])))}


def symmetric(t: Tensors, size: int, stride: int) -> Tensors:
    """PyTorch's own padding, equal on both sides."""
    image = to_torch(t["image"])
    return {"output": to_keras(F.max_pool2d(image, size, stride, padding=size // 2))}


def symmetric_average(t: Tensors, size: int, stride: int) -> Tensors:
    """PyTorch's own padding, which does not count."""
    image = to_torch(t["image"])
    pooled = F.avg_pool2d(image, size, stride, padding=size // 2, count_include_pad=False)
    return {"output": to_keras(pooled)}


def zeros_outside(t: Tensors, size: int, stride: int) -> Tensors:
    """Zeros around the picture that count as pixels."""
    padded = pad_same(to_torch(t["image"]), size, stride)
    return {"output": to_keras(F.max_pool2d(padded, size, stride))}


def counted_outside(t: Tensors, size: int, stride: int) -> Tensors:
    """Zeros around the picture that count in the mean."""
    padded = pad_same(to_torch(t["image"]), size, stride)
    return {"output": to_keras(F.avg_pool2d(padded, size, stride))}


def _case(
    name: str, ours: _Pool, wrong: dict[str, _Pool], window: tuple[int, int, int, int]
) -> Case:
    size, stride, height, width = window
    about = {"size": size, "stride": stride}
    before = [same_padding(side, size, stride)[0] for side in (height, width)]
    if before == [size // 2] * 2:  # else the paddings agree
        wrong = {what: one for what, one in wrong.items() if what != "symmetric padding"}
    return Case(
        name=f"layer/{name}/k{size}_s{stride}_{height}x{width}",
        inputs={"image": Draw((2, height, width, 3), low=-2.0, high=-1.0)},
        ours=partial(ours, **about),
        reference=f"layers.{name}",
        settings=about,
        wrong={what: partial(one, **about) for what, one in wrong.items()},
        terms=size**2,
    )


_WRONG_MAX: dict[str, _Pool] = {"zeros outside": zeros_outside, "symmetric padding": symmetric}
_WRONG_AVERAGE: dict[str, _Pool] = {
    "zeros counted": counted_outside,
    "symmetric padding": symmetric_average,
}

CASES = (
    *(_case("max_pool", pool, _WRONG_MAX, window) for window in _WINDOWS),
    *(_case("average_pool", average, _WRONG_AVERAGE, window) for window in _WINDOWS),
)
