"""Layer normalisation of images: over the channels of each pixel."""

import torch.nn.functional as F
from torch import Tensor, nn


class ChannelLayerNorm2d(nn.LayerNorm):
    """Normalise the channels of each pixel; ``nn.LayerNorm`` takes the last axis, which is width.

    Parameters are those of ``nn.LayerNorm(num_features)``.

    Args:
        num_features: Channels.
        eps: What is added to the variance before its root.
        affine: Whether there is a learned factor and offset per channel.

    Source:
        ``keras.layers.LayerNormalization(axis=-1)`` on (N, H, W, C); Ba et al., "Layer
        Normalization", 2016, https://arxiv.org/abs/1607.06450.
    """

    def __init__(self, num_features: int, eps: float = 1e-3, affine: bool = True) -> None:
        super().__init__(num_features, eps, elementwise_affine=affine)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise.

        Args:
            input: Shape (N, num_features, H, W).

        Returns:
            The same shape.

        Raises:
            RuntimeError: If the image has another number of channels.
        """
        last = input.permute(0, 2, 3, 1)
        shape = self.normalized_shape
        return F.layer_norm(last, shape, self.weight, self.bias, self.eps).permute(0, 3, 1, 2)
