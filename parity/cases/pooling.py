"""Max pooling with SAME padding."""

from functools import partial

import torch.nn.functional as F

from lit_restore.nn import SameMaxPool2d, pad_same
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.layout import to_keras, to_torch


def pool(t: Tensors, size: int, stride: int) -> Tensors:
    """SameMaxPool2d."""
    return {"output": to_keras(SameMaxPool2d(size, stride)(to_torch(t["image"])))}


def symmetric(t: Tensors, size: int, stride: int) -> Tensors:
    """PyTorch's own padding, equal on both sides."""
    image = to_torch(t["image"])
    return {"output": to_keras(F.max_pool2d(image, size, stride, padding=size // 2))}


def zeros_outside(t: Tensors, size: int, stride: int) -> Tensors:
    """Zeros around the picture that count as pixels."""
    padded = pad_same(to_torch(t["image"]), size, stride)
    return {"output": to_keras(F.max_pool2d(padded, size, stride))}


def _wrong(size: int, stride: int) -> dict[str, Ours]:
    wrong: dict[str, Ours] = {"zeros outside": partial(zeros_outside, size=size, stride=stride)}
    if stride > 1:  # with stride 1 and an odd window it is right
        wrong["symmetric padding"] = partial(symmetric, size=size, stride=stride)
    return wrong


CASES = tuple(
    Case(
        name=f"layer/max_pool/k{size}_s{stride}_{height}x{width}",
        inputs={"image": Draw((2, height, width, 3), low=-2.0, high=-1.0)},
        ours=partial(pool, size=size, stride=stride),
        reference="layers.max_pool",
        settings={"size": size, "stride": stride},
        wrong=_wrong(size, stride),
        terms=size**2,
    )
    for size, stride, height, width in (
        (2, 2, 7, 9),
        (2, 2, 8, 11),
        (3, 1, 8, 11),
        (3, 2, 8, 11),
        (3, 3, 8, 10),
        (4, 2, 8, 11),
        (5, 3, 8, 11),
    )
)
