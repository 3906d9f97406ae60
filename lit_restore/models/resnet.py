"""ResNet, which tells the class of a picture; parameters are called as torchvision's."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from torch import Tensor, nn

from lit_restore.models._checks import check_at_least, check_choice, check_picture
from lit_restore.models._style import Style, check_style, start_as_keras
from lit_restore.nn import KerasBatchNorm2d

Block = Literal["bottleneck", "basic"]
Stem = Literal["imagenet", "small"]

_KERAS_EPSILON = 1.001e-5
_WIDENING = {"basic": 1, "bottleneck": 4}  # a block's outputs over its inner channels


class ResNet(nn.Module):
    """Residual blocks in stages, each half as large as the one before; their mean scores classes.

    The default is torchvision's ``resnet50`` to the names of its parameters and to the bit;
    ``resnet18`` is ``depths=(2, 2, 2, 2), block="basic"``, ``resnet34`` the default's depths with
    that block. ``interop.load_backbone`` reads the weights that others publish. They expect
    pictures from which a mean was subtracted, as their authors say; the network itself changes no
    range.

    Args:
        depths: Blocks of each stage.
        block: ``"bottleneck"``: 1x1, 3x3 and 1x1 convolutions; ``"basic"``: two of 3x3.
        width: Inner channels of the first stage's blocks; each stage has twice the one before.
        num_classes: How many logits there are.
        in_channels: Channels of the picture.
        stem: ``"imagenet"``: a 7x7 convolution of stride 2 and max pooling, which leave a quarter
            of the size; ``"small"``: a 3x3 convolution of stride 1 for small pictures.
        style: ``"torch"``, or ``"keras"`` for ``keras.applications.ResNet50``: biases everywhere,
            the stride in a block's first convolution, 1.001e-5 in BatchNorm with Keras's momentum,
            and Keras's first weights.

    Raises:
        ValueError: If an option is unknown, or a number is below 1.

    Source:
        He et al., "Deep Residual Learning for Image Recognition", CVPR 2016,
        https://arxiv.org/abs/1512.03385, table 1; stride in the 3x3 convolution (``"torch"``):
        torchvision; ``stem="small"`` as its section 4.2.
    """

    multiple_of = 1
    output = "logits"

    def __init__(
        self,
        depths: Sequence[int] = (3, 4, 6, 3),
        block: Block = "bottleneck",
        width: int = 64,
        num_classes: int = 1000,
        in_channels: int = 3,
        stem: Stem = "imagenet",
        style: Style = "torch",
    ) -> None:
        check_style(style)
        check_choice("block", block, tuple(_WIDENING))
        check_choice("stem", stem, ("imagenet", "small"))
        check_at_least(1, width=width, num_classes=num_classes, in_channels=in_channels)
        if not depths or min(depths) < 1:
            raise ValueError(f"depths must be at least one number of 1 or more, got {list(depths)}")
        super().__init__()
        self.depths = tuple(depths)
        self.block: Block = block
        self.width = width
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.stem: Stem = stem
        self.style: Style = style

        size, stride = (7, 2) if stem == "imagenet" else (3, 1)
        self.conv1 = _conv(in_channels, width, size, stride, bias=style == "keras")
        self.bn1 = _norm(width, style)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1) if stem == "imagenet" else nn.Identity()
        make = {"basic": _Basic, "bottleneck": _Bottleneck}[block]
        channels, self._stages = width, [f"layer{index + 1}" for index in range(len(depths))]
        for index, name in enumerate(self._stages):
            inner, stage = width * 2**index, nn.Sequential()
            for place in range(depths[index]):
                stage.append(make(channels, inner, 2 if index and not place else 1, style))
                channels = inner * _WIDENING[block]
            self.add_module(name, stage)
        self.fc = nn.Linear(channels, num_classes)
        _start(self, style)

    def forward(self, image: Tensor) -> Tensor:
        """Score the classes.

        Args:
            image: Shape (N, in_channels, H, W).

        Returns:
            Logits, shape (N, num_classes).

        Raises:
            ValueError: If the shape is another.
        """
        check_picture(image, self.in_channels)
        x = self.maxpool(self.bn1(self.conv1(image)).relu_())
        for name in self._stages:
            x = self.get_submodule(name)(x)
        result: Tensor = self.fc(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))
        return result


class _Residual(nn.Module):
    """What the blocks share: the shortcut, which a 1x1 convolution fits where shapes differ."""

    downsample: nn.Sequential | None

    def _add_shortcut(self, before: int, after: int, stride: int, style: Style) -> None:
        self.downsample = None
        if stride != 1 or before != after:
            conv = _conv(before, after, 1, stride, bias=style == "keras")
            self.downsample = nn.Sequential(conv, _norm(after, style))

    def forward(self, x: Tensor) -> Tensor:
        """Change features, add them to the shortcut."""
        changed = self.change(x)
        changed += x if self.downsample is None else self.downsample(x)
        return changed.relu_()

    def change(self, x: Tensor) -> Tensor:
        """Compute what is added."""
        raise NotImplementedError


class _Basic(_Residual):
    """Two 3x3 convolutions."""

    def __init__(self, before: int, inner: int, stride: int, style: Style) -> None:
        super().__init__()
        conv, norm = _makers(style)
        self.conv1, self.bn1 = conv(before, inner, 3, stride), norm(inner)
        self.conv2, self.bn2 = conv(inner, inner, 3), norm(inner)
        self._add_shortcut(before, inner, stride, style)

    def change(self, x: Tensor) -> Tensor:
        """Convolve twice."""
        x = self.bn1(self.conv1(x)).relu_()
        result: Tensor = self.bn2(self.conv2(x))
        return result


class _Bottleneck(_Residual):
    """A 3x3 convolution of few channels between two of 1x1."""

    def __init__(self, before: int, inner: int, stride: int, style: Style) -> None:
        super().__init__()
        conv, norm = _makers(style)
        after = inner * _WIDENING["bottleneck"]
        first, second = (stride, 1) if style == "keras" else (1, stride)
        self.conv1, self.bn1 = conv(before, inner, 1, first), norm(inner)
        self.conv2, self.bn2 = conv(inner, inner, 3, second), norm(inner)
        self.conv3, self.bn3 = conv(inner, after, 1), norm(after)
        self._add_shortcut(before, after, stride, style)

    def change(self, x: Tensor) -> Tensor:
        """Narrow, convolve, widen."""
        x = self.bn1(self.conv1(x)).relu_()
        x = self.bn2(self.conv2(x)).relu_()
        result: Tensor = self.bn3(self.conv3(x))
        return result


def _makers(style: Style) -> tuple[Callable[..., nn.Conv2d], Callable[[int], nn.BatchNorm2d]]:
    return partial(_conv, bias=style == "keras"), partial(_norm, style=style)


def _conv(before: int, after: int, size: int, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(before, after, size, stride, size // 2, bias=bias)


def _norm(width: int, style: Style) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width) if style == "torch" else KerasBatchNorm2d(width, _KERAS_EPSILON)


def _start(network: ResNet, style: Style) -> None:
    """Draw the first weights as torchvision does, or as Keras would."""
    if style == "keras":
        start_as_keras(network)
        return
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
