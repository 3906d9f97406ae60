"""What the channels of a feature map have in common: Gram, covariance and correlation matrices.

All three forget where something is, and keep what occurs together with what: a map's style. They
are computed in float32 at least, under autocast too, since sums of products of VGG's maps overflow
half precision.
"""

import math
from typing import Any

import torch
from torch import Tensor

from lit_restore.losses._wide import no_autocast, wide


def gram_matrix(features: Tensor) -> Tensor:
    """Sum the products of each pair of channels over all positions, and divide by nothing.

    Args:
        features: Shape (N, C, H, W).

    Returns:
        Shape (N, C, C), symmetric, positive semidefinite, and growing with H * W.

    Raises:
        ValueError: If ``features`` does not have four dimensions.

    Source:
        Gatys et al., "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016,
        https://openaccess.thecvf.com/content_cvpr_2016/html/Gatys_Image_Style_Transfer_CVPR_2016_paper.html,
        equation 3.
    """
    x = _rows(features)
    with no_autocast(x):
        return _Gram.apply(x)


def covariance_matrix(features: Tensor) -> Tensor:
    """Compute the covariance of each pair of channels over all positions.

    It is the mean over the positions of the Gram matrix of channels whose mean was taken off:
    divided by H * W, not by one less.

    Args:
        features: Shape (N, C, H, W).

    Returns:
        Shape (N, C, C), symmetric and positive semidefinite; 0 for a constant channel, exactly.

    Raises:
        ValueError: If ``features`` does not have four dimensions.
    """
    x = _centred(_rows(features))
    with no_autocast(x):
        return _Gram.apply(x) / x.shape[-1]


def correlation_matrix(features: Tensor) -> Tensor:
    """Compute the correlation of each pair of channels over all positions.

    It is the mean over the positions of the Gram matrix of channels whose mean was taken off and
    which were divided by their standard deviation. A constant channel correlates with nothing,
    itself included: its row and column are 0, where NumPy's would be NaN, and so is the gradient
    that reaches it.

    Args:
        features: Shape (N, C, H, W).

    Returns:
        Shape (N, C, C), symmetric, in -1 .. 1, with 1 on the diagonal.

    Raises:
        ValueError: If ``features`` does not have four dimensions.
    """
    x = _centred(_rows(features))
    powers = x.square().sum(dim=-1, keepdim=True)
    unit = x * powers.masked_fill(powers == 0, math.inf).rsqrt()  # / sqrt(H W) std
    with no_autocast(unit):
        return _Gram.apply(unit)


class _Gram(torch.autograd.Function):
    """``x @ x.mT``, whose gradient is one product, not two, and lies in memory as ``x`` does.

    Autograd's own would come in NCHW whatever the maps are in, and adding it to that of the layers
    above, of maps in channels_last, takes as long as a large convolution.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x @ x.mT

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        both = gradient + gradient.mT
        with no_autocast(x):
            return (x.mT @ both).mT if x.stride(1) == 1 else both @ x


def _rows(features: Tensor) -> Tensor:
    if features.ndim != 4:
        raise ValueError(f"features must have the shape (N, C, H, W), got {tuple(features.shape)}")
    return wide(features).flatten(2)


def _centred(x: Tensor) -> Tensor:
    # Less any of its values first, a constant channel is 0 to the last bit, and so is its mean.
    x = x - x[..., :1].detach()
    return x - x.mean(dim=-1, keepdim=True)
