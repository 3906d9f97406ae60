"""The residual networks of ImageNet; their layers have our names."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
from keras import layers
from keras.src.applications import resnet as applications

from parity.references.models import Shape

_RESNET50 = (3, 4, 6, 3)


def application(shape: Shape, depths: Sequence[int], num_classes: int) -> keras.Model:
    """ResNet50 of ``keras.applications``, or what builds it, with fewer blocks; layers renamed.

    Args:
        shape: Of a picture, of 32 pixels a side at least.
        depths: Blocks of each stage.
        num_classes: How many logits there are.
    """

    def stages(x: Any) -> Any:
        for index, blocks in enumerate(depths):
            stride = 2 if index else 1
            x = applications.stack_residual_blocks_v1(
                x, 64 * 2**index, blocks, stride1=stride, name=f"conv{index + 2}"
            )
        return x

    make = partial(applications.ResNet, stages, preact=False, use_bias=True)
    if tuple(depths) == _RESNET50:
        make = keras.applications.ResNet50
    own = make(weights=None, input_shape=shape, classes=num_classes, classifier_activation=None)
    return keras.models.clone_model(own, clone_function=_renamed)


def _renamed(layer: Any) -> Any:
    return type(layer).from_config({**layer.get_config(), "name": our_name(layer.name)})


def our_name(name: str) -> str:
    """Say what we call a layer of ``keras.applications``, as torchvision does."""
    first = {"conv1_conv": "conv1", "conv1_bn": "bn1", "predictions": "fc"}
    parts = name.split("_")
    if name in first or len(parts) != 4 or parts[-1] not in ("conv", "bn"):
        return first.get(name, name)
    path = f"layer{int(parts[0][4:]) - 1}.{int(parts[1][5:]) - 1}"
    if parts[2] == "0":
        return f"{path}.downsample.{int(parts[3] == 'bn')}"
    return f"{path}.{parts[3]}{parts[2]}"


def resnet(
    shape: Shape,
    depths: Sequence[int],
    block: str,
    width: int,
    stem: str,
    style: str,
    num_classes: int,
) -> keras.Model:
    """A residual network with PyTorch's padding, or with that of ``keras.applications``.

    Args:
        shape: Of a picture.
        depths: Blocks of each stage.
        block: ``"bottleneck"`` or ``"basic"``.
        width: Channels of the first stage.
        stem: ``"imagenet"``, or ``"small"``: one convolution of 3x3, and no pooling.
        style: ``"keras"`` for biases, and for the stride in the first convolution of a block, or
            ``"torch"``.
        num_classes: How many logits there are.
    """
    conv = partial(_conv, bias=style == "keras")
    norm = partial(layers.BatchNormalization, epsilon=1.001e-5 if style == "keras" else 1e-5)
    make = _basic if block == "basic" else _bottleneck
    relu = layers.ReLU()
    image = keras.Input(shape)
    if stem == "small":
        x = relu(norm(name="bn1")(conv(image, "conv1", width, 3)))
    else:
        x = relu(norm(name="bn1")(conv(image, "conv1", width, 7, 2)))
        x = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))
    for stage, blocks in enumerate(depths):
        for index in range(blocks):
            stride = 2 if stage and not index else 1
            name = f"layer{stage + 1}.{index}"
            changed = make(x, name, width * 2**stage, stride, style, conv, norm)
            if stride > 1 or x.shape[-1] != changed.shape[-1]:
                x = conv(x, f"{name}.downsample.0", changed.shape[-1], 1, stride)
                x = norm(name=f"{name}.downsample.1")(x)
            x = relu(layers.Add()([x, changed]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(num_classes, name="fc")(x))


def _conv(x: Any, name: str, filters: int, size: int, stride: int = 1, bias: bool = False) -> Any:
    """Convolve with zeros of half a kernel at each side."""
    x = layers.ZeroPadding2D(size // 2)(x) if size > 1 else x
    return layers.Conv2D(filters, size, stride, use_bias=bias, name=name)(x)


def _bottleneck(
    x: Any, name: str, width: int, stride: int, style: str, conv: Any, norm: Any
) -> Any:
    first, second = (stride, 1) if style == "keras" else (1, stride)
    x = layers.ReLU()(norm(name=f"{name}.bn1")(conv(x, f"{name}.conv1", width, 1, first)))
    x = layers.ReLU()(norm(name=f"{name}.bn2")(conv(x, f"{name}.conv2", width, 3, second)))
    return norm(name=f"{name}.bn3")(conv(x, f"{name}.conv3", 4 * width, 1))


def _basic(x: Any, name: str, width: int, stride: int, style: str, conv: Any, norm: Any) -> Any:
    x = layers.ReLU()(norm(name=f"{name}.bn1")(conv(x, f"{name}.conv1", width, 3, stride)))
    return norm(name=f"{name}.bn2")(conv(x, f"{name}.conv2", width, 3))
