"""Convolutions with SAME padding, forward and transposed."""

from collections.abc import Iterator
from functools import partial

import torch.nn.functional as F
from torch.func import functional_call

from lit_restore.nn import SameConv2d, SameConvTranspose2d, same_padding
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.layout import kernel_to_torch, to_keras, to_torch

_COUNT, _IN, _OUT = 2, 3, 4


def conv(t: Tensors, stride: int, dilation: int = 1) -> Tensors:
    """SameConv2d with the arrays' weights."""
    size, _, inputs, outputs = t["kernel"].shape
    layer = SameConv2d(inputs, outputs, size, stride, dilation)
    weights = {"weight": kernel_to_torch(t["kernel"]), "bias": t["bias"]}
    return {"output": to_keras(functional_call(layer, weights, to_torch(t["image"])))}


def symmetric(t: Tensors, stride: int, dilation: int = 1) -> Tensors:
    """PyTorch's own padding, equal on both sides."""
    weight = kernel_to_torch(t["kernel"])
    padding = weight.shape[-1] // 2 * dilation
    output = F.conv2d(to_torch(t["image"]), weight, t["bias"], stride, padding, dilation)
    return {"output": to_keras(output)}


def transposed(t: Tensors, stride: int) -> Tensors:
    """SameConvTranspose2d with the arrays' weights."""
    size, _, outputs, inputs = t["kernel"].shape
    layer = SameConvTranspose2d(inputs, outputs, size, stride)
    weights = {"weight": kernel_to_torch(t["kernel"]), "bias": t["bias"]}
    return {"output": to_keras(functional_call(layer, weights, (to_torch(t["image"]),)))}


def cropped_alike(t: Tensors, stride: int) -> Tensors:
    """PyTorch's own padding of a transposed convolution, lengthened to the right shape."""
    weight = kernel_to_torch(t["kernel"])
    padding = max(weight.shape[-1] - stride + 1, 0) // 2
    missing = 2 * padding + stride - weight.shape[-1]
    image = to_torch(t["image"])
    return {
        "output": to_keras(F.conv_transpose2d(image, weight, t["bias"], stride, padding, missing))
    }


def without_bias(function: Ours, t: Tensors) -> Tensors:
    """Compute with a bias of 0."""
    return function(t | {"bias": t["bias"] * 0})


def rotated(function: Ours, t: Tensors) -> Tensors:
    """Compute with the kernel turned by 180 degrees, as Theano's files hold it."""
    return function(t | {"kernel": t["kernel"].flip(0, 1)})


def _conv_case(kernel: int, stride: int, height: int, width: int, dilation: int = 1) -> Case:
    ours = partial(conv, stride=stride, dilation=dilation)
    wrong = _wrong(ours, kernel)
    before = [same_padding(side, kernel, stride, dilation)[0] for side in (height, width)]
    if before != [kernel // 2 * dilation] * 2:  # else the paddings agree, by luck or by nature
        wrong["symmetric padding"] = partial(symmetric, stride=stride, dilation=dilation)
    suffix = f"_d{dilation}" if dilation > 1 else ""
    return Case(
        name=f"layer/conv/k{kernel}_s{stride}{suffix}_{height}x{width}",
        inputs={
            "image": Draw((_COUNT, height, width, _IN)),
            "kernel": Draw((kernel, kernel, _IN, _OUT)),
            "bias": Draw((_OUT,)),
        },
        ours=ours,
        reference="layers.conv",
        settings={"stride": stride, "dilation": dilation},
        wrong=wrong,
        terms=max(_COUNT * -(-height // stride) * -(-width // stride), kernel**2 * _OUT),
    )


def _transposed_case(kernel: int, stride: int, height: int = 5, width: int = 6) -> Case:
    ours = partial(transposed, stride=stride)
    wrong = _wrong(ours, kernel)
    if kernel > stride and (kernel - stride) % 2:
        wrong["symmetric crop"] = partial(cropped_alike, stride=stride)
    return Case(
        name=f"layer/conv_transpose/k{kernel}_s{stride}_{height}x{width}",
        inputs={
            "image": Draw((_COUNT, height, width, _IN)),
            "kernel": Draw((kernel, kernel, _OUT, _IN)),
            "bias": Draw((_OUT,)),
        },
        ours=ours,
        reference="layers.conv_transpose",
        settings={"stride": stride},
        wrong=wrong,
        terms=max(_COUNT * height * width * stride**2, kernel**2 * _OUT),
    )


def _wrong(ours: Ours, kernel: int) -> dict[str, Ours]:
    wrong: dict[str, Ours] = {"no bias": partial(without_bias, ours)}
    if kernel > 1:
        wrong["rotated kernel"] = partial(rotated, ours)
    return wrong


def _cases() -> Iterator[Case]:
    for kernel in range(1, 10):
        for stride in (1, 2, 3, 4):
            yield _conv_case(kernel, stride, height=8, width=11)
            if stride > 1:  # another remainder of the size, odd and even the other way round
                yield _conv_case(kernel, stride, height=9, width=10)
    for kernel in (2, 3, 4, 5):
        for dilation in (2, 3):
            yield _conv_case(kernel, stride=1, height=8, width=11, dilation=dilation)
    for kernel, stride in ((1, 2), (2, 3), (2, 2), (3, 3), (3, 1), (3, 2), (4, 2), (5, 2), (5, 3)):
        yield _transposed_case(kernel, stride)


CASES = tuple(_cases())
