"""Normalisation and convolution that treat hole and valid region apart."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from lit_restore.nn import RegionConv2d, RegionNorm2d
from parity.arrays import Draw
from parity.case import Case, Tensors
from parity.layout import kernel_to_torch, to_keras, to_torch

_COUNT, _HEIGHT, _WIDTH, _IN, _OUT = 2, 9, 12, 3, 4
_IMAGE = Draw((_COUNT, _HEIGHT, _WIDTH, _IN), -0.3, 0.1)


def region_norm(t: Tensors, eps: float = 1e-5) -> Tensors:
    """RegionNorm2d with the arrays' weights."""
    weights = {"weight": t["gamma"].T, "bias": t["beta"].T}
    inputs = to_torch(t["image"]), to_torch(t["mask"])
    return {"output": to_keras(functional_call(RegionNorm2d(_IN, eps), weights, inputs))}


def learned(t: Tensors, threshold: float = 0.8) -> Tensors:
    """RegionNorm2d with ``learnable=True``; the regions that it finds."""
    layer = RegionNorm2d(_IN, learnable=True)
    weights = {
        "attention.weight": kernel_to_torch(t["attention"]),
        "affine.weight": kernel_to_torch(t["kernel"]),
        "affine.bias": t["bias"],
    }
    found: list[Tensor] = []
    layer.attention.register_forward_hook(lambda module, inputs, output: found.append(output))
    output = functional_call(layer, weights, (to_torch(t["image"]),))
    regions = found[0].sigmoid() >= threshold
    return {"output": to_keras(output), "regions": to_keras(regions.to(output.dtype))}


def affine_swapped(t: Tensors) -> Tensors:
    """The offset's map as the factor's."""
    return learned(t | {"kernel": t["kernel"].flip(3), "bias": t["bias"].flip(0)})


def over_the_batch(t: Tensors) -> Tensors:
    """The moments of both pictures together, as the authors' code takes them."""
    image = to_torch(t["image"])
    wide = image.transpose(0, 1).reshape(1, _IN, -1, _WIDTH)
    mask = to_torch(t["mask"]).reshape(1, 1, -1, _WIDTH)
    weights = {"weight": t["gamma"].T, "bias": t["beta"].T}
    output = functional_call(RegionNorm2d(_IN), weights, (wide, mask))
    return {"output": to_keras(output.reshape(_IN, _COUNT, _HEIGHT, _WIDTH).transpose(0, 1))}


def instance_norm(t: Tensors) -> Tensors:
    """Both regions together."""
    normal = to_keras(F.instance_norm(to_torch(t["image"])))
    factor, offset = (
        torch.where(t["mask"] > 0, value[:, 1], value[:, 0]) for value in (t["gamma"], t["beta"])
    )
    return {"output": normal * factor + offset}


def region_conv(t: Tensors, stride: int, dilation: int = 1) -> Tensors:
    """RegionConv2d with the arrays' weights."""
    regions = ("hole", "valid")
    weights = {
        "weight": torch.stack([kernel_to_torch(t[f"{one}_kernel"]) for one in regions]),
        "bias": torch.stack([t[f"{one}_bias"] for one in regions]),
    }
    layer = RegionConv2d(_IN, _OUT, weights["weight"].shape[-1], stride, dilation)
    inputs = to_torch(t["image"]), to_torch(t["mask"])
    return {"output": to_keras(functional_call(layer, weights, inputs))}


def region_conv_swapped(t: Tensors, stride: int) -> Tensors:
    """Each kernel in the other region."""
    return region_conv(t | {"mask": 1 - t["mask"]}, stride)


def inputs_masked(t: Tensors, stride: int) -> Tensors:
    """The mask on what is read, not on what is made; at stride 1."""
    both = (
        region_conv(
            t | {"image": t["image"] * region, "mask": torch.full_like(t["mask"], float(value))},
            stride,
        )["output"]
        for value, region in enumerate((1 - t["mask"], t["mask"]))
    )
    return {"output": sum(both, start=torch.zeros(()))}


def _conv_case(kernel: int, stride: int) -> Case:
    height, width = -(-_HEIGHT // stride), -(-_WIDTH // stride)
    weights = {
        name: one
        for region in ("hole", "valid")
        for name, one in (
            (f"{region}_kernel", Draw((kernel, kernel, _IN, _OUT))),
            (f"{region}_bias", Draw((_OUT,))),
        )
    }
    mask = Draw((_COUNT, height, width, 1), kind="mask")
    wrong = {"kernels swapped": partial(region_conv_swapped, stride=stride)}
    if stride == 1:
        wrong["mask on the input"] = partial(inputs_masked, stride=stride)
    return Case(
        name=f"layer/region_conv/k{kernel}_s{stride}",
        inputs={"image": Draw(_IMAGE.shape), "mask": mask, **weights},
        ours=partial(region_conv, stride=stride),
        reference="regions.region_conv",
        settings={"stride": stride},
        wrong=wrong,
        terms=max(_COUNT * height * width, 2 * kernel**2 * _OUT),
    )


CASES = (
    Case(
        name="layer/region_norm",
        inputs={
            "image": _IMAGE,
            "mask": Draw((*_IMAGE.shape[:3], 1), kind="mask"),
            "gamma": Draw((_IN, 2), 0.5, 1.5),
            "beta": Draw((_IN, 2)),
        },
        ours=region_norm,
        reference="regions.region_norm",
        wrong={
            "Keras's epsilon": partial(region_norm, eps=1e-3),
            "over the batch": over_the_batch,
            "regions together": instance_norm,
            "regions swapped": lambda t: region_norm(t | {"mask": 1 - t["mask"]}),
        },
        terms=_COUNT * _HEIGHT * _WIDTH,
        depth=3,
    ),
    Case(
        name="layer/region_norm/learnable",
        inputs={
            "image": Draw(_IMAGE.shape, 0.0, 1.0),
            "attention": Draw((7, 7, 2, 1), 0.0, 0.04),
            "kernel": Draw((7, 7, 1, 2)),
            "bias": Draw((2,)),
        },
        ours=learned,
        reference="regions.learned_region_norm",
        wrong={
            "another threshold": partial(learned, threshold=0.7),
            "factor and offset swapped": affine_swapped,
            "mean and largest swapped": lambda t: learned(
                t | {"attention": t["attention"].flip(2)}
            ),
        },
        terms=_COUNT * _HEIGHT * _WIDTH,
        depth=6,
    ),
    *(_conv_case(kernel, stride) for kernel, stride in ((3, 1), (4, 1), (3, 2))),
)
