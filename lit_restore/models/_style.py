"""Whose BatchNorm and whose initial weights a network has."""

from typing import Literal

from torch import nn

from lit_restore.nn import KerasBatchNorm2d, glorot_uniform_

Style = Literal["torch", "keras"]


def check_style(style: str) -> None:
    """Refuse an unknown style."""
    if style not in ("torch", "keras"):
        raise ValueError(f"style must be 'torch' or 'keras', got {style!r}")


def batch_norm(width: int, style: Style) -> nn.BatchNorm2d:
    """Make a BatchNorm of so many channels."""
    return nn.BatchNorm2d(width) if style == "torch" else KerasBatchNorm2d(width)


def start(network: nn.Module, style: Style) -> None:
    """Draw a network's first weights by He's rule (``"torch"``), or as Keras would.

    He's kernels are normal with a variance of 2 over the products that an output pixel is the sum
    of; biases are 0.

    Source:
        He et al., "Delving Deep into Rectifiers", ICCV 2015, https://arxiv.org/abs/1502.01852,
        equation 10.
    """
    if style == "keras":
        start_as_keras(network)
        return
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, (2 / _products(module)) ** 0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _products(conv: nn.Conv2d | nn.ConvTranspose2d) -> float:
    """Count the products in an output pixel; of a transposed convolution, on an average."""
    taps = float(conv.weight[0, 0].numel())
    if isinstance(conv, nn.ConvTranspose2d):
        taps /= conv.stride[0] * conv.stride[1]
    return conv.in_channels * taps


def start_as_keras(network: nn.Module) -> None:
    """Draw the initial weights that Keras would."""
    glorot_uniform_(network)
    for module in network.modules():
        if isinstance(module, nn.PReLU):
            nn.init.zeros_(module.weight)
