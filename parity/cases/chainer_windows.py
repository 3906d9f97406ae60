"""Convolutions and pooling as Chainer does them; arrays are laid out as PyTorch's.

Chainer pads alike on both sides. Where TensorFlow's SAME is something else, PyTorch's own layer is
the one that agrees, and ours is a wrong variant.
"""

from collections.abc import Iterator
from functools import partial

from torch import nn
from torch.func import functional_call

from lit_restore.nn import SameAvgPool2d, SameConv2d, SameConvTranspose2d, SameMaxPool2d
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.cases.convolutions import without_bias

_COUNT, _IN, _OUT = 2, 3, 4

chainer_case = partial(Case, framework="chainer")


def on_image(layer: nn.Module) -> Ours:
    """Run a layer with the arrays that are called what its parameters are called."""

    def run(t: Tensors) -> Tensors:
        weights = {name: value for name, value in t.items() if name != "image"}
        return {"output": functional_call(layer, weights, (t["image"],))}

    return run


def turned(function: Ours, t: Tensors) -> Tensors:
    """Compute with the kernel turned by 180 degrees."""
    return function(t | {"weight": t["weight"].flip(2, 3)})


def _wrong(ours: Ours, size: int) -> dict[str, Ours]:
    wrong: dict[str, Ours] = {"no bias": partial(without_bias, ours)}
    if size > 1:
        wrong["turned kernel"] = partial(turned, ours)
    return wrong


def _conv(size: int, stride: int, dilation: int, height: int, width: int) -> Case:
    padding = (size - 1) * dilation // 2
    own = on_image(SameConv2d(_IN, _OUT, size, stride, dilation))
    torchs = on_image(nn.Conv2d(_IN, _OUT, size, stride, padding, dilation))
    differs = stride == 2 and size % 2 == 1 and height % 2 == 0
    ours = torchs if differs else own
    return chainer_case(
        name=f"layer/chainer_conv/k{size}_s{stride}_d{dilation}_{height}x{width}",
        inputs={
            "image": Draw((_COUNT, _IN, height, width)),
            "weight": Draw((_OUT, _IN, size, size)),
            "bias": Draw((_OUT,)),
        },
        ours=ours,
        reference="layers.conv",
        settings={"stride": stride, "padding": padding, "dilation": dilation},
        wrong=_wrong(ours, size) | ({"TensorFlow's SAME": own} if differs else {}),
        terms=max(_COUNT * -(-height // stride) * -(-width // stride), size**2 * _OUT),
    )


def _deconv(size: int, stride: int, padding: int) -> Case:
    height, width = 5, 6
    own = on_image(SameConvTranspose2d(_IN, _OUT, size, stride))
    torchs = on_image(nn.ConvTranspose2d(_IN, _OUT, size, stride, padding))
    differs = 2 * padding != size - stride  # then the output is no multiple of the input
    ours = torchs if differs else own
    return chainer_case(
        name=f"layer/chainer_deconv/k{size}_s{stride}_p{padding}",
        inputs={
            "image": Draw((_COUNT, _IN, height, width)),
            "weight": Draw((_IN, _OUT, size, size)),
            "bias": Draw((_OUT,)),
        },
        ours=ours,
        reference="layers.deconv",
        settings={"stride": stride, "padding": padding},
        wrong=_wrong(ours, size) | ({"TensorFlow's SAME": own} if differs else {}),
        terms=max(_COUNT * height * width * stride**2, size**2 * _OUT),
    )


def _max_pool(size: int, height: int, width: int) -> Case:
    wrong: dict[str, Ours] = {"means": on_image(nn.AvgPool2d(size, 2, ceil_mode=True))}
    if (height - size) % 2 or (width - size) % 2:
        wrong["no window sticks out"] = on_image(nn.MaxPool2d(size, 2))
    return chainer_case(
        name=f"layer/chainer_max_pool/k{size}_s2_{height}x{width}",
        inputs={"image": Draw((_COUNT, _IN, height, width), -2.0, -1.0)},
        ours=on_image(SameMaxPool2d(size, 2)),
        reference="layers.max_pool",
        settings={"size": size, "stride": 2},
        wrong=wrong,
        terms=size**2,
    )


def _average_pool(
    size: int, stride: int, padding: int, sides: tuple[int, int], own: bool = False
) -> Case:
    same = on_image(SameAvgPool2d(size, stride))
    ours = same if own else on_image(nn.AvgPool2d(size, stride, padding))
    wrong: dict[str, Ours] = {"TensorFlow's SAME": same}
    if own:
        wrong = {"maxima": on_image(SameMaxPool2d(size, stride))}
    return chainer_case(
        name=f"layer/chainer_average_pool/k{size}_s{stride}_{sides[0]}x{sides[1]}",
        inputs={"image": Draw((_COUNT, _IN, *sides))},
        ours=ours,
        reference="layers.average_pool",
        settings={"size": size, "stride": stride, "padding": padding},
        wrong=wrong,
        terms=size**2,
    )


def _cases() -> Iterator[Case]:
    for size, dilation in ((1, 1), (3, 1), (5, 1), (3, 2)):
        yield _conv(size, 1, dilation, height=8, width=11)
    for size, height, width in ((3, 8, 10), (3, 9, 11), (4, 8, 10)):
        yield _conv(size, 2, 1, height, width)
    for size, stride, padding in ((2, 2, 0), (4, 2, 1), (3, 2, 1)):
        yield _deconv(size, stride, padding)
    for size, height, width in ((2, 7, 9), (2, 8, 10), (3, 8, 10)):
        yield _max_pool(size, height, width)
    yield _average_pool(2, 2, 0, (8, 10), own=True)
    yield _average_pool(2, 2, 0, (7, 9))
    yield _average_pool(3, 1, 1, (8, 11))


CASES = tuple(_cases())
