"""Instance normalisation that is fast on CPUs, whatever the order of maps in memory."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class FastInstanceNorm2d(nn.InstanceNorm2d):
    """``nn.InstanceNorm2d`` by PyTorch's faster kernels: the same numbers up to rounding.

    On a CPU PyTorch goes the way of BatchNorm with every map as a channel, for which it turns maps
    that lie pixel by pixel (channels_last) around and back. Here such maps are normalised picture
    by picture with BatchNorm's kernel for them, and stay as they lie; others take the kernel of
    GroupNorm with a group a channel. That kernel is not used in channels_last: there it takes the
    variance as a difference of large sums, and loses all digits where the mean is 1000 times the
    deviation. On other devices this is ``nn.InstanceNorm2d``.

    The statistics are those of the picture at hand in evaluation, too, so there are no running
    ones; they are over the whole picture, which cannot be cut into tiles without changing them.

    Args:
        num_features: Channels.
        eps: What is added to the variance before its root.
        affine: Whether there is a learned factor (``weight``) and offset (``bias``) per channel.

    Source:
        Ulyanov et al., "Instance Normalization: The Missing Ingredient for Fast Stylization",
        2016, https://arxiv.org/abs/1607.08022.
    """

    def __init__(self, num_features: int, eps: float = 1e-5, affine: bool = False) -> None:
        super().__init__(num_features, eps, affine=affine)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise each map of each picture.

        Args:
            input: Shape (N, num_features, H, W), with more than one pixel.

        Returns:
            The same shape, in the same order in memory.

        Raises:
            ValueError: If the input is not four-dimensional, or has another number of channels, or
                a single pixel, of which there is no variance.
        """
        self._check(input)
        if input.device.type != "cpu":
            return super().forward(input)
        if input.stride(1) != 1:
            groups = self.num_features
            return F.group_norm(input.contiguous(), groups, self.weight, self.bias, self.eps)
        pixelwise = input.contiguous(memory_format=torch.channels_last)
        if len(pixelwise) == 1:
            return self._normalise_one(pixelwise)
        return torch.cat([self._normalise_one(picture) for picture in torch.split(pixelwise, 1)])

    def _normalise_one(self, picture: Tensor) -> Tensor:
        """Normalise a batch of one, whose statistics are the picture's."""
        return F.batch_norm(
            picture, None, None, self.weight, self.bias, training=True, eps=self.eps
        )

    def _check(self, image: Tensor) -> None:
        if image.ndim != 4 or image.shape[1] != self.num_features:
            expected = f"(N, {self.num_features}, H, W)"
            raise ValueError(f"expected shape {expected}, got {tuple(image.shape)}")
        if image.shape[2] * image.shape[3] == 1:
            raise ValueError("expected maps of more than one pixel to normalise each, got 1x1")
