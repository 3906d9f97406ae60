"""Conv-BN-ReLU, evaluated and trained, with Keras's BatchNorm; squeeze-and-excitation."""

from functools import partial
from typing import Literal

from torch.func import functional_call

from lit_restore.nn import ConvNormAct, KerasBatchNorm2d, SqueezeExcite
from parity.arrays import Draw
from parity.case import Case, Tensors
from parity.layout import dense_to_conv, kernel_to_torch, to_keras, to_torch


def conv_bn_relu(
    t: Tensors,
    dilation: int,
    training: bool,
    eps: float = 1e-3,
    momentum: float = 0.01,
    order: Literal["cna", "can"] = "cna",
    bessel: bool = False,
) -> Tensors:
    """ConvNormAct with the arrays' weights and Keras's BatchNorm, or another."""
    _, _, inputs, outputs = t["kernel"].shape
    block = ConvNormAct(inputs, outputs, 3, 1, dilation, "batch", order, bias=True)
    KerasBatchNorm2d.convert(block, eps, momentum, bessel).train(training)
    mean, variance = t["moving_mean"].clone(), t["moving_variance"].clone()
    weights = {
        "conv.weight": kernel_to_torch(t["kernel"]),
        "conv.bias": t["bias"],
        "norm.weight": t["gamma"],
        "norm.bias": t["beta"],
        "norm.running_mean": mean,
        "norm.running_var": variance,
    }
    output = functional_call(block, weights, to_torch(t["image"]))
    return {"output": to_keras(output), "moving_mean": mean, "moving_variance": variance}


def squeeze_excite(t: Tensors, swapped: bool = False) -> Tensors:
    """SqueezeExcite with the arrays' weights; or weights that are 1 minus the right ones."""
    image = to_torch(t["image"])
    narrow = t["kernel1"].shape[1]
    layer = SqueezeExcite(image.shape[1], image.shape[1] // narrow)
    weights = {
        "fc1.weight": dense_to_conv(t["kernel1"]),
        "fc1.bias": t["bias1"],
        "fc2.weight": dense_to_conv(t["kernel2"]),
        "fc2.bias": t["bias2"],
    }
    output = functional_call(layer, weights, image)
    return {"output": to_keras(image - output if swapped else output)}


def _block(dilation: int, training: bool) -> Case:
    ours = partial(conv_bn_relu, dilation=dilation, training=training)
    wrong = {"torch's epsilon": partial(ours, eps=1e-5), "ReLU first": partial(ours, order="can")}
    if training:
        wrong["torch's momentum"] = partial(ours, momentum=0.1)
        wrong["Bessel's correction"] = partial(ours, bessel=True)
    return Case(
        name=f"block/conv_bn_relu/{'train' if training else 'eval'}_d{dilation}",
        inputs={
            "image": Draw((2, 6, 9, 3)),
            "kernel": Draw((3, 3, 3, 5)),
            "bias": Draw((5,)),
            "gamma": Draw((5,), 0.5, 1.5),
            "beta": Draw((5,)),
            "moving_mean": Draw((5,), kind="constant"),
            "moving_variance": Draw((5,), 0.5, 1.5, kind="constant"),
        },
        ours=ours,
        reference="blocks.conv_bn_relu",
        settings={"dilation": dilation, "training": training},
        wrong=wrong,
        terms=2 * 6 * 9,
        depth=2,
        null=("bias",) if training else (),
        accepted="BatchNorm takes the bias away: its gradient is what rounding leaves"
        if training
        else "",
    )


CASES = (
    *(_block(dilation, training) for dilation in (1, 2) for training in (False, True)),
    Case(
        name="block/squeeze_excite",
        inputs={
            "image": Draw((2, 3, 4, 10)),
            "kernel1": Draw((10, 5)),
            "bias1": Draw((5,)),
            "kernel2": Draw((5, 10)),
            "bias2": Draw((10,)),
        },
        ours=squeeze_excite,
        reference="blocks.squeeze_excite",
        wrong={"the complement": partial(squeeze_excite, swapped=True)},
        terms=2 * 3 * 4,
        depth=3,
    ),
)
