"""Partial convolution by both formulas, of one map, of a concatenation, and after enlargement."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from lit_restore.nn import PartialConv2d, PartialUpConv2d, pad_same, same_padding
from lit_restore.nn.partial_conv import Normalize
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.layout import kernel_to_torch, to_keras, to_torch

_COUNT, _IN, _SECOND, _OUT = 2, 3, 2, 4
_FORMULAS: tuple[Normalize, ...] = ("count", "coverage")


def partial_conv(t: Tensors, formula: Normalize, stride: int = 1, dilation: int = 1) -> Tensors:
    """PartialConv2d with the arrays' weights, of one group or of two."""
    size, _, inputs, outputs = t["kernel"].shape
    layer = PartialConv2d(inputs, outputs, size, stride, dilation, "bias" in t, formula)
    images, masks = _groups(t, "image", "second"), _groups(t, "mask", "second_mask")
    return _result(functional_call(layer, _weights(t), (images, masks)))


def partial_up_conv(t: Tensors, formula: Normalize, scale: int, folded: bool) -> Tensors:
    """PartialUpConv2d with the arrays' weights."""
    size, _, _, outputs = t["kernel"].shape
    low, skip = t["low"].shape[-1], t["skip"].shape[-1]
    layer = PartialUpConv2d(low, outputs, size, scale, skip, True, formula, folded)
    layer = layer.to(t["low"].dtype)
    inputs = [to_torch(t[name]) for name in ("low", "low_mask", "skip", "mask")]
    return _result(functional_call(layer, _weights(t), tuple(inputs)))


def erring(
    t: Tensors, formula: Normalize, stride: int = 1, dilation: int = 1, *, error: str
) -> Tensors:
    """The formula written out, with one of the errors that others make."""
    weight = kernel_to_torch(t["kernel"])
    images, masks = _groups(t, "image", "second"), _groups(t, "mask", "second_mask")
    conv = partial(_convolved, stride=stride, dilation=dilation, symmetric="symmetric" in error)
    if error == "one mask for all":
        masks = masks[:1] * len(masks)
    dense = [mask.expand_as(image) for image, mask in zip(images, masks, strict=True)]
    if error == "channels not counted":
        dense = [mask / mask.shape[1] * weight.shape[1] / len(masks) for mask in dense]
    image, mask = torch.cat(images, dim=1), torch.cat(dense, dim=1)
    sums = conv(image if error == "holes are read" else image * (mask > 0), weight)
    ones = torch.ones_like(weight[:1])
    counts = conv(mask, ones) / weight.shape[1]
    if error == "border counts as valid":
        counts = (
            counts
            + weight.shape[-1] ** 2
            - conv(torch.ones_like(mask), ones).mean(dim=1, keepdim=True) / weight.shape[1]
        )
    bias = t["bias"][:, None, None]
    factor = weight.shape[-1] ** 2 if formula == "coverage" else 1
    ratio = torch.where(counts > 0, factor / counts.clamp(min=1e-3), 0)
    features = (sums + bias) * ratio if error == "bias is normalised" else sums * ratio + bias
    grown = (counts > 0).to(sums.dtype)
    if error == "mask not grown":
        grown = masks[0][..., ::stride, ::stride]
    return _result((features, grown))


def _convolved(
    image: Tensor, weight: Tensor, stride: int, dilation: int, symmetric: bool
) -> Tensor:
    size = weight.shape[-1]
    side = size // 2 * dilation
    padded = F.pad(image, (side,) * 4) if symmetric else pad_same(image, size, stride, dilation)
    return F.conv2d(padded, weight, None, stride, 0, dilation)


def _groups(t: Tensors, *names: str) -> list[Tensor]:
    return [to_torch(t[name]) for name in names if name in t]


def _weights(t: Tensors) -> Tensors:
    weights = {"weight": kernel_to_torch(t["kernel"])}
    return weights | {name: t[name] for name in ("bias",) if name in t}


def _result(found: tuple[Tensor, Tensor]) -> Tensors:
    return {"output": to_keras(found[0]), "after mask": to_keras(found[1])}


