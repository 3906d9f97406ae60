"""Pooling with TensorFlow's SAME padding: outputs ``ceil(size / stride)`` pixels long."""

import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.nn.conv import pad_same


class SameMaxPool2d(nn.Module):
    """The maximum of each window; what lies outside the image never is one.

    Args:
        kernel_size: Height and width of the window, in pixels.
        stride: Step of the window, in pixels; the window's size if None.

    Source:
        TensorFlow, ``tf.keras.layers.MaxPooling2D(padding="same")``.
    """

    def __init__(self, kernel_size: int = 2, stride: int | None = None) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride or kernel_size

    def forward(self, image: Tensor) -> Tensor:
        """Pool.

        Args:
            image: Shape (N, C, H, W).

        Returns:
            Shape (N, C, ceil(H / stride), ceil(W / stride)).
        """
        padded = pad_same(image, self.kernel_size, self.stride, value=float("-inf"))
        return F.max_pool2d(padded, self.kernel_size, self.stride)


class SameAvgPool2d(nn.Module):
    """The mean of each window's pixels; what lies outside the image does not count.

    Args:
        kernel_size: Height and width of the window, in pixels.
        stride: Step of the window, in pixels; the window's size if None.

    Source:
        TensorFlow, ``tf.keras.layers.AveragePooling2D(padding="same")``.
    """

    def __init__(self, kernel_size: int = 2, stride: int | None = None) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride or kernel_size

    def forward(self, image: Tensor) -> Tensor:
        """Pool.

        Args:
            image: Shape (N, C, H, W).

        Returns:
            Shape (N, C, ceil(H / stride), ceil(W / stride)).
        """
        padded = pad_same(image, self.kernel_size, self.stride)
        if padded is image:
            return F.avg_pool2d(image, self.kernel_size, self.stride)
        inside = pad_same(image.new_ones(1, 1, *image.shape[2:]), self.kernel_size, self.stride)
        return self._sum(padded) / self._sum(inside)

    def _sum(self, padded: Tensor) -> Tensor:
        return F.avg_pool2d(padded, self.kernel_size, self.stride, divisor_override=1)
