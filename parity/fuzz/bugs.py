"""Wrong functions in place of right ones, each of which is its first argument.

Each is an error that porting from TensorFlow invites. Most leave the output's shape alone, and some
show only for even kernels, odd sizes, one mode or one type, or in a gradient alone.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore import nn as layers
from lit_restore.nn import conv
from lit_restore.nn.upsample import depth_to_space

Function = Callable[..., Any]


def extra_before(right: Function, *args: int) -> tuple[int, int]:
    """Put the odd pixel of padding at the top and at the left."""
    before, after = right(*args)
    return after, before


def by_output(
    right: Function, size: int, kernel: int, stride: int = 1, dilation: int = 1
) -> tuple[int, int]:
    """Pad as if the size were a multiple of the stride."""
    return right(-(-size // stride) * stride, kernel, stride, dilation)


def symmetric(
    right: Function, image: Tensor, weight: Tensor, bias: Tensor, stride: int = 1, dilation: int = 1
) -> Tensor:
    """Pad alike on both sides, as PyTorch's own argument does."""
    size = weight.shape[-1]
    if stride == 1 or size % 2 == 0:  # another shape
        return right(image, weight, bias, stride, dilation)
    return F.conv2d(image, weight, bias, stride, size // 2)


def undilated(
    right: Function, image: Tensor, weight: Tensor, bias: Tensor, stride: int = 1, dilation: int = 1
) -> Tensor:
    """Forget the dilation in the padding."""
    padded = conv.pad_same(image, weight.shape[-1], stride)
    return F.conv2d(padded, weight, bias, stride, dilation=dilation)


def turned(right: Function, image: Tensor, weight: Tensor, *args: Any) -> Tensor:
    """Turn the kernel by 180 degrees, as true convolution does."""
    return right(image, weight.flip(2, 3), *args)


def by_height(
    right: Function, image: Tensor, size: int, stride: int = 1, dilation: int = 1, value: float = 0
) -> Tensor:
    """Pad the width as the height needs it."""
    before, after = conv.same_padding(image.shape[2], size, stride, dilation)
    return F.pad(image, (before, after, before, after), value=value)


def crop_off(right: Function, self: nn.ConvTranspose2d, image: Tensor) -> Tensor:
    """Crop the odd pixel before instead of after."""
    size, stride = self.kernel_size[0], self.stride[0]
    if size <= stride:
        return right(self, image)
    full = F.conv_transpose2d(image, self.weight, self.bias, stride)
    start = (size - stride + 1) // 2
    height, width = (side * stride for side in image.shape[2:])
    return full[..., start : start + height, start : start + width]


def bias_twice(right: Function, self: nn.Conv2d, image: Tensor) -> Tensor:
    """Add the bias once more to the top row."""
    output = right(self, image)
    if self.bias is None:
        return output
    return torch.cat([output[:, :, :1] + self.bias[:, None, None], output[:, :, 1:]], dim=2)


def bias_held(right: Function, self: nn.Conv2d, image: Tensor) -> Tensor:
    """Let no gradient into the bias."""
    bias = None if self.bias is None else self.bias.detach()
    return conv.conv_same(image, self.weight, bias, self.stride[0], self.dilation[0])


def in_float32(right: Function, self: nn.Conv2d, image: Tensor) -> Tensor:
    """Round to float32 on the way."""
    return right(self, image).float().to(image.dtype)


def with_zeros(right: Function, *args: Any, **options: Any) -> Tensor:
    """Pad with zeros whatever is asked for."""
    return right(*args, **options | {"value": 0.0})


def all_counted(right: Function, self: layers.SameAvgPool2d, image: Tensor) -> Tensor:
    """Count the padding as pixels."""
    padded = conv.pad_same(image, self.kernel_size, self.stride)
    return F.avg_pool2d(padded, self.kernel_size, self.stride)


def other_order(right: Function, image: Tensor, scale: int, order: str = "") -> Tensor:
    """Take the other order of channels than asked for."""
    return right(image, scale, "tensorflow" if order == "torch" else "torch")


def tensorflow_order(right: Function, image: Tensor, scale: int) -> Tensor:
    """Take TensorFlow's order of channels for PyTorch's."""
    return depth_to_space(image, scale, "tensorflow")


def replicated(
    right: Function, self: layers.UpsampleConcatConv2d, low: Tensor, skip: Tensor
) -> Tensor:
    """Repeat the border of the small map beyond it."""
    scale = self.scale
    wide = right(self, F.pad(low, (1,) * 4, mode="replicate"), F.pad(skip, (scale,) * 4))
    return wide[..., scale:-scale, scale:-scale] if self.folded else right(self, low, skip)


def skip_first(
    right: Function, self: layers.UpsampleConcatConv2d, low: Tensor, skip: Tensor
) -> Tensor:
    """Join the large map before the small one."""
    enlarged = F.interpolate(low, scale_factor=float(self.scale), mode="nearest")
    return conv.conv_same(torch.cat([skip, enlarged], dim=1), self.weight, self.bias)


def bessel(right: Function, self: nn.BatchNorm2d, image: Tensor) -> Tensor:
    """Keep the variance with Bessel's correction."""
    return nn.BatchNorm2d.forward(self, image)


def eps_outside(right: Function, self: nn.BatchNorm2d, image: Tensor) -> Tensor:
    """Add epsilon to the deviation instead of the variance."""
    if self.training or self.running_var is None or self.running_mean is None:
        return right(self, image)
    normal = (image - self.running_mean[:, None, None]) / (self.running_var.sqrt() + self.eps)[
        :, None, None
    ]
    return normal * self.weight[:, None, None] + self.bias[:, None, None]


def eps_in_root(right: Function, self: layers.StdInstanceNorm2d, image: Tensor) -> Tensor:
    """Add epsilon to the variance instead of the deviation."""
    return F.instance_norm(image, weight=self.weight, bias=self.bias, eps=self.eps)


def over_width(right: Function, self: nn.LayerNorm, image: Tensor) -> Tensor:
    """Normalise over the last axis, where Keras has the channels."""
    if image.shape[1] != image.shape[3]:  # PyTorch would refuse it
        return right(self, image)
    return nn.LayerNorm.forward(self, image)


def relu_last(right: Function, self: layers.ConvNormAct, image: Tensor) -> Tensor:
    """Ignore the order of normalisation and ReLU."""
    return self.act(self.norm(self.conv(image)))


def by_row(right: Function, self: layers.SqueezeExcite, image: Tensor) -> Tensor:
    """Squeeze to the largest row instead of the mean."""
    squeezed = image.mean(dim=3, keepdim=True).amax(dim=2, keepdim=True)
    return image * self.fc2(self.fc1(squeezed).relu()).sigmoid()
