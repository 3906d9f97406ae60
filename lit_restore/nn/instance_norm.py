"""Instance normalisation as the notes' CycleGAN imports it: divided by deviation plus epsilon."""

import torch
from torch import Tensor, nn

_HALF = (torch.float16, torch.bfloat16)


class StdInstanceNorm2d(nn.Module):
    """``(image - mean) / (deviation + eps)`` of each channel of each image.

    ``keras_contrib``'s formula. Keras 3's ``GroupNormalization(groups=-1)`` and PyTorch divide by
    ``sqrt(variance + eps)`` instead, which is another number where the deviation is small: that
    layer is ``nn.InstanceNorm2d(channels, eps=1e-3)``. A constant map becomes zeros here, with
    finite gradients. The statistics are over the whole image, so an image cannot be cut into tiles
    without changing the result. Half precision is computed in float32, since squares would leave
    its range.

    Args:
        num_features: Channels.
        eps: What is added to the deviation.
        affine: Whether there is a learned factor (``weight``) and offset (``bias``) per channel.

    Source:
        ``keras_contrib.layers.InstanceNormalization(axis=-1)``; Ulyanov et al., "Instance
        Normalization", 2016, https://arxiv.org/abs/1607.08022.
    """

    def __init__(self, num_features: int, eps: float = 1e-3, affine: bool = False) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(num_features)) if affine else None
        self.bias = nn.Parameter(torch.zeros(num_features)) if affine else None

    def forward(self, image: Tensor) -> Tensor:
        """Normalise.

        Args:
            image: Shape (N, num_features, H, W).

        Returns:
            The same shape.

        Raises:
            ValueError: If the image has another number of channels.
        """
        if image.shape[1] != self.num_features:
            raise ValueError(f"expected {self.num_features} channels, got {image.shape[1]}")
        wide = image.float() if image.dtype in _HALF else image
        centred = wide - wide.mean(dim=(2, 3), keepdim=True)
        variance = centred.square().mean(dim=(2, 3), keepdim=True)
        # The root of 0 has no gradient; that of the least number has none that matters.
        deviation = variance.clamp_min(torch.finfo(wide.dtype).tiny).sqrt()
        output = centred / (deviation + self.eps)
        if self.weight is not None and self.bias is not None:
            output = output * self.weight[:, None, None] + self.bias[:, None, None]
        return output.to(image.dtype)

    def extra_repr(self) -> str:
        """Say what it was made with."""
        return f"{self.num_features}, eps={self.eps}, affine={self.weight is not None}"
