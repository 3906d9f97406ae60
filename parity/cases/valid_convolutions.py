"""Convolutions without padding, forward and transposed, and Dense, which is one of a pixel."""

from functools import partial

import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.cases.convolutions import rotated, without_bias
from parity.layout import dense_to_conv, kernel_to_torch, to_keras, to_torch

_COUNT, _IN, _OUT = 2, 3, 4


def conv(t: Tensors, stride: int, dilation: int) -> Tensors:
    """nn.Conv2d with the arrays' weights."""
    size, _, inputs, outputs = t["kernel"].shape
    layer = nn.Conv2d(inputs, outputs, size, stride, dilation=dilation)
    weights = {"weight": kernel_to_torch(t["kernel"]), "bias": t["bias"]}
    return {"output": to_keras(functional_call(layer, weights, to_torch(t["image"])))}


def transposed(t: Tensors, stride: int) -> Tensors:
    """nn.ConvTranspose2d, lengthened where its kernel is shorter than its stride."""
    size, _, outputs, inputs = t["kernel"].shape
    layer = nn.ConvTranspose2d(inputs, outputs, size, stride, output_padding=max(stride - size, 0))
    weights = {"weight": kernel_to_torch(t["kernel"]), "bias": t["bias"]}
    return {"output": to_keras(functional_call(layer, weights, to_torch(t["image"])))}


def too_short(t: Tensors, stride: int) -> Tensors:
    """PyTorch's own length."""
    weight = kernel_to_torch(t["kernel"])
    return {"output": to_keras(F.conv_transpose2d(to_torch(t["image"]), weight, t["bias"], stride))}


def dense(t: Tensors) -> Tensors:
    """A 1x1 convolution with the weights of a Dense layer."""
    weight = dense_to_conv(t["kernel"])
    return {"output": to_keras(F.conv2d(to_torch(t["image"]), weight, t["bias"]))}


def as_stored(t: Tensors) -> Tensors:
    """The kernel read as (out, in), in which PyTorch holds it."""
    return dense(t | {"kernel": t["kernel"].reshape(t["kernel"].shape[::-1]).T})


def _wrong(ours: Ours, kernel: int) -> dict[str, Ours]:
    wrong: dict[str, Ours] = {"no bias": partial(without_bias, ours)}
    return wrong | ({"rotated kernel": partial(rotated, ours)} if kernel > 1 else {})


def _conv_case(kernel: int, stride: int, dilation: int) -> Case:
    ours = partial(conv, stride=stride, dilation=dilation)
    suffix = f"_d{dilation}" if dilation > 1 else ""
    rows, columns = ((side - (kernel - 1) * dilation - 1) // stride + 1 for side in (10, 13))
    return Case(
        name=f"layer/conv_valid/k{kernel}_s{stride}{suffix}",
        inputs={
            "image": Draw((_COUNT, 10, 13, _IN)),
            "kernel": Draw((kernel, kernel, _IN, _OUT)),
            "bias": Draw((_OUT,)),
        },
        ours=ours,
        reference="layers.conv_valid",
        settings={"stride": stride, "dilation": dilation},
        wrong=_wrong(ours, kernel),
        terms=max(_COUNT * rows * columns, kernel**2 * _OUT),
    )


def _transposed_case(kernel: int, stride: int) -> Case:
    ours = partial(transposed, stride=stride)
    wrong = _wrong(ours, kernel)
    rows, columns = ((side - 1) * stride + max(kernel, stride) for side in (5, 6))
    if kernel < stride:
        wrong["too short"] = partial(too_short, stride=stride)
    return Case(
        name=f"layer/conv_transpose_valid/k{kernel}_s{stride}",
        inputs={
            "image": Draw((_COUNT, 5, 6, _IN)),
            "kernel": Draw((kernel, kernel, _OUT, _IN)),
            "bias": Draw((_OUT,)),
        },
        ours=ours,
        reference="layers.conv_transpose_valid",
        settings={"stride": stride},
        wrong=wrong,
        terms=max(_COUNT * rows * columns, kernel**2 * _OUT),
    )


CASES = (
    *(
        _conv_case(kernel, stride, dilation)
        for kernel, stride, dilation in (
            *((1, 1, 1), (1, 3, 1), (2, 1, 1), (3, 1, 1), (3, 2, 1), (4, 2, 1), (5, 3, 1)),
            *((7, 4, 1), (2, 1, 3), (3, 1, 2)),
        )
    ),
    *(
        _transposed_case(kernel, stride)
        for kernel, stride in ((1, 2), (2, 3), (1, 4), (2, 2), (3, 1), (3, 2), (4, 2), (5, 3))
    ),
    Case(
        name="layer/dense/on_a_map",
        inputs={
            "image": Draw((2, 5, 7, 6)),
            "kernel": Draw((6, 4)),
            "bias": Draw((4,)),
        },
        ours=dense,
        reference="layers.dense",
        wrong={"kernel as PyTorch's": as_stored, "no bias": partial(without_bias, dense)},
        terms=2 * 5 * 7,
    ),
)