def _errors(kernel: int, stride: int, dilation: int, size: Sequence[int]) -> Iterator[str]:
    yield "bias is normalised"
    if kernel > 1:
        yield from ("holes are read", "border counts as valid", "mask not grown")
    before = [same_padding(side, kernel, stride, dilation)[0] for side in size]
    if stride > 1 and kernel % 2 and before != [kernel // 2 * dilation] * 2:
        yield "symmetric padding"


def _case(
    formula: Normalize, kernel: int, stride: int, size: tuple[int, int], dilation: int = 1
) -> Case:
    about: dict[str, Any] = {"formula": formula, "stride": stride, "dilation": dilation}
    errors = _errors(kernel, stride, dilation, size)
    wrong: dict[str, Ours] = {one: partial(erring, **about, error=one) for one in errors}
    if kernel > 1:
        wrong["the other formula"] = partial(partial_conv, **about | {"formula": _other(formula)})
    suffix = f"_d{dilation}" if dilation > 1 else ""
    return Case(
        name=f"layer/partial_conv/{formula}_k{kernel}_s{stride}{suffix}_{size[0]}x{size[1]}",
        inputs={**_pair("image", "mask", size, _IN), **_kernel(kernel, _IN)},
        ours=partial(partial_conv, **about),
        reference="partial_convolutions.partial_conv",
        settings=about,
        wrong=wrong,
        terms=_terms(kernel, _IN, size),
        depth=2,
    )


def _group_case(formula: Normalize, kernel: int, stride: int) -> Case:
    size = (9, 14)
    about: dict[str, Any] = {"formula": formula, "stride": stride}
    errors = ("one mask for all", "channels not counted", "holes are read")
    return Case(
        name=f"layer/partial_conv/groups_{formula}_k{kernel}_s{stride}",
        inputs={
            **_pair("image", "mask", size, _IN),
            **_pair("second", "second_mask", size, _SECOND),
            **_kernel(kernel, _IN + _SECOND),
        },
        ours=partial(partial_conv, **about),
        reference="partial_convolutions.partial_conv",
        settings=about,
        wrong={one: partial(erring, **about, error=one) for one in errors},
        terms=_terms(kernel, _IN + _SECOND, size),
        depth=2,
    )


def _up_case(formula: Normalize, kernel: int, scale: int, folded: bool) -> Case:
    low, size = (4, 5), (4 * scale, 5 * scale)
    about: dict[str, Any] = {"formula": formula, "scale": scale}
    ours = partial(partial_up_conv, **about, folded=folded)
    return Case(
        name=f"block/partial_up_conv/{formula}_k{kernel}_x{scale}{'' if folded else '_plain'}",
        inputs={
            **_pair("low", "low_mask", low, _IN),
            **_pair("skip", "mask", size, _SECOND),
            **_kernel(kernel, _IN + _SECOND),
        },
        ours=ours,
        reference="partial_convolutions.partial_up_conv",
        settings=about,
        wrong={
            "joined backwards": partial(_joined_backwards, ours),
            "the skip is full": partial(_skip_full, ours),
            "the other formula": partial(
                partial_up_conv, formula=_other(formula), scale=scale, folded=folded
            ),
        },
        terms=_terms(kernel, _IN + _SECOND, size),
        depth=3,
    )


def _joined_backwards(ours: Ours, t: Tensors) -> Tensors:
    return ours(t | {"kernel": t["kernel"].roll(_SECOND, dims=2)})


def _skip_full(ours: Ours, t: Tensors) -> Tensors:
    return ours(t | {"mask": torch.ones_like(t["mask"])})


def _literal_case() -> Case:
    about: dict[str, Any] = {"formula": "count", "stride": 2}
    size = (12, 11)
    return Case(
        name="layer/partial_conv/notes",
        inputs={
            **_pair("image", "mask", size, _IN),
            "kernel": Draw((3, 3, _IN, _OUT)),
        },
        ours=partial(partial_conv, **about),
        reference="partial_convolutions.partial_conv",
        settings={**about, "epsilon": 1e-8},
        wrong={"the paper's": partial(partial_conv, formula="coverage", stride=2)},
        terms=_terms(3, _IN, size),
        depth=2,
        precision="float32",
        accepted="the notes add 1e-8 to the count, of which float32 keeps nothing",
    )


def _pair(image: str, mask: str, size: tuple[int, int], channels: int) -> dict[str, Draw]:
    shape = (_COUNT, *size)
    return {image: Draw((*shape, channels)), mask: Draw((*shape, 1), kind="mask")}


def _kernel(kernel: int, inputs: int) -> dict[str, Draw]:
    return {"kernel": Draw((kernel, kernel, inputs, _OUT)), "bias": Draw((_OUT,))}


def _terms(kernel: int, inputs: int, size: tuple[int, int]) -> int:
    return max(_COUNT * size[0] * size[1], kernel**2 * max(inputs, _OUT))


def _other(formula: Normalize) -> Normalize:
    return "count" if formula == "coverage" else "coverage"


def _cases() -> Iterator[Case]:
    for formula in _FORMULAS:
        for kernel in (1, 3, 4, 5, 7):
            for stride in (1, 2, 3):
                yield _case(formula, kernel, stride, (12, 14))
        for stride in (2, 3):  # another remainder of the size
            yield _case(formula, 3, stride, (13, 11))
        for kernel in (3, 4):
            yield _case(formula, kernel, 1, (12, 14), dilation=2)
        for kernel, stride in ((3, 1), (3, 2), (4, 1)):
            yield _group_case(formula, kernel, stride)
        for kernel, scale in ((3, 2), (4, 2), (5, 3)):
            yield _up_case(formula, kernel, scale, folded=True)
        yield _up_case(formula, 3, 2, folded=False)
    yield _literal_case()


CASES = tuple(_cases())
